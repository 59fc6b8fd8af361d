/* TCP's urgent byte: in and out of line, its mark, the signal that tells of it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../guest.h"

static int urgent;
static void on(int signo) { urgent++; }
static int a, b;

static void connected(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  bind(server, (void *)&at, length);
  listen(server, 1);
  getsockname(server, (void *)&at, &length);
  a = socket(AF_INET, SOCK_STREAM, 0);
  connect(a, (void *)&at, length);
  b = accept(server, 0, 0);
  close(server);
}
static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLPRI, 0};
  poll(&p, 1, 0);
  return p.revents;
}
static void state(void) {
  int mark = -1, there = -1;
  ioctl(b, SIOCATMARK, &mark);
  ioctl(b, FIONREAD, &there);
  printf("events %x mark %d there %d signals %d\n", events(b), mark, there, urgent);
}
static void takes(const char *what, int flags) {
  char bytes[40] = "";
  long count = recv(b, bytes, sizeof bytes - 1, flags | MSG_DONTWAIT);
  printf("%s: %ld %s %s\n", what, count, why(count), bytes);
}

static void apart(void) {
  connected();
  urgent = 0;
  fcntl(b, F_SETOWN, getpid());
  takes("nothing out of band", MSG_OOB);
  DID("send", send(a, "abc", 3, 0));
  DID("urgent", send(a, "deU", 3, MSG_OOB));
  DID("more", send(a, "fgh", 3, 0));
  state();
  takes("peek out of band", MSG_OOB | MSG_PEEK);
  takes("out of band", MSG_OOB);
  takes("once only", MSG_OOB);
  state();
  takes("to the mark", 0);
  state();
  takes("behind it", 0);
  state();
  DID("alone", send(a, "V", 1, MSG_OOB));
  state();
  takes("not in the stream", 0);
  takes("out of band", MSG_OOB);
  DID("another", send(a, "xyW", 3, MSG_OOB));
  takes("up to it", 0);
  state();
  DID("a third", send(a, "klZ", 3, MSG_OOB));
  state();
  takes("what was urgent is lost", 0);
  takes("out of band", MSG_OOB);
  close(a);
  takes("end", 0);
  close(b);
}

static void inLine(void) {
  int on = 1;
  connected();
  setsockopt(b, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
  DID("urgent", send(a, "abU", 3, MSG_OOB));
  DID("more", send(a, "cd", 2, 0));
  takes("in line, not by itself", MSG_OOB);
  state();
  takes("to the mark", 0);
  state();
  takes("from the mark on", 0);
  state();
  close(a);
  close(b);
}

static void together(const char *what, int count) {
  char bytes[40] = "";
  long got = recv(b, bytes, count, MSG_WAITALL);
  printf("%s: %ld %s %s\n", what, got, why(got), bytes);
}
/* Reads that would go past the mark, or to the end behind it. */
static void bounds(void) {
  static char big[1 << 24];
  int on = 1;
  connected();
  DID("before the mark", send(a, "abU", 3, MSG_OOB));
  DID("behind it", send(a, "cd", 2, 0));
  together("all of it", 4);
  state();
  together("the rest", 2);
  DID("ordinary", send(a, "abc", 3, 0));
  SAY("nothing is not urgent", send(a, "", 0, MSG_OOB));
  state();
  takes("ordinary", 0);
  DID("last", send(a, "V", 1, MSG_OOB));
  close(a);
  takes("the end behind it", MSG_PEEK);
  takes("out of band", MSG_OOB);
  takes("the end", 0);
  close(b);
  connected();
  setsockopt(b, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
  send(a, "abU", 3, MSG_OOB);
  together("in line", 3);
  together("from the mark on", 1);
  close(a);
  close(b);
  connected();
  long sent = send(a, big, sizeof big, MSG_OOB | MSG_DONTWAIT), left = sent;
  printf("a part %d\n", sent > 0 && sent < (long)sizeof big);
  while (left > 1) left -= recv(b, big, left - 1, 0);
  nap(5);
  printf("the last byte of it ");
  state();
  close(a);
  close(b);
}

static void others(void) {
  int pair[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  SAY("datagram", send(pair[0], "x", 1, MSG_OOB));
  int udp = socket(AF_INET, SOCK_DGRAM, 0), mark;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  SAY("udp", sendto(udp, "x", 1, MSG_OOB, (void *)&at, sizeof at));
}

int main(void) {
  signal(SIGURG, on);
  apart();
  inLine();
  bounds();
  others();
  return 0;
}
