/* poll and select on pipes and files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void show(const char *what, int n, struct pollfd *fds, int count) {
  printf("%s: %d", what, n);
  for (int i = 0; i < count; i++) printf(" %x", fds[i].revents & 0xffff);
  puts("");
}

static long long ms(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  signal(SIGPIPE, SIG_IGN);
  int p[2], q[2];
  pipe(p);
  pipe(q);
  int file = open("/dev/null", O_RDWR);
  struct pollfd fds[6] = {{p[0], POLLIN | POLLOUT | POLLPRI, 0}, {p[1], POLLIN | POLLOUT, 0}, {file, POLLIN | POLLOUT, 0},
                          {-1, POLLIN, 0x77}, {99, POLLIN, 0}, {q[0], POLLIN, 0}};
  show("empty pipe", poll(fds, 6, 0), fds, 6);
  write(p[1], "abc", 3);
  show("three bytes", poll(fds, 6, -1), fds, 6);
  fds[0].events = POLLRDNORM;
  fds[1].events = POLLWRNORM;
  show("norm", poll(fds, 2, -1), fds, 2);
  char buffer[65536];
  fcntl(p[1], F_SETFL, O_NONBLOCK);
  while (write(p[1], buffer, sizeof buffer) > 0) {}
  show("full", poll(fds, 2, 0), fds, 2);
  close(p[1]);
  fds[0].events = POLLIN;
  show("no writer, data", poll(fds, 1, 0), fds, 1);
  while (read(p[0], buffer, sizeof buffer) > 0) {}
  show("no writer, no data", poll(fds, 1, -1), fds, 1);
  close(q[0]);
  struct pollfd out = {q[1], POLLOUT, 0};
  show("no reader", poll(&out, 1, 0), &out, 1);
  out.events = 0;
  show("no events wanted", poll(&out, 1, 0), &out, 1);

  long long before = ms();
  printf("timeout: %d", poll(NULL, 0, 30));
  printf(" %d\n", ms() - before >= 30);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  printf("too many: %d", poll(fds, limit.rlim_cur + 1, 0));
  printf(" %d\n", errno);
  printf("bad pointer: %ld", syscall(SYS_poll, 8, 1, 0));
  printf(" %d\n", errno);

  pipe(p);
  pipe(q);
  dup2(p[0], 100);
  dup2(q[1], 40);
  fd_set in, wr, ex;
#define FILL(set, a, b, c) \
  do {                     \
    FD_ZERO(&set);         \
    FD_SET(a, &set);       \
    FD_SET(b, &set);       \
    FD_SET(c, &set);       \
  } while (0)
  FILL(in, p[0], 100, file);
  FILL(wr, 40, q[1], file);
  FILL(ex, p[0], 40, 100);
  struct timeval tv = {1, 0};
  int n = select(101, &in, &wr, &ex, &tv);
  printf("select: %d in %d %d %d wr %d %d %d ex %d\n", n, FD_ISSET(p[0], &in) != 0, FD_ISSET(100, &in) != 0,
         FD_ISSET(file, &in) != 0, FD_ISSET(40, &wr) != 0, FD_ISSET(q[1], &wr) != 0, FD_ISSET(file, &wr) != 0,
         FD_ISSET(40, &ex) != 0);
  write(p[1], "x", 1);
  FILL(in, p[0], 100, file);
  n = select(101, &in, NULL, NULL, NULL);
  printf("select: %d in %d %d\n", n, FD_ISSET(p[0], &in) != 0, FD_ISSET(100, &in) != 0);
  FILL(in, p[0], 100, file);
  n = select(p[0] + 1, &in, NULL, NULL, NULL);
  printf("select below 100: %d in %d %d\n", n, FD_ISSET(p[0], &in) != 0, FD_ISSET(100, &in) != 0);
  FD_ZERO(&in);
  FD_SET(77, &in);
  n = select(78, &in, NULL, NULL, &tv);
  printf("closed: %d %d\n", n, errno);
  n = select(-1, NULL, NULL, NULL, &tv);
  printf("negative: %d %d\n", n, errno);
  tv.tv_sec = -1;
  n = select(0, NULL, NULL, NULL, &tv);
  printf("negative time: %d %d\n", n, errno);
  tv.tv_sec = 0;
  tv.tv_usec = 20000;
  n = select(0, NULL, NULL, NULL, &tv);
  printf("timeout: %d left %ld %ld\n", n, (long)tv.tv_sec, (long)tv.tv_usec);
  struct timespec ts = {0, 20000000};
  sigset_t mask;
  sigemptyset(&mask);
  FD_ZERO(&in);
  FD_SET(q[0], &in);
  n = pselect(q[0] + 1, &in, NULL, NULL, &ts, &mask);
  printf("pselect: %d %d, time kept %ld\n", n, FD_ISSET(q[0], &in) != 0, ts.tv_nsec);
  fds[0].fd = p[0];
  fds[0].events = POLLIN;
  n = ppoll(fds, 1, &ts, &mask);
  show("ppoll", n, fds, 1);
  ts.tv_nsec = 1000000000;
  n = ppoll(fds, 1, &ts, &mask);
  printf("bad time: %d %d\n", n, errno);
  return 0;
}
