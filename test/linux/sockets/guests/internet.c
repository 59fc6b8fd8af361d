/* TCP and UDP on the loopback: addresses, ports, connecting with and without waiting, ends, errors, a small server. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../guest.h"

static struct sockaddr_in in4(const char *host, int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, host, &a.sin_addr);
  return a;
}
static struct sockaddr_in6 in6(const char *host, int port) {
  struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  inet_pton(AF_INET6, host, &a.sin6_addr);
  return a;
}
static int portof(int fd) {
  struct sockaddr_in a;
  socklen_t l = sizeof a;
  getsockname(fd, (void *)&a, &l);
  return ntohs(a.sin_port);
}
static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  poll(&p, 1, 0);
  return p.revents;
}
static int await(int fd, int what) {
  struct pollfd p = {fd, what, 0};
  poll(&p, 1, 5000);
  return p.revents;
}
static int soerror(int fd) {
  int v = -1;
  socklen_t l = sizeof v;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &v, &l);
  return v;
}
static void option(const char *name, int fd, int level, int which) {
  int v = -1;
  socklen_t l = sizeof v;
  int r = getsockopt(fd, level, which, &v, &l);
  printf("%s %d %d %d\n", name, r, v, (int)l);
}

static void tcp(void) {
  char b[64], text[64];
  int one = 1;
  int l = socket(AF_INET, SOCK_STREAM, 0);
  printf("events %x\n", events(l));
  struct sockaddr_in a = in4("127.0.0.1", 0);
  SAY("bind", bind(l, (void *)&a, sizeof a));
  SAY("bind again", bind(l, (void *)&a, sizeof a));
  int port = portof(l);
  printf("port %d\n", port > 1024);
  a = in4("127.0.0.1", port);
  int c = socket(AF_INET, SOCK_STREAM, 0);
  SAY("refused", connect(c, (void *)&a, sizeof a));
  SAY("listen", listen(l, 5));
  SAY("connect", connect(c, (void *)&a, sizeof a));
  SAY("again", connect(c, (void *)&a, sizeof a));
  await(l, POLLIN);
  printf("events %x %x\n", events(l), events(c));
  struct sockaddr_in from;
  socklen_t n = sizeof from;
  int s = accept4(l, (void *)&from, &n, SOCK_CLOEXEC);
  printf("from %s %d, length %d\n", inet_ntop(AF_INET, &from.sin_addr, text, sizeof text), ntohs(from.sin_port) == portof(c), (int)n);
  n = sizeof from;
  SAY("getpeername", getpeername(c, (void *)&from, &n));
  printf("to %s %d\n", inet_ntop(AF_INET, &from.sin_addr, text, sizeof text), ntohs(from.sin_port) == port);
  SAY("nodelay", setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
  option("nodelay", c, IPPROTO_TCP, TCP_NODELAY);
  option("type", c, SOL_SOCKET, SO_TYPE);
  option("domain", c, SOL_SOCKET, SO_DOMAIN);
  option("protocol", c, SOL_SOCKET, SO_PROTOCOL);
  option("keepalive", c, SOL_SOCKET, SO_KEEPALIVE);
  option("ttl", c, IPPROTO_IP, IP_TTL);
  option("user timeout", c, IPPROTO_TCP, TCP_USER_TIMEOUT);
  struct tcp_info info;
  n = sizeof info;
  SAY("info", getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &n));
  printf("state %d\n", info.tcpi_state);
  SAY("send", send(c, "hello", 5, 0));
  SAY("send", send(c, " there", 6, MSG_MORE));
  SAY("sendto", sendto(c, "!", 1, 0, (void *)&from, sizeof from));
  int there = 0;
  while (there < 12) ioctl(s, FIONREAD, &there);
  SAY("peek", recv(s, b, sizeof b, MSG_PEEK));
  n = 77;
  SAY("recv", recvfrom(s, b, 5, MSG_WAITALL, (void *)&from, &n));
  SAY("recv", recv(s, b, sizeof b, 0));
  SAY("nothing", recv(s, b, sizeof b, MSG_DONTWAIT));
  SAY("shutdown", shutdown(c, SHUT_WR));
  printf("events %x %x\n", await(s, POLLIN | POLLRDHUP), events(c));
  SAY("end", recv(s, b, 1, 0));
  SAY("half open", send(s, "answer", 6, 0));
  SAY("recv", recv(c, b, sizeof b, 0));
  SAY("epipe", send(c, "x", 1, MSG_NOSIGNAL));
  close(s);
  SAY("end", recv(c, b, 1, 0));
  close(c);
  /* Closed with something unread: a reset. */
  c = socket(AF_INET, SOCK_STREAM, 0);
  connect(c, (void *)&a, sizeof a);
  s = accept(l, NULL, NULL);
  send(c, "unread", 6, 0);
  await(s, POLLIN);
  close(s);
  printf("events %x\n", await(c, POLLIN | POLLRDHUP));
  SAY("reset", recv(c, b, 1, 0));
  SAY("end", recv(c, b, 1, 0));
  SAY("epipe", send(c, "x", 1, MSG_NOSIGNAL));
  close(c);
  /* What is sent to a closed end is answered with a reset. */
  c = socket(AF_INET, SOCK_STREAM, 0);
  connect(c, (void *)&a, sizeof a);
  s = accept(l, NULL, NULL);
  close(s);
  SAY("end", recv(c, b, 1, 0));
  SAY("sent", send(c, "x", 1, MSG_NOSIGNAL));
  await(c, POLLERR);
  SAY("epipe", send(c, "x", 1, MSG_NOSIGNAL));
  close(c);
  /* Not waiting for connections. */
  c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  SAY("in progress", connect(c, (void *)&a, sizeof a));
  printf("events %x, error %d\n", await(c, POLLOUT), soerror(c));
  SAY("told", connect(c, (void *)&a, sizeof a));
  SAY("connected", connect(c, (void *)&a, sizeof a));
  close(c);
  s = accept(l, NULL, NULL);
  SAY("gone already", recv(s, b, 1, 0));
  close(s);
  struct sockaddr_in nobody = in4("127.0.0.1", 1);
  c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  SAY("in progress", connect(c, (void *)&nobody, sizeof nobody));
  printf("events %x", await(c, POLLOUT));
  printf(", error %s\n", strerrorname_np(soerror(c)));
  close(c);
  /* Ports. */
  c = socket(AF_INET, SOCK_STREAM, 0);
  SAY("taken", bind(c, (void *)&a, sizeof a));
  struct sockaddr_in any = in4("0.0.0.0", port);
  SAY("taken", bind(c, (void *)&any, sizeof any));
  struct sockaddr_in other = in4("127.0.0.2", port);
  SAY("other address", bind(c, (void *)&other, sizeof other));
  SAY("both listen", listen(c, 1));
  close(c);
  c = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in far = in4("192.0.2.1", 0);
  SAY("not here", bind(c, (void *)&far, sizeof far));
  close(l);
  SAY("closed", connect(c, (void *)&a, sizeof a));
  SAY("shutdown", shutdown(c, SHUT_RDWR));
  SAY("recv", recv(c, b, 1, 0));
  SAY("send", send(c, b, 1, MSG_NOSIGNAL));
  SAY("getpeername", getpeername(c, (void *)&from, &n));
  close(c);
}

static void six(void) {
  char text[64];
  int zero = 0;
  int l = socket(AF_INET6, SOCK_STREAM, 0);
  setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
  struct sockaddr_in6 a = in6("::", 0), from;
  SAY("bind", bind(l, (void *)&a, sizeof a));
  listen(l, 5);
  int port = portof(l);
  int c = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in four = in4("127.0.0.1", port);
  SAY("by 4", connect(c, (void *)&four, sizeof four));
  socklen_t n = sizeof from;
  int s = accept(l, (void *)&from, &n);
  printf("from %s, length %d\n", inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text), (int)n);
  close(s);
  close(c);
  c = socket(AF_INET6, SOCK_STREAM, 0);
  a = in6("::1", port);
  SAY("by 6", connect(c, (void *)&a, sizeof a));
  n = sizeof from;
  s = accept(l, (void *)&from, &n);
  printf("from %s\n", inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text));
  SAY("four on six", connect(c, (void *)&four, sizeof four));
  close(s);
  close(c);
  close(l);
}

static void udp(void) {
  char b[64], text[64];
  int s = socket(AF_INET, SOCK_DGRAM, 0), c = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in a = in4("127.0.0.1", 0), from;
  bind(s, (void *)&a, sizeof a);
  a = in4("127.0.0.1", portof(s));
  SAY("no address", send(c, "x", 1, 0));
  SAY("sendto", sendto(c, "datagram", 8, 0, (void *)&a, sizeof a));
  SAY("empty", sendto(c, "", 0, 0, (void *)&a, sizeof a));
  socklen_t n = sizeof from;
  SAY("recvfrom", recvfrom(s, b, 4, MSG_TRUNC, (void *)&from, &n));
  printf("from %s %d\n", inet_ntop(AF_INET, &from.sin_addr, text, sizeof text), ntohs(from.sin_port) == portof(c));
  SAY("empty", recv(s, b, sizeof b, 0));
  SAY("nothing", recv(s, b, sizeof b, MSG_DONTWAIT));
  SAY("answer", sendto(s, "back", 4, 0, (void *)&from, n));
  SAY("connect", connect(c, (void *)&a, sizeof a));
  SAY("recv", recv(c, b, sizeof b, 0));
  int t = socket(AF_INET, SOCK_DGRAM, 0);
  from = in4("127.0.0.1", portof(c));
  SAY("stranger", sendto(t, "x", 1, 0, (void *)&from, sizeof from));
  SAY("not heard", recv(c, b, sizeof b, MSG_DONTWAIT));
  SAY("send", send(c, "to", 2, 0));
  SAY("recv", recv(s, b, sizeof b, 0));
  close(s);
  SAY("nobody", send(c, "x", 1, 0));
  await(c, POLLERR);
  SAY("refused", send(c, "x", 1, 0));
  struct sockaddr u = {.sa_family = AF_UNSPEC};
  SAY("disconnect", connect(c, &u, sizeof u));
  SAY("not connected", getpeername(c, (void *)&from, &n));
  SAY("too long", sendto(c, text, 70000, 0, (void *)&a, sizeof a) < 0 ? -1 : 0);
  SAY("oob", recv(c, b, 1, MSG_OOB | MSG_DONTWAIT) < 0 ? 0 : 1);
  close(c);
  close(t);
}

/* What recvmsg tells of a datagram's header, with room for all of it and without. */
static void header(int family, int protocol) {
  char b[8], text[64], room[256];
  const int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, on = 1;
  const int four[] = {IP_PKTINFO, IP_RECVTTL, IP_RECVTOS}, six[] = {IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS};
  int s = socket(family, SOCK_DGRAM, protocol);
  struct sockaddr_in6 a;
  socklen_t n = sizeof a;
  memset(&a, 0, sizeof a);
  a.sin6_family = family;
  if (family == AF_INET) ((struct sockaddr_in *)&a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  else a.sin6_addr = in6addr_loopback;
  bind(s, (void *)&a, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof a);
  getsockname(s, (void *)&a, &n);
  for (int i = 0; i < 3; i++) SAY("option", setsockopt(s, level, (family == AF_INET ? four : six)[i], &on, sizeof on));
  for (int length = sizeof room; length > 0; length = length > 40 ? 40 : 0) {
    SAY("sendto", sendto(s, "told", 4, 0, (void *)&a, n));
    struct iovec v = {b, sizeof b};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = length};
    SAY("recvmsg", recvmsg(s, &m, 0));
    printf("cut %d\n", (m.msg_flags & MSG_CTRUNC) != 0);
    if (length < (int)sizeof room) break;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
      printf("%d %d:", c->cmsg_level, c->cmsg_type);
      if (c->cmsg_len == CMSG_LEN(4)) printf(" %d\n", *(int *)CMSG_DATA(c));
      else if (c->cmsg_len == CMSG_LEN(1)) printf(" byte %d\n", *CMSG_DATA(c));
      else if (c->cmsg_len == CMSG_LEN(sizeof(struct in_pktinfo))) {
        struct in_pktinfo *p = (void *)CMSG_DATA(c);
        printf(" %d %s", p->ipi_ifindex, inet_ntop(AF_INET, &p->ipi_addr, text, sizeof text));
        printf(" %s\n", inet_ntop(AF_INET, &p->ipi_spec_dst, text, sizeof text));
      } else {
        struct in6_pktinfo *p = (void *)CMSG_DATA(c);
        printf(" %d %s\n", p->ipi6_ifindex, inet_ntop(AF_INET6, &p->ipi6_addr, text, sizeof text));
      }
    }
  }
  close(s);
}

/* A server with epoll, and clients that are threads. */
static int serverport;
static void *client(void *arg) {
  long id = (long)arg, sum = 0;
  for (int round = 0; round < 5; round++) {
    int c = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = in4("127.0.0.1", serverport);
    if (connect(c, (void *)&a, sizeof a) < 0) return (void *)-1;
    int request[2] = {id, round}, answer;
    write(c, request, 4);
    write(c, request + 1, 4);
    if (recv(c, &answer, 4, MSG_WAITALL) == 4) sum += answer;
    close(c);
  }
  return (void *)sum;
}

static void server(void) {
  int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), served = 0;
  struct sockaddr_in a = in4("127.0.0.1", 0);
  bind(l, (void *)&a, sizeof a);
  listen(l, 3);
  serverport = portof(l);
  int ep = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN, .data.fd = l}, found[8];
  epoll_ctl(ep, EPOLL_CTL_ADD, l, &e);
  pthread_t t[6];
  for (long i = 0; i < 6; i++) pthread_create(&t[i], NULL, client, (void *)i);
  static int have[1024], request[1024][2];
  while (served < 30) {
    int n = epoll_wait(ep, found, 8, -1);
    for (int i = 0; i < n; i++) {
      int fd = found[i].data.fd;
      if (fd == l) {
        int s;
        while ((s = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          e.events = EPOLLIN | EPOLLET | EPOLLRDHUP;
          e.data.fd = s;
          epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
          have[s] = 0;
        }
        continue;
      }
      int r;
      while ((r = read(fd, (char *)request[fd] + have[fd], 8 - have[fd])) > 0) {
        have[fd] += r;
        if (have[fd] < 8) continue;
        int answer = request[fd][0] * 100 + request[fd][1];
        write(fd, &answer, 4);
        served++;
        have[fd] = 0;
      }
      if (r == 0) close(fd);
    }
  }
  long sum = 0;
  for (int i = 0; i < 6; i++) {
    void *r;
    pthread_join(t[i], &r);
    sum += (long)r;
  }
  printf("served %d, sum %ld\n", served, sum);
  close(l);
  close(ep);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  tcp();
  six();
  udp();
  header(AF_INET, 0);
  header(AF_INET6, 0);
  header(AF_INET, IPPROTO_UDPLITE);
  server();
  return 0;
}
