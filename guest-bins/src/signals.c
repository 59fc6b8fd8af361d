/* Signals a program sends itself: handlers, siginfo, nesting, masks, pending, queued values, altstack, one-shot, waiting. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

static volatile sig_atomic_t depth, order[16], count;
static volatile int on_alternate;
static char alternate[65536];

static void simple(int number) { order[count++ % 16] = number; }

static void detailed(int number, siginfo_t *info, void *context) {
  order[count++ % 16] = number;
  printf("signal %d code %d mine %d value %d context %d\n", info->si_signo, info->si_code, info->si_pid == getpid(),
         info->si_code == SI_QUEUE ? info->si_value.sival_int : 0, context != NULL);
}

static void nesting(int number) {
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  int level = ++depth;
  printf("enter %d level %d: USR1 %d USR2 %d\n", number, level, sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2));
  if (number == SIGUSR1) raise(SIGUSR2);
  printf("leave %d level %d\n", number, level);
}

static void again(int number) {
  if (++depth < 4) raise(number);
}

static void alternative(int number) {
  char here;
  on_alternate = &here >= alternate && &here < alternate + sizeof alternate && number == SIGUSR1;
}

static void install(int number, void *handler, int flags, int blocked) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  if (flags & SA_SIGINFO) action.sa_sigaction = handler;
  else action.sa_handler = handler;
  action.sa_flags = flags;
  if (blocked) sigaddset(&action.sa_mask, blocked);
  CHECK(sigaction(number, &action, NULL) == 0);
}

static void show_order(const char *what) {
  printf("%s:", what);
  for (int i = 0; i < count; i++) printf(" %d", (int)order[i]);
  printf("\n");
  count = 0;
}

int main(void) {
  struct sigaction old;
  sigset_t set, pending, empty;
  siginfo_t info;
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate}, now;
  setvbuf(stdout, NULL, _IONBF, 0);
  sigemptyset(&empty);
  signal(SIGHUP, simple);
  raise(SIGHUP), kill(getpid(), SIGHUP);
  show_order("simple");
  install(SIGUSR1, detailed, SA_SIGINFO, 0);
  install(SIGRTMIN + 1, detailed, SA_SIGINFO, 0);
  kill(getpid(), SIGUSR1);
  sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 77});
  install(SIGUSR1, nesting, 0, 0);
  install(SIGUSR2, nesting, 0, SIGUSR1);
  raise(SIGUSR1);
  depth = 0;
  install(SIGUSR1, nesting, 0, SIGUSR2);
  raise(SIGUSR1);

  sigemptyset(&set);
  sigaddset(&set, SIGHUP), sigaddset(&set, SIGTERM), sigaddset(&set, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGTERM, simple);
  for (int i = 0; i < 3; i++) sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}), raise(SIGHUP);
  raise(SIGTERM);
  sigpending(&pending);
  printf("pending %d %d %d\n", sigismember(&pending, SIGHUP), sigismember(&pending, SIGTERM), sigismember(&pending, SIGINT));
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  show_order("released");

  depth = 0;
  install(SIGUSR1, again, SA_NODEFER, 0);
  raise(SIGUSR1);
  printf("not deferred, depth %d\n", (int)depth);
  install(SIGUSR1, simple, SA_RESETHAND, 0);
  raise(SIGUSR1);
  sigaction(SIGUSR1, NULL, &old);
  printf("one shot, now default %d\n", old.sa_handler == SIG_DFL);
  count = 0;

  CHECK(sigaltstack(&stack, &now) == 0 && now.ss_flags == SS_DISABLE);
  install(SIGUSR1, alternative, SA_ONSTACK, 0);
  raise(SIGUSR1);
  printf("on the alternate stack %d\n", on_alternate);

  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGHUP);
  sigsuspend(&empty);
  show_order("suspended");
  raise(SIGTERM);
  CHECK(sigwaitinfo(&set, &info) == SIGTERM);
  printf("waited for %d, timed %d\n", info.si_signo, sigtimedwait(&set, &info, &(struct timespec){0, 1000}));
  signal(SIGPIPE, SIG_IGN);
  raise(SIGPIPE);
  printf("bad number %d\n", kill(getpid(), 65));
  return count + 40;
}
