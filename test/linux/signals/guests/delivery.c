/* Sending, masks, queues, flags of actions; prints one line a fact. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int depth, sent;

static void show(int sig, siginfo_t *si, void *uc) {
  (void)uc;
  printf("handler %d code %d pid-ok %d uid-ok %d value %d depth %d\n", sig, si->si_code,
         si->si_pid == getpid(), si->si_uid == getuid(),
         si->si_code == SI_QUEUE ? si->si_value.sival_int : 0, depth);
}

static void nested(int sig) {
  depth++;
  printf("enter %d depth %d\n", sig, depth);
  if (sent++ < 6) raise(sig == SIGUSR1 ? SIGUSR2 : SIGUSR1);
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  printf("leave %d depth %d usr1 %d usr2 %d term %d\n", sig, depth, sigismember(&mask, SIGUSR1),
         sigismember(&mask, SIGUSR2), sigismember(&mask, SIGTERM));
  depth--;
}

static void set(int sig, void (*handler)(int), int flags, int also) {
  struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
  sigemptyset(&sa.sa_mask);
  if (also) sigaddset(&sa.sa_mask, also);
  sigaction(sig, &sa, NULL);
}

static void old_state(int sig) {
  struct sigaction sa;
  sigaction(sig, NULL, &sa);
  printf("action %d %s flags %x term-masked %d\n", sig,
         sa.sa_handler == SIG_DFL ? "default" : sa.sa_handler == SIG_IGN ? "ignored" : "caught",
         (unsigned)sa.sa_flags & ~0x04000000u, sigismember(&sa.sa_mask, SIGTERM));
}

static void once(int sig) { printf("once %d\n", sig); }

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  struct sigaction sa = {.sa_sigaction = show, .sa_flags = SA_SIGINFO};
  sigset_t mask, old;
  sigemptyset(&sa.sa_mask);
  int rt = SIGRTMIN + 3;
  sigaction(SIGUSR1, &sa, NULL);
  sigaction(SIGUSR2, &sa, NULL);
  sigaction(rt, &sa, NULL);
  sigaction(rt + 1, &sa, NULL);

  kill(getpid(), SIGUSR1);
  raise(SIGUSR2);
  union sigval value = {.sival_int = 42};
  sigqueue(getpid(), rt, value);
  printf("kill 0: %d\n", kill(getpid(), 0));
  printf("kill bad: %d %d\n", kill(getpid(), 65), errno);
  printf("kill none: %d %d\n", kill(0x3ffffff, 0), errno);
  printf("tgkill bad: %ld %d\n", syscall(SYS_tgkill, getpid(), -1, SIGUSR1), errno);

  puts("-- blocked: standard ones once, realtime ones in order");
  sigfillset(&mask);
  sigprocmask(SIG_SETMASK, &mask, &old);
  for (int i = 0; i < 3; i++) {
    value.sival_int = i;
    sigqueue(getpid(), rt + 1, value);
    sigqueue(getpid(), rt, value);
    kill(getpid(), SIGUSR1);
  }
  sigpending(&mask);
  printf("pending usr1 %d usr2 %d rt %d rt+1 %d\n", sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2),
         sigismember(&mask, rt), sigismember(&mask, rt + 1));
  sigprocmask(SIG_SETMASK, &old, NULL);

  puts("-- masks in handlers");
  set(SIGUSR1, nested, 0, SIGTERM);
  set(SIGUSR2, nested, SA_NODEFER, 0);
  raise(SIGUSR1);
  raise(SIGUSR2);
  old_state(SIGUSR1);
  old_state(SIGUSR2);

  puts("-- one shot");
  set(SIGUSR1, once, SA_RESETHAND, 0);
  raise(SIGUSR1);
  old_state(SIGUSR1);
  printf("bad signal: %d", sigaction(65, &sa, NULL));
  printf(" %d\n", errno);
  printf("SIGKILL: %d", sigaction(SIGKILL, &sa, NULL));
  printf(" %d\n", errno);

  puts("-- ignored signals vanish");
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  set(SIGUSR1, once, 0, 0);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  raise(SIGUSR1);
  set(SIGUSR1, SIG_IGN, 0, 0);
  sigpending(&mask);
  printf("pending %d\n", sigismember(&mask, SIGUSR1));
  raise(SIGURG);
  raise(SIGCONT);

  puts("-- waiting");
  sigemptyset(&mask);
  sigaddset(&mask, rt);
  sigaddset(&mask, SIGUSR2);
  sigprocmask(SIG_BLOCK, &mask, &old);
  value.sival_int = 7;
  sigqueue(getpid(), rt, value);
  raise(SIGUSR2);
  siginfo_t si;
  memset(&si, 0, sizeof si);
  int got = sigwaitinfo(&mask, &si);
  printf("got %d code %d\n", got, si.si_code);
  got = sigwaitinfo(&mask, &si);
  printf("got %d code %d value %d\n", got, si.si_code, si.si_value.sival_int);
  struct timespec brief = {0, 20000000}, zero = {0, 0};
  got = sigtimedwait(&mask, &si, &brief);
  printf("timed out %d %d\n", got, errno);
  got = sigtimedwait(&mask, &si, &zero);
  printf("timed out %d %d\n", got, errno);
  value.sival_int = 11;
  sigqueue(getpid(), rt, value);
  sa.sa_sigaction = show;
  sigaction(rt, &sa, NULL);
  sigfillset(&mask);
  sigdelset(&mask, rt);
  got = sigsuspend(&mask);
  printf("sigsuspend %d %d\n", got, errno);
  sigprocmask(SIG_SETMASK, NULL, &mask);
  printf("after: rt blocked %d\n", sigismember(&mask, rt));

  puts("-- a siginfo made up");
  sigprocmask(SIG_SETMASK, &old, NULL);
  memset(&si, 0, sizeof si);
  si.si_code = SI_MESGQ;
  si.si_pid = getpid();
  si.si_uid = getuid();
  printf("own: %ld\n", syscall(SYS_rt_tgsigqueueinfo, getpid(), (int)syscall(SYS_gettid), rt, &si));
  si.si_code = SI_TKILL;
  printf("other's: %ld", syscall(SYS_rt_sigqueueinfo, 1, rt, &si));
  printf(" %d\n", errno == EPERM || errno == ESRCH);
  puts("-- several at once");
  sigfillset(&mask);
  sigprocmask(SIG_SETMASK, &mask, &old);
  set(SIGHUP, once, 0, 0);
  set(SIGINT, once, 0, 0);
  set(SIGTERM, once, 0, 0);
  raise(SIGTERM);
  raise(SIGINT);
  kill(getpid(), SIGHUP);
  sigprocmask(SIG_SETMASK, &old, NULL);
  puts("done");
  return 0;
}
