/* Signals: who gets them, when, and what is left afterwards. */
#include "behaviour.h"
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <ucontext.h>

static volatile sig_atomic_t seen[NSIG], order[64], total;
static siginfo_t last;
static void note(int signo) {
  seen[signo]++;
  if (total < 64) order[total++] = signo;
}
static void note_info(int signo, siginfo_t *info, void *context) {
  (void)context;
  last = *info;
  note(signo);
}
static void on(int signo, int flags) {
  struct sigaction action = {.sa_sigaction = note_info, .sa_flags = flags | SA_SIGINFO};
  CHECK(sigaction(signo, &action, NULL) == 0);
}
static sigset_t set_of(int one, int two) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, one);
  if (two) sigaddset(&set, two);
  return set;
}
static void block(int signo) {
  sigset_t set = set_of(signo, 0);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}
static void unblock(int signo) {
  sigset_t set = set_of(signo, 0);
  CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

BEHAVIOUR(a_handler_runs_and_the_program_goes_on) {
  on(SIGUSR1, 0);
  for (int i = 1; i <= 20; i++) {
    double before = i * 1.5;
    CHECK(raise(SIGUSR1) == 0 && seen[SIGUSR1] == i && before == i * 1.5);
  }
  CHECK(last.si_code == SI_TKILL && last.si_pid == getpid());
}

BEHAVIOUR(blocked_signals_wait) {
  on(SIGUSR1, 0);
  on(SIGUSR2, 0);
  block(SIGUSR1);
  for (int i = 0; i < 5; i++) kill(getpid(), SIGUSR1);
  kill(getpid(), SIGUSR2);
  sigset_t pending;
  CHECK(seen[SIGUSR1] == 0 && seen[SIGUSR2] == 1 && sigpending(&pending) == 0);
  CHECK(sigismember(&pending, SIGUSR1) == 1 && sigismember(&pending, SIGUSR2) == 0);
  unblock(SIGUSR1);
  CHECK(seen[SIGUSR1] == 1);
}

BEHAVIOUR(real_time_signals_queue_in_order) {
  on(SIGRTMIN, 0);
  on(SIGRTMIN + 3, 0);
  block(SIGRTMIN);
  block(SIGRTMIN + 3);
  for (int i = 0; i < 3; i++) {
    union sigval value = {.sival_int = i};
    CHECK(sigqueue(getpid(), SIGRTMIN + 3, value) == 0 && sigqueue(getpid(), SIGRTMIN, value) == 0);
  }
  sigset_t both = set_of(SIGRTMIN, SIGRTMIN + 3);
  siginfo_t info;
  for (int i = 0; i < 6; i++) {
    CHECK(sigwaitinfo(&both, &info) == SIGRTMIN + (i < 3 ? 0 : 3));
    CHECK(info.si_code == SI_QUEUE && info.si_value.sival_int == i % 3 && info.si_pid == getpid());
  }
  struct timespec now = {0, 0};
  FAILS(sigtimedwait(&both, &info, &now), EAGAIN);
}

BEHAVIOUR(masks_of_handlers) {
  struct sigaction action = {.sa_handler = note, .sa_mask = set_of(SIGUSR2, 0)};
  sigset_t during;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
  block(SIGUSR1);
  block(SIGUSR2);
  kill(getpid(), SIGUSR2);
  kill(getpid(), SIGUSR1);
  sigset_t none;
  sigemptyset(&none);
  /* The handler's own mask keeps SIGUSR2 away, and the one from before comes back with its end. */
  CHECK(sigsuspend(&none) == -1 && errno == EINTR && total == 1 && order[0] == SIGUSR1);
  CHECK(sigsuspend(&none) == -1 && errno == EINTR && total == 2 && order[1] == SIGUSR2);
  CHECK(sigprocmask(SIG_BLOCK, NULL, &during) == 0 && sigismember(&during, SIGUSR1) == 1);
}

static void nested(int signo) {
  if (seen[signo]++ < 3) raise(signo);
}
BEHAVIOUR(handlers_nest_with_nodefer) {
  struct sigaction action = {.sa_handler = nested, .sa_flags = SA_NODEFER};
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  CHECK(seen[SIGUSR1] == 4);
}

BEHAVIOUR(reset_after_the_first) {
  on(SIGUSR1, SA_RESETHAND);
  raise(SIGUSR1);
  struct sigaction now;
  CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL && seen[SIGUSR1] == 1);
}

static char other_stack[65536];
static volatile int was_inside;
static void look(int signo) {
  char here;
  (void)signo;
  was_inside = &here >= other_stack && &here < other_stack + sizeof other_stack;
}
BEHAVIOUR(another_stack) {
  stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack}, old;
  struct sigaction action = {.sa_handler = look, .sa_flags = SA_ONSTACK};
  CHECK(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
  raise(SIGUSR1);
  CHECK(was_inside && sigaltstack(NULL, &old) == 0 && old.ss_sp == other_stack);
}

static sigjmp_buf back;
static void jump(int signo, siginfo_t *info, void *context) {
  (void)context;
  last = *info;
  siglongjmp(back, signo);
}
BEHAVIOUR(faults_can_be_left_by_a_jump) {
  struct sigaction action = {.sa_sigaction = jump, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  for (volatile int i = 0; i < 10; i++) {
    if (sigsetjmp(back, 1) == 0) {
      *(volatile char *)(16 + (long)i) = 1;
      CHECK(0);
    }
    CHECK(last.si_addr == (void *)(16 + (long)i) && last.si_code == SEGV_MAPERR);
  }
}

BEHAVIOUR(an_interrupted_read) {
  int ends[2];
  char c;
  CHECK(pipe(ends) == 0);
  on(SIGUSR1, 0);
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    /* The parent may not be in its read yet: until it says so, once is not enough. */
    while (waitpid(parent, NULL, WNOHANG), kill(parent, SIGUSR1) == 0) sched_yield();
    _exit(0);
  }
  FAILS(read(ends[0], &c, 1), EINTR);
  CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static int feed[2];
static void feeds(int signo) {
  seen[signo]++;
  write(feed[1], "x", 1);
}
BEHAVIOUR(a_restarted_read) {
  char c;
  CHECK(pipe(feed) == 0);
  struct sigaction action = {.sa_handler = feeds, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  alarm(1);
  CHECK(read(feed[0], &c, 1) == 1 && c == 'x' && seen[SIGALRM] == 1);
}

BEHAVIOUR(ignored_and_default) {
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  pid_t child = fork();
  if (child == 0) {
    signal(SIGUSR1, SIG_DFL);
    raise(SIGUSR1);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
  FAILS(kill(getpid(), 999), EINVAL);
  CHECK(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);
  signal(SIGURG, SIG_DFL);
  raise(SIGURG);
  raise(SIGCHLD);
  raise(SIGCONT);
}

BEHAVIOUR(abort_cannot_be_ignored) {
  pid_t child = fork();
  if (child == 0) {
    signal(SIGABRT, SIG_IGN);
    abort();
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

BEHAVIOUR(children_tell_of_their_end) {
  on(SIGCHLD, 0);
  block(SIGCHLD);
  pid_t child = fork();
  if (child == 0) _exit(7);
  sigset_t set = set_of(SIGCHLD, 0);
  siginfo_t info;
  CHECK(sigwaitinfo(&set, &info) == SIGCHLD && info.si_pid == child);
  CHECK(info.si_code == CLD_EXITED && info.si_status == 7);
  reap(child, 7);
}

BEHAVIOUR(masks_and_handlers_are_inherited_as_told) {
  on(SIGUSR1, 0);
  signal(SIGUSR2, SIG_IGN);
  block(SIGTERM);
  kill(getpid(), SIGTERM);
  pid_t child = fork();
  if (child == 0) {
    sigset_t mask, pending;
    struct sigaction action;
    CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, SIGTERM) == 1);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 0);
    CHECK(sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    raise(SIGUSR1);
    CHECK(seen[SIGUSR1] == 1);
    _exit(0);
  }
  reap(child, 0);
}

static void change(int signo, siginfo_t *info, void *context) {
  (void)signo, (void)info;
  sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}
BEHAVIOUR(the_frame_decides_on_the_mask) {
  struct sigaction action = {.sa_sigaction = change, .sa_flags = SA_SIGINFO};
  sigset_t mask;
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, SIGUSR2) == 1);
}

BEHAVIOUR(to_a_group) {
  on(SIGUSR1, 0);
  int go[2];
  /* The leader of a session has a group already, and may not make one. */
  CHECK(pipe(go) == 0 && (getsid(0) == getpid() || setpgid(0, 0) == 0));
  pid_t children[3];
  for (int i = 0; i < 3; i++)
    if ((children[i] = fork()) == 0) {
      write(go[1], "r", 1);
      while (!seen[SIGUSR1]) pause();
      _exit(3);
    }
  char c;
  for (int i = 0; i < 3; i++) CHECK(read(go[0], &c, 1) == 1);
  /* pause() may come after the signal: more of them until all are gone. */
  for (int left = 3; left > 0;) {
    CHECK(kill(0, SIGUSR1) == 0);
    int status;
    while (waitpid(-1, &status, WNOHANG) > 0) {
      CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
      left--;
    }
    sched_yield();
  }
}

BEHAVIOUR(stop_and_continue) {
  int held[2], status;
  CHECK(pipe(held) == 0);
  pid_t child = fork();
  if (child == 0) {
    char c;
    raise(SIGSTOP);
    _exit(read(held[0], &c, 1) == 1 ? 9 : 1);
  }
  CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  CHECK(waitpid(child, &status, WNOHANG | WUNTRACED) == 0 && kill(child, SIGCONT) == 0);
  CHECK(waitpid(child, &status, WNOHANG | WUNTRACED) == 0);
  CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
  CHECK(write(held[1], "", 1) == 1);
  reap(child, 9);
}

static void *waits(void *argument) {
  (void)argument;
  sigset_t set = set_of(SIGUSR1, 0);
  int got;
  CHECK(sigwait(&set, &got) == 0);
  return (void *)(long)got;
}
BEHAVIOUR(a_thread_waits_for_the_process) {
  block(SIGUSR1);
  pthread_t thread;
  void *result;
  CHECK(pthread_create(&thread, NULL, waits, NULL) == 0 && kill(getpid(), SIGUSR1) == 0);
  CHECK(pthread_join(thread, &result) == 0 && result == (void *)(long)SIGUSR1);
}

/* Calls that end with EINTR where a stop interrupts them, without any handler, and those that go on (signal(7)). */
static long waits_in(int which) {
  struct epoll_event event;
  struct timespec soon = {0, 50000000};
  struct timeval limit = {10, 0};
  struct timespec long_time = {10, 0};
  char byte;
  int ends[2];
  sigset_t set;
  switch (which) {
    case 0: return epoll_wait(epoll_create1(0), &event, 1, 10000);
    case 1:
      sigemptyset(&set);
      sigaddset(&set, SIGUSR1);
      sigprocmask(SIG_BLOCK, &set, NULL);
      return sigtimedwait(&set, NULL, &long_time);
    case 2: {
      int id = semget(IPC_PRIVATE, 1, 0600);
      struct sembuf down = {0, -1, 0};
      long result = semtimedop(id, &down, 1, &long_time);
      int error = errno;
      semctl(id, 0, IPC_RMID);
      errno = error;
      return result;
    }
    case 3:
      socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
      setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      return recv(ends[0], &byte, 1, 0);
    case 4: return poll(NULL, 0, 50);
    case 5: return nanosleep(&soon, NULL);
    case 6: return ppoll(NULL, 0, &soon, NULL);
  }
  return 0;
}
static void *waits_beside(void *which) { return (void *)(waits_in((long)which) == -1 && errno == EINTR); }
BEHAVIOUR(what_a_stop_ends) {
  for (int which = 0; which < 11; which++) {
    pid_t child = fork();
    if (child == 0) {
      /* From 7 on it is a thread beside the first that waits so. */
      pthread_t thread;
      void *result;
      if (which < 7) _exit(waits_in(which) == 0 ? 1 : errno == EINTR ? 2 : 3);
      pthread_create(&thread, NULL, waits_beside, (void *)(long)(which - 7));
      pthread_join(thread, &result);
      _exit(result != NULL ? 2 : 3);
    }
    int status;
    do {
      usleep(10000);
      kill(child, SIGSTOP);
      waitpid(child, &status, WUNTRACED);
      if (WIFSTOPPED(status)) kill(child, SIGCONT);
    } while (WIFSTOPPED(status) && waitpid(child, &status, WNOHANG) == 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == (which < 4 || which > 6 ? 2 : 1));
  }
}
