/* Forks two children with four threads each; each thread connects five times. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in to = {.sin_family = AF_INET};

static void *work(void *result) {
    for (int round = 0; round < 5; round++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        char byte;
        if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 || write(fd, "\n", 1) != 1 ||
            read(fd, &byte, 1) != 1)
            return (void *)1;
        close(fd);
    }
    return result;
}

int main(int argc, char **argv) {
    (void)argc;
    inet_pton(AF_INET, argv[1], &to.sin_addr);
    to.sin_port = htons(atoi(argv[2]));
    for (int child = 0; child < 2; child++) {
        if (fork() == 0) {
            pthread_t threads[4];
            void *result;
            int bad = 0;
            for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, NULL);
            for (int i = 0; i < 4; i++) {
                pthread_join(threads[i], &result);
                bad |= result != NULL;
            }
            _exit(bad);
        }
    }
    int bad = 0, status;
    while (wait(&status) > 0) bad |= status;
    return bad != 0;
}
