/* What interrupted system calls do: EINTR, restart, and what they leave behind. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int count;
static int pipe_fds[2];
static void tick(int sig) {
  (void)sig;
  count++;
}
static void disarm(void) {
  struct itimerval off = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &off, NULL);
}
/* The second tick, which is the last, brings data, so that a restarted read ends. */
static void feed(int sig) {
  (void)sig;
  if (++count < 2) return;
  disarm();
  if (count == 2) write(pipe_fds[1], "x", 1);
}

static void arm(void (*handler)(int), int flags) {
  struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
  sigemptyset(&sa.sa_mask);
  sigaction(SIGALRM, &sa, NULL);
  count = 0;
  struct itimerval it = {{0, 30000}, {0, 30000}};
  setitimer(ITIMER_REAL, &it, NULL);
}

static void result(const char *what, long value) {
  int error = value < 0 ? errno : 0;
  disarm();
  printf("%s: %ld %s\n", what, value, error ? strerror(error) : "-");
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  char c;
  pipe(pipe_fds);

  arm(tick, 0);
  result("read", read(pipe_fds[0], &c, 1));
  arm(feed, SA_RESTART);
  result("read with SA_RESTART", read(pipe_fds[0], &c, 1));
  printf("ticks %d\n", count);
  struct pollfd fd = {pipe_fds[0], POLLIN, 0};
  arm(tick, SA_RESTART);
  result("poll", poll(&fd, 1, -1));
  arm(tick, SA_RESTART);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(pipe_fds[0], &set);
  struct timeval tv = {5000, 0};
  result("select", select(pipe_fds[0] + 1, &set, NULL, NULL, &tv));
  printf("set kept %d\n", FD_ISSET(pipe_fds[0], &set) != 0);
  arm(tick, SA_RESTART);
  result("pause", pause());
  arm(tick, SA_RESTART);
  struct timespec request = {5000, 0}, rest = {0, 0};
  result("nanosleep", nanosleep(&request, &rest));
  printf("rest %d\n", rest.tv_sec > 0 && rest.tv_sec < 5000);
  arm(tick, SA_RESTART);
  rest.tv_sec = 77;
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += 5000;
  int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, &rest);
  disarm();
  printf("clock_nanosleep: %d, rest %d\n", error, (int)rest.tv_sec);

  /* Ignored and default-ignored signals do not disturb a sleep. */
  signal(SIGALRM, SIG_IGN);
  struct itimerval it = {{0, 10000}, {0, 10000}};
  setitimer(ITIMER_REAL, &it, NULL);
  request.tv_sec = 0;
  request.tv_nsec = 50000000;
  printf("undisturbed %d\n", nanosleep(&request, NULL));
  disarm();

  sigset_t block, old, wait;
  sigemptyset(&block);
  sigaddset(&block, SIGALRM);
  sigprocmask(SIG_BLOCK, &block, &old);
  arm(tick, 0);
  sigfillset(&wait);
  sigdelset(&wait, SIGALRM);
  struct timespec long_enough = {5000, 0};
  result("ppoll", ppoll(&fd, 1, &long_enough, &wait));
  printf("ticks %d\n", count > 0);
  arm(tick, 0);
  FD_ZERO(&set);
  result("pselect", pselect(0, &set, NULL, NULL, NULL, &wait));
  arm(tick, 0);
  sigemptyset(&wait);
  sigaddset(&wait, SIGALRM);
  siginfo_t si;
  memset(&si, 0, sizeof si);
  int got = sigwaitinfo(&wait, &si);
  disarm();
  printf("sigwaitinfo %d code %d ticks %d\n", got, si.si_code, count);
  sigprocmask(SIG_SETMASK, NULL, &wait);
  printf("still blocked %d\n", sigismember(&wait, SIGALRM));
  raise(SIGALRM);
  struct timespec zero = {0, 0};
  sigemptyset(&wait);
  result("ppoll of nothing with a signal due", ppoll(NULL, 0, &zero, &wait));
  printf("ticks %d\n", count);

  sigprocmask(SIG_SETMASK, &old, NULL);
  struct sigaction sa = {.sa_handler = tick};
  sigaction(SIGUSR1, &sa, NULL);
  printf("alarm %u", alarm(100000));
  unsigned left = alarm(0);
  printf(" %d", left > 90000 && left <= 100000);
  printf(" %u\n", alarm(0));
  return 0;
}
