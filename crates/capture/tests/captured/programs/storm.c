/* Connects 500 times while a timer sends signals every 150 microseconds. With
 * "restart" as third argument interrupted calls are to be restarted by the
 * kernel, else the program repeats them itself. Prints how many went well. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void tick(int number) { (void)number; }

int main(int argc, char **argv) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    inet_pton(AF_INET, argv[1], &to.sin_addr);
    struct sigaction action = {.sa_handler = tick};
    action.sa_flags = argc > 3 && strcmp(argv[3], "restart") == 0 ? SA_RESTART : 0;
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {{0, 150}, {0, 150}};
    setitimer(ITIMER_REAL, &timer, NULL);
    int good = 0;
    for (int round = 0; round < 500; round++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int result;
        do {
            result = connect(fd, (struct sockaddr *)&to, sizeof to);
        } while (result != 0 && errno == EINTR);
        if (result != 0) {
            perror("connect");
            close(fd);
            continue;
        }
        char byte = '\n';
        ssize_t count;
        do count = write(fd, &byte, 1); while (count < 0 && errno == EINTR);
        do count = read(fd, &byte, 1); while (count < 0 && errno == EINTR);
        if (count == 1 && byte == 'h') good++;
        close(fd);
    }
    printf("%d\n", good);
    return 0;
}
