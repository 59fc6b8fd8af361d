/*
 * Holds back signals, sleeps in a handler on the alternate stack while timers whose signals are held back fall due again and
 * again, and then shows what has waited: queued values in order, one signal a timer, its overruns, and the stack.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

enum { QUEUED = 40, TIMED = 41 };

static char stack[32768];
static volatile int order[16], count, on_stack;
static sigset_t held;

static void note(int number, siginfo_t *info, void *context) {
  (void)context;
  if (count < 16) order[count++] = number * 10 + (info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
}

static void rest(long milliseconds) {
  struct timespec left = {0, milliseconds * 1000000};
  while (nanosleep(&left, &left) != 0) CHECK(errno == EINTR);
}

static void sleeper(int number) {
  char here;
  (void)number;
  on_stack = &here >= stack && &here < stack + sizeof stack;
  rest(8);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
  int numbers[] = {SIGUSR1, SIGALRM, SIGVTALRM, QUEUED, TIMED};
  sigemptyset(&held);
  for (int i = 0; i < 5; i++) sigaction(numbers[i], &action, NULL), sigaddset(&held, numbers[i]);
  sigprocmask(SIG_BLOCK, &held, NULL);
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  CHECK(sigaltstack(&other, NULL) == 0);
  struct sigaction sleeping = {.sa_handler = sleeper, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR2, &sleeping, NULL);

  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = TIMED, .sigev_value.sival_int = 5};
  struct itimerspec often = {{0, 1500000}, {0, 1000000}};
  struct itimerval again = {{0, 2000}, {0, 1000}};
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  CHECK(timer_settime(timer, 0, &often, NULL) == 0);
  CHECK(setitimer(ITIMER_REAL, &again, NULL) == 0);
  for (int i = 1; i <= 3; i++) {
    union sigval value = {.sival_int = i};
    CHECK(sigqueue(getpid(), QUEUED, value) == 0);
  }
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
  raise(SIGUSR2);
  printf("handler on the alternate stack %d\n", on_stack);
  volatile uint32_t work = FNV_START;
  for (int i = 0; i < 20000; i++) work = fnv1a_u64(work, i);
  rest(8);

  sigset_t waiting;
  sigpending(&waiting);
  for (int i = 0; i < 5; i++) printf("%d waits: %d\n", numbers[i], sigismember(&waiting, numbers[i]));
  struct itimerspec left;
  CHECK(timer_gettime(timer, &left) == 0);
  printf("runs on: %d\n", left.it_value.tv_nsec > 0 && left.it_interval.tv_nsec == 1500000);
  CHECK(count == 0);
  again = (struct itimerval){{0, 0}, {0, 0}};
  CHECK(setitimer(ITIMER_REAL, &again, NULL) == 0);
  sigdelset(&held, TIMED);
  sigprocmask(SIG_UNBLOCK, &held, NULL);
  for (int i = 0; i < count; i++) printf("taken: %d\n", order[i]);
  sigset_t timed;
  siginfo_t info;
  sigemptyset(&timed);
  sigaddset(&timed, TIMED);
  CHECK(sigwaitinfo(&timed, &info) == TIMED);
  printf("timer's value %d, overruns %d\n", info.si_value.sival_int, info.si_overrun >= 8);
  CHECK(timer_delete(timer) == 0);
  return 0;
}
