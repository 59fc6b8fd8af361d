/* timerfd, signalfd, pidfd, and eventfd in an edge-triggered set: read, waited for, shared with children. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../guest.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define PIDFD_OPEN 434
#define PIDFD_SEND_SIGNAL 424
#define PIDFD_GETFD 438

static int events(int fd, int timeout) {
  struct pollfd p = {fd, POLLIN | POLLOUT, 0};
  poll(&p, 1, timeout);
  return p.revents;
}
static void label(int fd) {
  char link[64], text[64] = "";
  struct stat st;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  readlink(link, text, sizeof text - 1);
  fstat(fd, &st);
  /* Newer kernels give pidfds a file system of their own. */
  printf("%s %o\n", text, st.st_mode & ~0100);
}

static void timers(void) {
  uint64_t n = 0;
  struct itimerspec s = {{0, 0}, {1000, 0}}, old;
  int t = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  label(t);
  printf("cloexec %d events %x\n", fcntl(t, F_GETFD), events(t, 0));
  SAY("set", timerfd_settime(t, 0, &s, NULL));
  SAY("get", timerfd_gettime(t, &old));
  printf("left %d\n", old.it_value.tv_sec >= 900 && old.it_value.tv_sec <= 1000);
  s.it_value.tv_sec = 0;
  s.it_value.tv_nsec = 20000000;
  SAY("set", timerfd_settime(t, 0, &s, NULL));
  printf("events %x\n", events(t, 5000));
  SAY("read", read(t, &n, sizeof n));
  printf("expired %d\n", (int)n);
  SAY("get", timerfd_gettime(t, &old));
  printf("off %d\n", old.it_value.tv_nsec == 0);
  s.it_interval.tv_nsec = 10000000;
  s.it_value.tv_nsec = 1;
  SAY("periodic", timerfd_settime(t, 0, &s, &old));
  SAY("blocking", read(t, &n, sizeof n));
  struct timespec d = {0, 35000000};
  nanosleep(&d, NULL);
  SAY("several", read(t, &n, sizeof n));
  printf("expired %d\n", n >= 3);
  SAY("small", read(t, &n, 4));
  SAY("write", write(t, &n, 8));
  SAY("lseek", lseek(t, 0, SEEK_SET));
  memset(&s, 0, sizeof s);
  SAY("off", timerfd_settime(t, 0, &s, &old));
  printf("interval %d\n", (int)old.it_interval.tv_nsec);
  fcntl(t, F_SETFL, O_NONBLOCK);
  SAY("nothing", read(t, &n, sizeof n));
  /* Absolute, in the past and to come; a child waits too. */
  int r = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
  s.it_value.tv_sec = 1;
  SAY("past", timerfd_settime(r, TFD_TIMER_ABSTIME, &s, NULL));
  SAY("read", read(r, &n, sizeof n));
  clock_gettime(CLOCK_REALTIME, &s.it_value);
  s.it_value.tv_sec += 1000;
  SAY("future", timerfd_settime(r, TFD_TIMER_ABSTIME, &s, NULL));
  SAY("nothing", read(r, &n, sizeof n));
  timerfd_gettime(r, &old);
  printf("left %d\n", old.it_value.tv_sec >= 990 && old.it_value.tv_sec <= 1000);
  SAY("clock", timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
  SAY("flags", timerfd_create(CLOCK_MONOTONIC, 1));
  s.it_value.tv_nsec = 1000000000;
  SAY("time", timerfd_settime(r, 0, &s, NULL));
  SAY("no timer", timerfd_gettime(0, &old) < 0 && errno == EINVAL ? 0 : -1);
  SAY("no descriptor", timerfd_gettime(99, &old));
  close(r);
  close(t);
  /* An edge for each period that is read. */
  t = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK);
  struct epoll_event e = {.events = EPOLLIN | EPOLLET};
  int ep = epoll_create1(0);
  epoll_ctl(ep, EPOLL_CTL_ADD, t, &e);
  memset(&s, 0, sizeof s);
  s.it_value.tv_nsec = s.it_interval.tv_nsec = 5000000;
  timerfd_settime(t, 0, &s, NULL);
  for (int i = 0; i < 3; i++) {
    SAY("edge", epoll_wait(ep, &e, 1, 5000));
    read(t, &n, sizeof n);
  }
  close(t);
  close(ep);
}

static void signals(void) {
  sigset_t set;
  struct signalfd_siginfo i[4];
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN + 1);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  int s = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  label(s);
  SAY("nothing", read(s, i, sizeof i));
  kill(getpid(), SIGUSR1);
  union sigval v = {.sival_int = 42};
  sigqueue(getpid(), SIGRTMIN + 1, v);
  v.sival_int = 43;
  sigqueue(getpid(), SIGRTMIN + 1, v);
  printf("events %x\n", events(s, 0));
  memset(i, 0, sizeof i);
  SAY("read", read(s, i, sizeof i));
  for (int k = 0; k < 3; k++)
    printf("signal %d code %d mine %d int %d\n", i[k].ssi_signo - (k ? SIGRTMIN : 0), i[k].ssi_code, i[k].ssi_pid == getpid(), i[k].ssi_int);
  sigset_t pending;
  sigpending(&pending);
  printf("pending %d\n", sigismember(&pending, SIGUSR1));
  SAY("small", read(s, i, 100));
  fcntl(s, F_SETFL, 0);
  if (fork() == 0) {
    struct timespec d = {0, 20000000};
    nanosleep(&d, NULL);
    /* Its own signals, not its parent's. */
    kill(getpid(), SIGUSR1);
    read(s, i, sizeof i[0]);
    _exit(i[0].ssi_pid == getpid() ? 7 : 8);
  }
  SAY("blocking", read(s, i, sizeof i));
  printf("signal %d code %d status %d\n", i[0].ssi_signo, i[0].ssi_code, i[0].ssi_status);
  wait(NULL);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGKILL);
  SAY("change", signalfd(s, &set, 0) == s ? 0 : -1);
  kill(getpid(), SIGUSR1);
  printf("events %x\n", events(s, 0));
  SAY("flags", signalfd(-1, &set, 1));
  SAY("no signalfd", signalfd(0, &set, 0) < 0 ? -1 : 0);
  SAY("size", syscall(SYS_signalfd4, -1, &set, 4, 0));
  /* A timer's signal, read from a set. */
  timer_t timer;
  struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value = {.sival_int = 5}};
  sigprocmask(SIG_BLOCK, &set, NULL);
  timer_create(CLOCK_MONOTONIC, &ev, &timer);
  struct itimerspec t = {{0, 0}, {0, 10000000}};
  timer_settime(timer, 0, &t, NULL);
  int ep = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN, .data.u64 = 9};
  epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
  SAY("epoll", epoll_wait(ep, &e, 1, 5000));
  SAY("read", read(s, i, sizeof i));
  printf("signal %d code %d int %d\n", i[0].ssi_signo, i[0].ssi_code, i[0].ssi_int);
  close(ep);
  close(s);
}

static void pids(void) {
  int p[2], status;
  siginfo_t info;
  pipe(p);
  pid_t child = fork();
  if (child == 0) {
    char c;
    close(p[1]);
    read(p[0], &c, 1);
    pause();
    _exit(1);
  }
  close(p[0]);
  int fd = syscall(PIDFD_OPEN, child, 0);
  label(fd);
  printf("cloexec %d events %x\n", fcntl(fd, F_GETFD), events(fd, 0));
  SAY("read", read(fd, &status, 4));
  SAY("nothing", syscall(PIDFD_SEND_SIGNAL, fd, 0, NULL, 0));
  int theirs = syscall(PIDFD_GETFD, fd, p[0], 0);
  printf("getfd %d cloexec %d\n", theirs >= 0, fcntl(theirs, F_GETFD));
  write(p[1], "xy", 2);
  struct timespec d = {0, 10000000};
  nanosleep(&d, NULL);
  char c = 0;
  SAY("their pipe", read(theirs, &c, 1));
  printf("%c\n", c);
  SAY("no such", syscall(PIDFD_GETFD, fd, 99, 0));
  memset(&info, 0, sizeof info);
  SAY("not yet", waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG));
  printf("pid %d\n", info.si_pid);
  SAY("kill", syscall(PIDFD_SEND_SIGNAL, fd, SIGTERM, NULL, 0));
  printf("events %x\n", events(fd, 5000));
  SAY("waitid", waitid(P_PIDFD, fd, &info, WEXITED));
  printf("pid %d code %d status %d\n", info.si_pid == child, info.si_code, info.si_status);
  SAY("gone", syscall(PIDFD_SEND_SIGNAL, fd, SIGTERM, NULL, 0));
  printf("events %x\n", events(fd, 0) & POLLIN);
  SAY("waitid", waitid(P_PIDFD, fd, &info, WEXITED));
  SAY("open gone", syscall(PIDFD_OPEN, child, 0));
  SAY("open flags", syscall(PIDFD_OPEN, getpid(), 1));
  SAY("open 0", syscall(PIDFD_OPEN, 0, 0));
  SAY("no pidfd", syscall(PIDFD_SEND_SIGNAL, p[1], 0, NULL, 0));
  SAY("no pidfd", waitid(P_PIDFD, p[1], &info, WEXITED));
  close(fd);
  /* clone3 with CLONE_PIDFD. */
  int made = -1;
  struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; } a = {0x1000, (uintptr_t)&made, 0, 0, SIGCHLD};
  child = syscall(SYS_clone3, &a, sizeof a);
  if (child == 0) _exit(fcntl(made, F_GETFD) < 0 ? 33 : 34);
  printf("events %x\n", events(made, 5000));
  SAY("waitid", waitid(P_PIDFD, made, &info, WEXITED));
  printf("status %d cloexec %d\n", info.si_status, fcntl(made, F_GETFD));
  close(made);
}

static void edges(void) {
  int ep = epoll_create1(0), ev = eventfd(0, EFD_NONBLOCK);
  SAY("lseek", lseek(ep, 5, SEEK_SET));
  struct epoll_event e = {.events = EPOLLIN | EPOLLET};
  epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e);
  for (int i = 0; i < 3; i++) {
    eventfd_write(ev, 1);
    SAY("written", epoll_wait(ep, &e, 1, 0));
    SAY("told", epoll_wait(ep, &e, 1, 0));
  }
  int s[2];
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
  e.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP;
  epoll_ctl(ep, EPOLL_CTL_ADD, s[0], &e);
  SAY("writable", epoll_wait(ep, &e, 1, 0));
  SAY("told", epoll_wait(ep, &e, 1, 0));
  write(s[1], "a", 1);
  SAY("readable", epoll_wait(ep, &e, 1, 0));
  write(s[1], "b", 1);
  SAY("more", epoll_wait(ep, &e, 1, 0));
  SAY("told", epoll_wait(ep, &e, 1, 0));
  close(s[1]);
  SAY("closed", epoll_wait(ep, &e, 1, 0));
  printf("%x\n", e.events);
}

int main(void) {
  timers();
  signals();
  pids();
  edges();
  return 0;
}
