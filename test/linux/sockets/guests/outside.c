/*
 * `get PORT UDPPORT` asks servers of the host; `serve N` answers N clients of it on port 8080, `leave N` in a process that the
 * first one leaves behind; `tell UDPPORT` sends a datagram and ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../guest.h"

static struct sockaddr_in at(const char *address, int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_aton(address, &a.sin_addr);
  return a;
}

static void get(int port, int udp) {
  struct sockaddr_in a = at("127.0.0.1", port), peer;
  socklen_t length = sizeof peer;
  static char block[65536];
  unsigned sum = 0;
  long total = 0, n;
  int s = socket(AF_INET, SOCK_STREAM, 0);
  SAY("connect", connect(s, (void *)&a, sizeof a));
  getpeername(s, (void *)&peer, &length);
  printf("peer %s %d\n", inet_ntoa(peer.sin_addr), ntohs(peer.sin_port) == port);
  SAY("write", write(s, "please\n", 7));
  while ((n = read(s, block, sizeof block)) > 0)
    for (total += n; n > 0;) sum = sum * 31 + (unsigned char)block[--n];
  printf("total %ld, end %ld\n", total, n);
  close(s);
  /* Without waiting: told by poll. */
  s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  SAY("connect", connect(s, (void *)&a, sizeof a));
  struct pollfd p = {s, POLLOUT, 0};
  SAY("poll", poll(&p, 1, -1));
  int error = -1;
  length = sizeof error;
  getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &length);
  printf("error %d\n", error);
  close(s);
  a = at("127.0.0.1", 1);
  s = socket(AF_INET, SOCK_STREAM, 0);
  SAY("nobody", connect(s, (void *)&a, sizeof a));
  a = at("203.0.113.1", 80);
  SAY("outside", connect(s, (void *)&a, sizeof a));
  a = at("127.0.0.1", udp);
  s = socket(AF_INET, SOCK_DGRAM, 0);
  SAY("send", sendto(s, "datagram", 8, 0, (void *)&a, sizeof a));
  length = sizeof peer;
  SAY("receive", recvfrom(s, block, sizeof block, 0, (void *)&peer, &length));
  printf("%.8s from %s %d\n", block, inet_ntoa(peer.sin_addr), ntohs(peer.sin_port) == udp);
}

static void serve(int count) {
  struct sockaddr_in a = at("0.0.0.0", 8080);
  int s = socket(AF_INET, SOCK_STREAM, 0);
  SAY("bind", bind(s, (void *)&a, sizeof a));
  SAY("listen", listen(s, 5));
  while (count-- > 0) {
    char text[64];
    int c = accept(s, NULL, NULL);
    ssize_t n = read(c, text, sizeof text);
    if (n > 0) write(c, text, n);
    printf("client: %.*s\n", n > 0 ? (int)n : 4, n > 0 ? text : "gone");
    fflush(stdout);
    close(c);
  }
}

static void tell(int udp) {
  struct sockaddr_in a = at("127.0.0.1", 0);
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  SAY("connect", connect(s, (void *)&a, sizeof a));
  SAY("to nobody", send(s, "datagram", 8, 0));
  close(s);
  a = at("127.0.0.1", udp);
  s = socket(AF_INET, SOCK_DGRAM, 0);
  SAY("send", sendto(s, "datagram", 8, 0, (void *)&a, sizeof a));
  close(s);
}

int main(int argc, char **argv) {
  int number = atoi(argv[2]);
  if (argc > 3) get(number, atoi(argv[3]));
  else if (strcmp(argv[1], "tell") == 0) tell(number);
  else if (strcmp(argv[1], "leave") != 0 || fork() == 0) serve(number);
  return 0;
}
