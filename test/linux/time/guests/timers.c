/* Clocks and timers. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static volatile int alarms, virtuals, profs, posix, posix_code, posix_value, overrun;
static timer_t timer;
static void on_alarm(int sig) { (void)sig; alarms++; }
static void on_virtual(int sig) { (void)sig; virtuals++; }
static void on_prof(int sig) { (void)sig; profs++; }
static void on_posix(int sig, siginfo_t *si, void *uc) {
  (void)sig;
  (void)uc;
  posix++;
  posix_code = si->si_code;
  posix_value = si->si_value.sival_int;
  if (si->si_overrun > overrun) overrun = si->si_overrun;
}

static long long now(clockid_t clock) {
  struct timespec ts;
  if (clock_gettime(clock, &ts)) return -errno;
  return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void check(const char *what, int ok) { printf("%s: %s\n", what, ok ? "ok" : "NOT OK"); }

static volatile double sink;
static void burn(volatile int *until, int n) {
  while (*until < n)
    for (int i = 0; i < 1000; i++) sink += i;
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  long long a = now(CLOCK_MONOTONIC);
  struct timespec nap = {0, 20000000};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
  check("a nap takes its time", now(CLOCK_MONOTONIC) - a >= 20000000);
  check("and not a thousand times as much", now(CLOCK_MONOTONIC) - a < 20000000000);
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  at.tv_nsec += 20000000;
  if (at.tv_nsec >= 1000000000) at.tv_nsec -= 1000000000, at.tv_sec++;
  clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL);
  check("absolute", now(CLOCK_REALTIME) >= at.tv_sec * 1000000000LL + at.tv_nsec);
  at.tv_sec -= 100;
  check("in the past", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL) == 0);
  struct timeval tv;
  gettimeofday(&tv, NULL);
  long long seconds = time(NULL);
  /* time may be a tick of the timer behind. */
  check("time", seconds >= tv.tv_sec - 1 && now(CLOCK_REALTIME) / 1000000000 >= seconds);
  clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
                        CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME};
  for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
    struct timespec res;
    long long first = now(clocks[i]);
    int bad = clock_getres(clocks[i], &res);
    printf("clock %d: %d %d, resolution %ld\n", clocks[i], first > 0, bad, clocks[i] == 5 || clocks[i] == 6 ? 0 : res.tv_nsec);
  }
  printf("no such clock: %lld\n", now(99));
  nap.tv_nsec = 1000000000;
  printf("bad nap: %d", nanosleep(&nap, NULL));
  printf(" %d\n", errno);
  printf("thread clock sleep: %d\n", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &nap, NULL));
  clockid_t own;
  check("clock_getcpuclockid", clock_getcpuclockid(getpid(), &own) == 0 && now(own) > 0);

  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = on_alarm;
  sigaction(SIGALRM, &sa, NULL);
  sa.sa_handler = on_virtual;
  sigaction(SIGVTALRM, &sa, NULL);
  sa.sa_handler = on_prof;
  sigaction(SIGPROF, &sa, NULL);
  struct itimerval it = {{0, 5000}, {0, 5000}}, old;
  setitimer(ITIMER_REAL, &it, NULL);
  burn(&alarms, 3);
  getitimer(ITIMER_REAL, &old);
  check("getitimer", old.it_interval.tv_usec == 5000 && old.it_value.tv_usec <= 5000 && old.it_value.tv_sec == 0);
  memset(&it, 0, sizeof it);
  setitimer(ITIMER_REAL, &it, &old);
  check("setitimer gives the old one", old.it_interval.tv_usec == 5000);
  it.it_value.tv_usec = it.it_interval.tv_usec = 10000;
  setitimer(ITIMER_VIRTUAL, &it, NULL);
  burn(&virtuals, 2);
  it.it_interval.tv_usec = 0;
  setitimer(ITIMER_VIRTUAL, &it, NULL);
  setitimer(ITIMER_PROF, &it, NULL);
  burn(&profs, 1);
  it.it_value.tv_usec = 1000000;
  printf("bad timer: %d", setitimer(ITIMER_REAL, &it, NULL));
  printf(" %d", errno);
  printf(" %d\n", setitimer(3, &old, NULL));

  sa.sa_sigaction = on_posix;
  sa.sa_flags = SA_SIGINFO;
  sigaction(SIGRTMIN, &sa, NULL);
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGRTMIN;
  event.sigev_value.sival_int = 4711;
  printf("timer_create %d\n", timer_create(CLOCK_MONOTONIC, &event, &timer));
  struct itimerspec its = {{0, 1000000}, {0, 10000000}}, left;
  printf("timer_settime %d\n", timer_settime(timer, 0, &its, NULL));
  timer_gettime(timer, &left);
  check("timer_gettime", left.it_interval.tv_nsec == 1000000 && left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 10000000);
  while (posix < 3) pause();
  printf("code %d value %d\n", posix_code, posix_value);
  sigset_t block;
  sigemptyset(&block);
  sigaddset(&block, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &block, NULL);
  nap.tv_nsec = 30000000;
  nanosleep(&nap, NULL);
  sigprocmask(SIG_UNBLOCK, &block, NULL);
  check("overrun", overrun >= 10 && timer_getoverrun(timer) >= 0);
  memset(&its, 0, sizeof its);
  timer_settime(timer, 0, &its, &left);
  check("old setting", left.it_interval.tv_nsec == 1000000);
  timer_gettime(timer, &left);
  printf("off: %ld %ld\n", (long)left.it_value.tv_sec, left.it_value.tv_nsec);
  printf("timer_delete %d", timer_delete(timer));
  printf(" again %ld\n", syscall(SYS_timer_delete, 12345));
  event.sigev_notify = SIGEV_NONE;
  timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer);
  its.it_value.tv_nsec = 1000000;
  timer_settime(timer, 0, &its, NULL);
  do timer_gettime(timer, &left);
  while (left.it_value.tv_nsec != 0);
  puts("silent timer ran off");
  event.sigev_notify = 77;
  printf("bad event: %d", timer_create(CLOCK_MONOTONIC, &event, &timer));
  printf(" %d\n", errno);

  event.sigev_notify = SIGEV_SIGNAL;
  clock_gettime(CLOCK_REALTIME, &at);
  timer_create(CLOCK_REALTIME, &event, &timer);
  its.it_value = at;
  its.it_value.tv_sec -= 10;
  posix = 0;
  timer_settime(timer, TIMER_ABSTIME, &its, NULL);
  while (posix < 1) pause();
  puts("absolute timer of the past");

  struct timex tx;
  memset(&tx, 0, sizeof tx);
  check("adjtimex", adjtimex(&tx) >= 0 && tx.tick == 10000);
  return 0;
}
