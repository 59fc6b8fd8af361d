/* POSIX message queues: making, order, waiting, times, notices, attributes, ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../guest.h"

static volatile int told, code, value;
static void on(int s, siginfo_t *i, void *c) { told = s; code = i->si_code; value = i->si_value.sival_int; }
static void slow(int s) { nap(60); }
static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT, 0};
  poll(&p, 1, 0);
  return p.revents;
}

/* The call itself: glibc's function has SIGEV_THREAD for itself. */
static long asks(mqd_t q, struct sigevent *e) { return syscall(SYS_mq_notify, q, e); }
static void hear(int link) {
  char got[40] = "";
  long n = recv(link, got, sizeof got, MSG_DONTWAIT);
  printf("heard %ld %s %d\n", n, got, got[31]);
}

int main(void) {
  char b[100], name[40];
  unsigned prio;
  snprintf(name, sizeof name, "/ppcr-%d", getpid());
  struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 50};
  DID("absent", mq_open(name, O_RDWR));
  mqd_t q = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &a);
  printf("made %d\n", q >= 0);
  DID("exclusive", mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &a));
  a.mq_maxmsg = 0;
  DID("bad size", mq_open("/ppcr-other", O_CREAT | O_RDWR, 0600, &a));
  mqd_t r = mq_open(name, O_RDONLY | O_NONBLOCK);
  SAY("attributes", mq_getattr(r, &a));
  printf("%ld %ld %ld %d\n", a.mq_maxmsg, a.mq_msgsize, a.mq_curmsgs, !!(a.mq_flags & O_NONBLOCK));
  SAY("nothing", mq_receive(r, b, sizeof b, &prio));
  SAY("wrong way", mq_send(r, "x", 1, 0));
  SAY("low", mq_send(q, "low", 3, 1));
  SAY("high", mq_send(q, "high", 4, 9));
  SAY("low again", mq_send(q, "again", 5, 1));
  printf("events %x %x\n", events(q), events(r));
  a.mq_flags = O_NONBLOCK;
  struct mq_attr old;
  SAY("set", mq_setattr(q, &a, &old));
  printf("%d %ld\n", !!(old.mq_flags & O_NONBLOCK), old.mq_curmsgs);
  SAY("full", mq_send(q, "x", 1, 0));
  SAY("too long", mq_send(q, b, 51, 0));
  SAY("priority", mq_send(q, b, 1, 32768));
  SAY("small", mq_receive(r, b, 49, &prio));
  for (int i = 0; i < 3; i++) {
    SAY("receive", mq_receive(r, b, sizeof b, &prio));
    printf("%u %.3s\n", prio, b);
  }
  a.mq_flags = 0;
  mq_setattr(q, &a, NULL);
  /* Times. */
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  SAY("past", mq_timedreceive(q, b, sizeof b, &prio, &t));
  t.tv_nsec += 20000000;
  if (t.tv_nsec >= 1000000000) { t.tv_nsec -= 1000000000; t.tv_sec++; }
  SAY("late", mq_timedreceive(q, b, sizeof b, &prio, &t));
  t.tv_nsec = -1;
  SAY("bad time", mq_timedreceive(q, b, sizeof b, &prio, &t));
  /* A child sends; then it waits for room. */
  if (fork() == 0) {
    nap(20);
    mq_send(q, "child", 5, 3);
    _exit(1);
  }
  SAY("waits", mq_receive(q, b, sizeof b, &prio));
  printf("%u %.5s, child %d\n", prio, b, quit());
  for (int i = 0; i < 3; i++) mq_send(q, "fill", 4, 0);
  if (fork() == 0) _exit(mq_send(q, "more", 4, 7) == 0 ? 2 : 3);
  nap(20);
  SAY("make room", mq_receive(q, b, sizeof b, NULL));
  printf("child %d\n", quit());
  SAY("first", mq_receive(q, b, sizeof b, &prio));
  printf("%u %.4s\n", prio, b);
  while (mq_receive(r, b, sizeof b, NULL) >= 0) continue;
  /* Notices. */
  struct sigaction s = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &s, NULL);
  struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value = {.sival_int = 77}};
  SAY("notify", mq_notify(q, &e));
  if (fork() == 0) _exit(mq_notify(q, &e) < 0 ? errno : 0);
  printf("child %s\n", strerrorname_np(quit()));
  SAY("send", mq_send(q, "told", 4, 0));
  printf("told %d code %d value %d\n", told == SIGUSR1, code, value);
  told = 0;
  mq_receive(q, b, sizeof b, NULL);
  mq_send(q, "once", 4, 0);
  printf("told %d\n", told);
  SAY("notify", mq_notify(q, &e));
  SAY("send", mq_send(q, "not empty", 9, 0));
  printf("told %d\n", told);
  /* Those do not wait any more whose time was up, or who have been killed. */
  while (mq_receive(r, b, sizeof b, NULL) >= 0) continue;
  clock_gettime(CLOCK_REALTIME, &t);
  SAY("past", mq_timedreceive(q, b, sizeof b, &prio, &t));
  pid_t killed = fork();
  if (killed == 0) _exit(mq_receive(q, b, sizeof b, NULL));
  nap(20);
  kill(killed, SIGKILL);
  waitpid(killed, NULL, 0);
  SAY("send", mq_send(q, "told", 4, 0));
  printf("told %d\n", told == SIGUSR1);
  SAY("remove", mq_notify(q, NULL));
  /* Nor do those who are busy with a signal, though they will wait again. */
  while (mq_receive(r, b, sizeof b, NULL) >= 0) continue;
  told = 0;
  SAY("notify", mq_notify(q, &e));
  pid_t busy = fork();
  if (busy == 0) {
    struct sigaction again = {.sa_handler = slow, .sa_flags = SA_RESTART};
    sigaction(SIGUSR2, &again, NULL);
    _exit(mq_receive(q, b, sizeof b, NULL));
  }
  nap(20);
  kill(busy, SIGUSR2);
  nap(20);
  SAY("send", mq_send(q, "aside", 5, 0));
  printf("told %d\n", told == SIGUSR1);
  printf("child %d\n", quit());
  /* Number 0 is a signal that tells nobody. */
  struct sigevent nobody = {.sigev_notify = SIGEV_SIGNAL};
  while (mq_receive(r, b, sizeof b, NULL) >= 0) continue;
  SAY("notify nobody", mq_notify(q, &nobody));
  SAY("send", mq_send(q, "unseen", 6, 0));
  SAY("notify again", mq_notify(q, &nobody));
  SAY("remove", mq_notify(q, NULL));
  /* Any descriptor that a process closes takes along what it has asked for. */
  SAY("notify", mq_notify(q, &nobody));
  SAY("taken", mq_notify(q, &nobody));
  if (fork() == 0) _exit(mq_close(q));
  SAY("child's", quit());
  SAY("taken", mq_notify(q, &nobody));
  mqd_t twin = mq_open(name, O_RDONLY);
  mq_close(twin);
  SAY("free", mq_notify(q, &nobody));
  SAY("remove", mq_notify(q, NULL));
  /* Threads are told by a netlink socket: the cookie, its last byte how. */
  while (mq_receive(r, b, sizeof b, NULL) >= 0) continue;
  char cookie[32] = "cookie";
  int link = socket(AF_NETLINK, SOCK_RAW, 0), other = socket(AF_UNIX, SOCK_DGRAM, 0);
  struct sigevent t_ = {.sigev_notify = SIGEV_THREAD, .sigev_value = {.sival_ptr = cookie}, .sigev_signo = link};
  SAY("notify thread", asks(q, &t_));
  SAY("taken", asks(q, &nobody));
  if (fork() == 0) _exit(mq_send(q, "child's", 7, 0));
  SAY("child's", quit());
  hear(link);
  SAY("notify thread", asks(q, &t_));
  SAY("remove", asks(q, NULL));
  hear(link);
  SAY("notify thread", asks(q, &t_));
  mq_close(dup(q));
  hear(link);
  SAY("notify thread", asks(q, &t_));
  close(link);
  SAY("taken", asks(q, &nobody));
  SAY("remove", asks(q, NULL));
  t_.sigev_signo = link;
  SAY("closed", asks(q, &t_));
  t_.sigev_signo = q;
  SAY("no socket", asks(q, &t_));
  t_.sigev_signo = other;
  SAY("wrong family", asks(q, &t_));
  t_.sigev_value.sival_ptr = (void *)8;
  SAY("no cookie", asks(q, &t_));
  t_.sigev_notify = 77;
  SAY("no way", asks(q, &t_));
  SAY("unlink", mq_unlink(name));
  SAY("unlink again", mq_unlink(name));
  DID("gone", mq_open(name, O_RDWR));
  SAY("still there", mq_receive(q, b, sizeof b, NULL));
  mq_close(q);
  mq_close(r);
  SAY("closed", mq_receive(q, b, sizeof b, NULL));
  SAY("no queue", mq_receive(0, b, sizeof b, NULL));
  return 0;
}
