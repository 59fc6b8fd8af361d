/* Clocks, sleeps and timers. */
#include "behaviour.h"
#include <pthread.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/resource.h>
#include <sys/times.h>

static volatile sig_atomic_t ticks;
static void tick(int signo) {
  (void)signo;
  ticks++;
}
static long long now(clockid_t clock) {
  struct timespec at;
  CHECK(clock_gettime(clock, &at) == 0);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}
static void on_alarm(void) {
  struct sigaction action = {.sa_handler = tick};
  sigaction(SIGALRM, &action, NULL);
}

BEHAVIOUR(clocks_go_forward) {
  clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME,
                        CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_COARSE};
  for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
    struct timespec resolution;
    long long before = now(clocks[i]);
    for (volatile int n = 0; n < 1000; n++) {}
    CHECK(now(clocks[i]) >= before && clock_getres(clocks[i], &resolution) == 0);
  }
  struct timespec at;
  FAILS(clock_gettime(9999, &at), EINVAL);
}

BEHAVIOUR(sleeping_takes_its_time) {
  struct timespec length = {0, 30000000}, bad = {0, 1000000000};
  long long before = now(CLOCK_MONOTONIC);
  CHECK(nanosleep(&length, NULL) == 0 && now(CLOCK_MONOTONIC) - before >= 30000000);
  FAILS(nanosleep(&bad, NULL), EINVAL);
}

BEHAVIOUR(sleeping_until) {
  long long until = now(CLOCK_MONOTONIC) + 20000000;
  struct timespec at = {until / 1000000000, until % 1000000000};
  CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0 && now(CLOCK_MONOTONIC) >= until);
  CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0);
}

BEHAVIOUR(an_interrupted_sleep_says_what_is_left) {
  on_alarm();
  struct itimerval soon = {.it_value = {0, 20000}};
  struct timespec length = {3600, 0}, left;
  CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
  FAILS(nanosleep(&length, &left), EINTR);
  CHECK(ticks == 1 && left.tv_sec >= 3000 && left.tv_sec < 3600);
}

BEHAVIOUR(interval_timer_repeats) {
  on_alarm();
  struct itimerval every = {{0, 5000}, {0, 5000}}, off = {{0, 0}, {0, 0}}, was;
  CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
  sigset_t blocked, none;
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGALRM);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  while (ticks < 5) sigsuspend(&none);
  CHECK(getitimer(ITIMER_REAL, &was) == 0 && was.it_interval.tv_usec == 5000);
  CHECK(setitimer(ITIMER_REAL, &off, &was) == 0 && was.it_interval.tv_usec == 5000);
}

BEHAVIOUR(interval_of_a_timer_that_is_off) {
  struct itimerval off = {.it_interval.tv_sec = 5}, was;
  for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
    CHECK(setitimer(which, &off, NULL) == 0 && getitimer(which, &was) == 0);
    CHECK(was.it_value.tv_sec == 0 && was.it_value.tv_usec == 0);
    CHECK(was.it_interval.tv_sec == (which == ITIMER_REAL ? 0 : 5) && was.it_interval.tv_usec == 0);
  }
}

BEHAVIOUR(alarm_says_what_was_left) {
  CHECK(alarm(100) == 0);
  unsigned left = alarm(0);
  CHECK(left >= 1 && left <= 100 && alarm(0) == 0);
}

BEHAVIOUR(posix_timer_with_a_value) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &set, NULL);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 42};
  timer_t timer;
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  struct itimerspec soon = {{0, 0}, {0, 3000000}}, left;
  CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
  siginfo_t info;
  CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_code == SI_TIMER && info.si_value.sival_int == 42);
  CHECK(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
  CHECK(timer_getoverrun(timer) == 0 && timer_delete(timer) == 0);
  FAILS(timer_delete(timer), EINVAL);
}

BEHAVIOUR(cpu_time_timer) {
  struct sigaction action = {.sa_handler = tick};
  sigaction(SIGVTALRM, &action, NULL);
  struct itimerval soon = {.it_value = {0, 3000}};
  CHECK(setitimer(ITIMER_VIRTUAL, &soon, NULL) == 0);
  while (!ticks) {}
  CHECK(ticks == 1);
}

BEHAVIOUR(use_of_the_processor_is_told) {
  struct rusage before, after;
  struct tms t;
  CHECK(getrusage(RUSAGE_SELF, &before) == 0);
  while (now(CLOCK_PROCESS_CPUTIME_ID) < 4000000) {}
  CHECK(getrusage(RUSAGE_SELF, &after) == 0 && times(&t) != (clock_t)-1);
  long long used = after.ru_utime.tv_sec * 1000000LL + after.ru_utime.tv_usec + after.ru_stime.tv_usec;
  CHECK(used >= 3000 && used >= before.ru_utime.tv_usec);
}

BEHAVIOUR(time_of_day) {
  struct timeval at;
  time_t seconds = time(NULL);
  CHECK(gettimeofday(&at, NULL) == 0 && at.tv_sec >= seconds && at.tv_usec < 1000000);
  CHECK(at.tv_sec - now(CLOCK_REALTIME) / 1000000000 <= 1);
}

BEHAVIOUR(timer_descriptors) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  struct itimerspec every = {{0, 4000000}, {0, 4000000}}, left;
  uint64_t count = 0, sum = 0;
  CHECK(fd >= 0 && timerfd_settime(fd, 0, &every, NULL) == 0);
  while (sum < 3) {
    CHECK(read(fd, &count, 8) == 8 && count >= 1);
    sum += count;
  }
  CHECK(timerfd_gettime(fd, &left) == 0 && left.it_interval.tv_nsec == 4000000);
}

static volatile int enough;
static void *burn(void *unused) {
  while (!enough) {}
  return unused;
}

/* They end when others have used as much of it; the sleeper itself uses none. */
BEHAVIOUR(sleeps_by_the_time_of_a_processor) {
  struct timespec length = {0, 20000000}, left = {0, 0}, far = {1000, 0}, at;
  struct itimerval soon = {{0, 0}, {0, 20000}};
  clockid_t clock;
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, burn, NULL) == 0);
  long long before = now(CLOCK_PROCESS_CPUTIME_ID);
  CHECK(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &length, NULL) == 0);
  CHECK(now(CLOCK_PROCESS_CPUTIME_ID) - before >= 20000000);
  CHECK(pthread_getcpuclockid(thread, &clock) == 0);
  long long until = now(clock) + 10000000;
  at.tv_sec = until / 1000000000, at.tv_nsec = until % 1000000000;
  CHECK(clock_nanosleep(clock, TIMER_ABSTIME, &at, NULL) == 0 && now(clock) >= until);
  CHECK(clock_nanosleep(clock, TIMER_ABSTIME, &at, NULL) == 0);
  /* A signal ends it, and what is left is told. */
  on_alarm();
  CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
  CHECK(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &far, &left) == EINTR);
  CHECK(left.tv_sec > 900 && left.tv_sec < 1000);
  enough = 1;
  CHECK(pthread_join(thread, NULL) == 0);
  /* By that of another process. */
  enough = 0;
  pid_t child = fork();
  if (child == 0) burn(NULL);
  CHECK(clock_getcpuclockid(child, &clock) == 0);
  before = now(clock);
  CHECK(clock_nanosleep(clock, 0, &length, NULL) == 0 && now(clock) - before >= 20000000);
  CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}
