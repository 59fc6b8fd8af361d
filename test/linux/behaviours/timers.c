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

/* C libraries ask the vdso. */
BEHAVIOUR(the_vdso_tells_what_the_kernel_does) {
  clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME, CLOCK_TAI};
  long long seen[4] = {0}, until = now(CLOCK_MONOTONIC) + 160000000;
  while (now(CLOCK_MONOTONIC) < until)
    for (int i = 0; i < 4; i++) {
      struct timespec asked;
      long long before = now(clocks[i]);
      CHECK(before >= seen[i] && syscall(SYS_clock_gettime, clocks[i], &asked) == 0);
      seen[i] = asked.tv_sec * 1000000000LL + asked.tv_nsec;
      CHECK(seen[i] >= before && asked.tv_nsec < 1000000000);
      struct timeval day;
      struct timezone zone = {1, 1};
      CHECK(gettimeofday(&day, &zone) == 0 && day.tv_usec < 1000000);
      if (clocks[i] == CLOCK_REALTIME) CHECK(day.tv_sec * 1000000LL + day.tv_usec >= seen[i] / 1000);
      time_t second;
      CHECK(time(&second) == second && second >= day.tv_sec - 1 && second <= day.tv_sec + 60);
    }
}

#ifdef __powerpc__
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

/* The address of what the vdso has by that name. */
static char *in_vdso(const char *name) {
  char *base = (char *)getauxval(AT_SYSINFO_EHDR);
  ElfW(Ehdr) *header = (void *)base;
  ElfW(Phdr) *segments = (void *)(base + header->e_phoff);
  ElfW(Sym) *symbols = NULL;
  unsigned *hash = NULL;
  char *names = NULL;
  for (int i = 0; i < header->e_phnum; i++) {
    if (segments[i].p_type != PT_DYNAMIC) continue;
    for (ElfW(Dyn) *entry = (void *)(base + segments[i].p_vaddr); entry->d_tag != DT_NULL; entry++) {
      if (entry->d_tag == DT_SYMTAB) symbols = (void *)(base + entry->d_un.d_ptr);
      if (entry->d_tag == DT_STRTAB) names = base + entry->d_un.d_ptr;
      if (entry->d_tag == DT_HASH) hash = (void *)(base + entry->d_un.d_ptr);
    }
  }
  for (unsigned i = 1; i < hash[1]; i++)
    if (strcmp(names + symbols[i].st_name, name) == 0) return base + symbols[i].st_value;
  CHECK(!name);
  return NULL;
}
static int failed;
static long long ask(const char *name, void *first, void *second) {
  register unsigned long r0 __asm__("r0") = (unsigned long)in_vdso(name);
  register unsigned long r3 __asm__("r3") = (unsigned long)first;
  register unsigned long r4 __asm__("r4") = (unsigned long)second;
  register unsigned long r5 __asm__("r5") = 0;
  __asm__ volatile("mtctr 0; bctrl; mfcr 0"
                   : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5)
                   :
                   : "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "xer", "ctr", "lr", "memory");
  failed = (r0 >> 28) & 1;
  return sizeof(long) == 8 ? (long long)r3 : (long long)r3 << 32 | r4;
}
#define RESULT(value) (sizeof(long) == 8 ? (value) : (value) >> 32)

BEHAVIOUR(functions_of_the_vdso) {
  struct timespec at = {-1, -1};
  CHECK(RESULT(ask("__kernel_clock_gettime", (void *)CLOCK_MONOTONIC, &at)) == 0 && !failed);
  CHECK(RESULT(ask("__kernel_clock_gettime", (void *)CLOCK_MONOTONIC, &at)) == 0 && !failed);
  long long before = at.tv_sec * 1000000000LL + at.tv_nsec;
  CHECK(now(CLOCK_MONOTONIC) >= before && now(CLOCK_MONOTONIC) - before < 60000000000LL);
  CHECK(RESULT(ask("__kernel_clock_gettime", (void *)9999, &at)) == EINVAL && failed);
  CHECK(RESULT(ask("__kernel_clock_gettime", (void *)-9999L, &at)) == EINVAL && failed);
  CHECK(RESULT(ask("__kernel_clock_gettime", (void *)CLOCK_PROCESS_CPUTIME_ID, &at)) == 0 && !failed);
  CHECK(RESULT(ask("__kernel_clock_getres", (void *)CLOCK_REALTIME, &at)) == 0 && !failed);
  CHECK(at.tv_sec == 0 && at.tv_nsec == 1);
#ifndef __powerpc64__
  struct { long long sec, nsec; } wide = {-1, -1};
  CHECK(RESULT(ask("__kernel_clock_gettime64", (void *)CLOCK_REALTIME, &wide)) == 0 && !failed);
  CHECK(RESULT(ask("__kernel_clock_gettime64", (void *)CLOCK_REALTIME, &wide)) == 0 && !failed);
  CHECK(now(CLOCK_REALTIME) >= wide.sec * 1000000000 + wide.nsec && wide.sec > 1500000000);
#endif
  struct timeval day = {-1, -1};
  struct timezone zone = {5, 6};
  time_t second = -1;
  CHECK(RESULT(ask("__kernel_gettimeofday", &day, &zone)) == 0 && !failed);
  CHECK(zone.tz_minuteswest == 0 && zone.tz_dsttime == 0 && day.tv_usec < 1000000);
  CHECK(RESULT(ask("__kernel_gettimeofday", NULL, NULL)) == 0 && !failed);
  CHECK(RESULT(ask("__kernel_time", &second, NULL)) == second && !failed && second >= day.tv_sec);
  CHECK(RESULT(ask("__kernel_time", NULL, NULL)) >= second && !failed);
  unsigned cpu = -1, node = -1;
  CHECK(RESULT(ask("__kernel_getcpu", &cpu, &node)) == 0 && !failed && cpu < 4096 && node == 0);
  CHECK(RESULT(ask("__kernel_sync_dicache", &cpu, &node)) == 0 && !failed);
  /* As many ticks as it says go by in its time. */
  long long frequency = ask("__kernel_get_tbfreq", NULL, NULL);
  struct timespec length = {0, 20000000};
  long long start = now(CLOCK_MONOTONIC);
  unsigned first = __builtin_ppc_get_timebase();
  CHECK(!failed && nanosleep(&length, NULL) == 0);
  unsigned last = __builtin_ppc_get_timebase();
  CHECK((unsigned)(last - first) / (double)frequency * 1e9 <= now(CLOCK_MONOTONIC) - start);
  CHECK((unsigned)(last - first) / (double)frequency >= .0199);
}
#endif

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
