/* Tells what the kernel says to io_uring and to a connection by TCP Fast Open. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    char parameters[120] = {0};
    long ring = syscall(SYS_io_uring_setup, 4, parameters);
    printf("ring %s\n", ring < 0 && errno == ENOSYS ? "ENOSYS" : "?");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ssize_t sent = sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to);
    printf("fastopen %s\n", sent < 0 && errno == EOPNOTSUPP ? "EOPNOTSUPP" : "?");
    return 0;
}
