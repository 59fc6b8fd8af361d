/* epoll_create, epoll_ctl, epoll_wait: on pipes and eventfds, level and edge triggered, one shot, in one another. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void show(const char *what, int ep, int timeout) {
  struct epoll_event e[8];
  memset(e, 0, sizeof e);
  int n = epoll_wait(ep, e, 8, timeout);
  printf("%s: %d", what, n);
  for (int i = 0; i < n; i++) printf(" %x/%llx", e[i].events, (unsigned long long)e[i].data.u64);
  printf("\n");
}

static int ctl(int ep, int op, int fd, unsigned events, unsigned long long data) {
  struct epoll_event e = {.events = events, .data.u64 = data};
  return epoll_ctl(ep, op, fd, &e) < 0 ? -errno : 0;
}

/* What becomes ready is told of in that order, whatever the order in which it was added. */
static void order(void) {
  int p[4][2], ep = epoll_create1(0);
  char b[100];
  for (int i = 0; i < 4; i++) {
    pipe(p[i]);
    ctl(ep, EPOLL_CTL_ADD, p[i][0], i == 3 ? EPOLLIN | EPOLLET : EPOLLIN, i);
  }
  write(p[2][1], "x", 1);
  write(p[0][1], "x", 1);
  write(p[3][1], "x", 1);
  show("order", ep, 0);
  write(p[1][1], "x", 1);
  show("order, one more", ep, 0);
  read(p[2][0], b, 1);
  write(p[3][1], "x", 1);
  write(p[2][1], "x", 1);
  show("order, read and written", ep, 0);
  for (int i = 0; i < 4; i++) close(p[i][0]);
  show("order, closed", ep, 0);
}

/* Edges that nobody has waited for in between. */
static void edges(void) {
  int p[2], q[2], s[2], t[2], inner = epoll_create1(0), outer = epoll_create1(0), ep = epoll_create1(0), ev = eventfd(0, EFD_NONBLOCK);
  char b[4096] = {0};
  pipe(p);
  ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 1);
  for (int i = 0; i < 3; i++) {
    write(p[1], "xyz", 3 - i);
    show("edge, written", ep, 0);
    if (i < 2) read(p[0], b, 100);
  }
  write(p[1], "xy", 2);
  read(p[0], b, 1);
  show("edge, partly read", ep, 0);
  read(p[0], b, 1);
  show("edge, no more than read", ep, 0);
  close(p[1]);
  show("edge, hung up", ep, 0);
  show("edge, hung up again", ep, 0);
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
  ctl(ep, EPOLL_CTL_ADD, s[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 2);
  show("socket", ep, 0);
  while (write(s[0], b, sizeof b) > 0) {}
  while (read(s[1], b, sizeof b) > 0) {}
  show("socket, drained", ep, 0);
  write(s[1], "x", 1);
  show("socket, sent to", ep, 0);
  show("socket, again", ep, 0);
  shutdown(s[1], SHUT_WR);
  show("socket, shut", ep, 0);
  socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, t);
  ctl(ep, EPOLL_CTL_ADD, t[0], EPOLLOUT | EPOLLET, 3);
  show("datagrams", ep, 0);
  while (write(t[0], b, 10) > 0) {}
  while (read(t[1], b, 10) > 0) {}
  show("datagrams, drained", ep, 0);
  pipe2(q, O_NONBLOCK);
  ctl(ep, EPOLL_CTL_ADD, q[1], EPOLLOUT | EPOLLET, 4);
  show("pipe", ep, 0);
  while (write(q[1], b, sizeof b) > 0) {}
  while (read(q[0], b, sizeof b) > 0) {}
  show("pipe, drained", ep, 0);
  ctl(ep, EPOLL_CTL_ADD, ev, EPOLLIN | EPOLLOUT | EPOLLET, 5);
  show("counter", ep, 0);
  eventfd_write(ev, 1);
  read(ev, b, 8);
  show("counter, read", ep, 0);
  ctl(inner, EPOLL_CTL_ADD, q[0], EPOLLIN, 6);
  ctl(inner, EPOLL_CTL_ADD, ev, EPOLLIN, 7);
  ctl(outer, EPOLL_CTL_ADD, inner, EPOLLIN | EPOLLET, 8);
  show("outer", outer, 0);
  write(q[1], "x", 1);
  show("outer, one", outer, 0);
  eventfd_write(ev, 1);
  show("outer, another", outer, 0);
  show("outer, again", outer, 0);
  read(q[0], b, 1);
  read(ev, b, 8);
  write(q[1], "x", 1);
  show("outer, once more", outer, 0);
  show("inner", inner, 0);
}

/* A timer is told of when its time has come, to whoever waits and to whoever does not. */
static void timers(void) {
  int ep = epoll_create1(0), t = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec in = {.it_value.tv_nsec = 1000000};
  struct timespec now;
  char b[8];
  ctl(ep, EPOLL_CTL_ADD, t, EPOLLIN | EPOLLET, 1);
  show("timer, off", ep, 0);
  for (int i = 0; i < 2; i++) {
    timerfd_settime(t, 0, &in, NULL);
    show("timer, waited for", ep, -1);
    read(t, b, 8);
  }
  clock_gettime(CLOCK_MONOTONIC, &now);
  in.it_value = now;
  timerfd_settime(t, TFD_TIMER_ABSTIME, &in, NULL);
  show("timer, in the past", ep, 0);
}

int main(void) {
  int p[2], ep = epoll_create1(EPOLL_CLOEXEC), outer = epoll_create(1), ev = eventfd(0, 0);
  char b[100];
  pipe(p);
  printf("add %d\n", ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0x1122334455667788));
  printf("again %d\n", ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1) == -EEXIST);
  printf("itself %d\n", ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 1) == -EINVAL);
  printf("folder %d\n", ctl(ep, EPOLL_CTL_ADD, open("/", O_RDONLY), EPOLLIN, 1) == -EPERM);
  printf("none %d\n", ctl(ep, EPOLL_CTL_MOD, ev, EPOLLIN, 1) == -ENOENT);
  show("nothing", ep, 0);
  write(p[1], "one", 3);
  show("level", ep, -1);
  show("level again", ep, -1);
  printf("mod %d\n", ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 2));
  show("edge", ep, 0);
  show("edge again", ep, 0);
  write(p[1], "two", 3);
  show("edge, more", ep, 0);
  read(p[0], b, 100);
  show("edge, read", ep, 0);
  write(p[1], "x", 1);
  show("edge, after", ep, 0);
  ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 3);
  show("once", ep, 0);
  show("once again", ep, 0);
  ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 4);
  ctl(outer, EPOLL_CTL_ADD, ep, EPOLLIN, 5);
  show("nested", outer, 0);
  printf("circle %d\n", ctl(ep, EPOLL_CTL_ADD, outer, EPOLLIN, 6) == -ELOOP);
  read(p[0], b, 100);
  show("nested, read", outer, 0);
  ctl(ep, EPOLL_CTL_ADD, ev, EPOLLIN | EPOLLOUT, 7);
  show("eventfd", ep, 0);
  eventfd_write(ev, 3);
  show("eventfd, written", ep, 0);
  ctl(ep, EPOLL_CTL_DEL, ev, 0, 0);
  show("deleted", ep, 10);
  close(p[1]);
  show("hung up", ep, 0);
  int again = dup(p[0]);
  close(p[0]);
  show("closed, with a twin", ep, 0);
  close(again);
  show("closed", ep, 0);
  order();
  edges();
  timers();
  printf("bad %d %d\n", epoll_wait(ev, (struct epoll_event *)b, 1, 0) < 0 ? errno == EINVAL : 0, epoll_wait(ep, (struct epoll_event *)b, 0, 0) < 0 ? errno == EINVAL : 0);
  return 0;
}
