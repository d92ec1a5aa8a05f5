/* Connects to the IPv4 address and port in its arguments, blocking, sends a
 * line and prints the answer. Linked statically, so nothing can be preloaded. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    (void)argc;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    inet_pton(AF_INET, argv[1], &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect");
        return 1;
    }
    char text[200];
    if (write(fd, "hi\n", 3) != 3) return 2;
    ssize_t length = read(fd, text, sizeof text);
    if (length <= 0 || fwrite(text, 1, length, stdout) != (size_t)length) return 3;
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0) return 4;
    printf("peer %s:%d\n", inet_ntoa(peer.sin_addr), ntohs(peer.sin_port));
    return 0;
}
