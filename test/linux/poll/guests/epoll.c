/* epoll_create, epoll_ctl, epoll_wait: on pipes and eventfds, level and edge triggered, one shot, in one another. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
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
  printf("bad %d %d\n", epoll_wait(ev, (struct epoll_event *)b, 1, 0) < 0 ? errno == EINVAL : 0, epoll_wait(ep, (struct epoll_event *)b, 0, 0) < 0 ? errno == EINVAL : 0);
  return 0;
}
