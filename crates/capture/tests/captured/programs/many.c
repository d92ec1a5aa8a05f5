// Sends several messages with one call, and single ones by sendmsg. Says what
// came of it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in at(const char *ip, int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, ip, &a.sin_addr);
    return a;
}

static void say(const char *what, int result) {
    if (result >= 0) printf("%s: %d\n", what, result);
    else printf("%s: %s\n", what, errno == EHOSTUNREACH ? "EHOSTUNREACH"
                              : errno == EOPNOTSUPP ? "EOPNOTSUPP" : strerror(errno));
}

static int send_two(int s, struct sockaddr_in *one, struct sockaddr_in *two, int from) {
    static char texts[2][2][3] = {{"o", "ne"}, {"t", "wo"}};
    struct sockaddr_in *to[2] = {one, two};
    struct iovec parts[2][2];
    struct mmsghdr messages[2];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++) parts[i][j] = (struct iovec){texts[i][j], strlen(texts[i][j])};
        messages[i].msg_hdr.msg_iov = parts[i];
        messages[i].msg_hdr.msg_iovlen = 2;
        messages[i].msg_hdr.msg_name = to[i];
        messages[i].msg_hdr.msg_namelen = to[i] ? sizeof *to[i] : 0;
    }
    int sent = sendmmsg(s, messages + from, 2 - from, 0);
    for (int i = 0; i < sent; i++)
        if (messages[from + i].msg_len != 3) printf("wrong length %u\n", messages[from + i].msg_len);
    return sent;
}

int main(void) {
    int here = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in inside = at("127.0.0.1", 0), outside = at("192.0.2.9", 9);
    socklen_t length = sizeof inside;
    bind(here, (void *)&inside, sizeof inside);
    getsockname(here, (void *)&inside, &length);

    int s = socket(AF_INET, SOCK_DGRAM, 0);
    connect(s, (void *)&inside, sizeof inside);
    say("connected", send_two(s, NULL, NULL, 0));
    close(s);

    s = socket(AF_INET, SOCK_DGRAM, 0);
    say("both inside", send_two(s, &inside, &inside, 0));
    say("one outside", send_two(s, &inside, &outside, 0));
    close(s);

    s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in server = at("192.0.2.53", 53);
    int sent = send_two(s, &server, &server, 0);
    // As any caller has to, send what is left.
    if (sent == 1 && send_two(s, &server, &server, 1) == 1) sent = 2;
    char one[9] = "", two[9] = "";
    recv(s, one, 8, 0);
    recv(s, two, 8, 0);
    // Answers may overtake one another.
    int swapped = strcmp(one, "ONE") != 0;
    printf("queries: %d %s %s\n", sent, swapped ? two : one, swapped ? one : two);
    close(s);

    s = socket(AF_INET, SOCK_DGRAM, 0);
    say("query behind another", send_two(s, &inside, &server, 0));
    struct iovec part = {"x", 1};
    struct msghdr message = {.msg_name = &outside, .msg_namelen = sizeof outside,
                             .msg_iov = &part, .msg_iovlen = 1};
    say("sendmsg outside", sendmsg(s, &message, 0));

    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
    int first = sendmsg(pair[0], &message, 0);
    say("stream", first + sendmsg(pair[0], &message, 0));
    return 0;
}
