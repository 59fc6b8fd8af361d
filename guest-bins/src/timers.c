/* Timers: alarm, the interval timers, POSIX timers, nanosleep, clock_nanosleep; counts and order only, no times. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static volatile sig_atomic_t ticks, value;

static void on_tick(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  ticks++;
  if (info->si_code == SI_TIMER) value = info->si_value.sival_int;
}

static int64_t nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void busy_until(int wanted) {
  volatile unsigned work = 0;
  while (ticks < wanted) work++;
}

/* Waits for the wanted tick; the signals are blocked but inside sigsuspend, so that none slips in between the look and the wait. */
static void sleep_until(int wanted) {
  sigset_t block, before;
  sigemptyset(&block);
  sigaddset(&block, SIGALRM);
  sigaddset(&block, SIGUSR1);
  sigprocmask(SIG_BLOCK, &block, &before);
  while (ticks < wanted) sigsuspend(&before);
  sigprocmask(SIG_SETMASK, &before, NULL);
}

int main(void) {
  struct sigaction action;
  struct itimerval interval = {{0, 5000}, {0, 5000}}, off = {{0, 0}, {0, 0}}, left;
  struct timespec wait = {0, 20000000}, rest = {0, 0}, until;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_tick;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGVTALRM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);

  unsigned before = alarm(100000), remaining = alarm(0);
  printf("alarm before %u, left %d\n", before, remaining > 90000 && remaining <= 100000);

  setitimer(ITIMER_REAL, &interval, NULL);
  sleep_until(3);
  setitimer(ITIMER_REAL, &off, &left);
  printf("interval timer: at least 3 ticks %d, interval %ld\n", ticks >= 3, (long)left.it_interval.tv_usec);

  ticks = 0;
  setitimer(ITIMER_REAL, &interval, NULL);
  busy_until(2);
  setitimer(ITIMER_REAL, &off, NULL);
  printf("busy loop interrupted %d\n", ticks >= 2);

  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 4242};
  struct itimerspec once = {{0, 0}, {0, 3000000}};
  ticks = 0;
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  CHECK(timer_settime(timer, 0, &once, NULL) == 0);
  sleep_until(1);
  CHECK(timer_gettime(timer, &once) == 0);
  printf("POSIX timer: %d tick, value %d, off %d\n", (int)ticks, (int)value, once.it_value.tv_nsec == 0);
  CHECK(timer_delete(timer) == 0);
  printf("deleted twice %d\n", timer_delete(timer) != 0);

  int64_t start = nanoseconds(CLOCK_MONOTONIC);
  CHECK(nanosleep(&wait, NULL) == 0);
  printf("slept at least 20 ms %d\n", nanoseconds(CLOCK_MONOTONIC) - start >= 20000000);

  setitimer(ITIMER_REAL, &interval, NULL); /* repeating: a first tick before the sleep has begun is not the last */
  wait.tv_sec = 5000;
  int result = nanosleep(&wait, &rest), interrupted = errno == EINTR;
  setitimer(ITIMER_REAL, &off, NULL);
  printf("interrupted sleep %d EINTR %d, some rest %d\n", result, interrupted, rest.tv_sec > 0 && rest.tv_sec <= 5000);

  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += 10000000;
  if (until.tv_nsec >= 1000000000) until.tv_nsec -= 1000000000, until.tv_sec++;
  printf("absolute sleep %d\n", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
  wait.tv_nsec = 1000000000;
  printf("bad time %d\n", nanosleep(&wait, NULL) == -1 && errno == EINVAL);
  return 0;
}
