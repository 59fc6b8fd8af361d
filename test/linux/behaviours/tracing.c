/* ptrace(2), as debuggers and tracers of system calls use it. What is only powerpc's is looked at there alone. */
#include "behaviour.h"
#include <elf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define STATUS(signo, event) (0x7f | (signo) << 8 | (event) << 16)

static volatile long shared[4];
static volatile int heard;
static long ptrace_data(int request, pid_t pid, void *at) {
  long word;
  CHECK(syscall(SYS_ptrace, request, pid, at, &word) == 0);
  return word;
}
static void ask(int request, pid_t pid, long at, long data) { CHECK(syscall(SYS_ptrace, request, pid, at, data) == 0); }
static int next(pid_t pid) {
  int status;
  CHECK(waitpid(pid, &status, __WALL) == pid);
  return status;
}
/* A child that is traced from its beginning, stopped by SIGSTOP. */
static pid_t traced(void (*run)(void)) {
  pid_t child = fork();
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(99);
    raise(SIGSTOP);
    run();
    _exit(7);
  }
  CHECK(next(child) == STATUS(SIGSTOP, 0));
  return child;
}
static void ends(pid_t child, int status) {
  ask(PTRACE_CONT, child, 0, 0);
  int got = next(child);
  CHECK(WIFEXITED(got) && WEXITSTATUS(got) == status);
}

static void uses_memory(void) { _exit(shared[1]); }
BEHAVIOUR(memory_of_a_tracee) {
  shared[0] = 0x12345678;
  pid_t child = traced(uses_memory);
  shared[0] = 0;
  CHECK(ptrace_data(PTRACE_PEEKDATA, child, (void *)&shared[0]) == 0x12345678);
  ask(PTRACE_POKEDATA, child, (long)&shared[1], 21);
  CHECK(shared[1] == 0 && ptrace_data(PTRACE_PEEKTEXT, child, (void *)&shared[1]) == 21);
  FAILS(ptrace(PTRACE_PEEKDATA, child, (void *)16, 0), EIO);
  FAILS(ptrace(PTRACE_POKEDATA, child, (void *)16, 1), EIO);
  CHECK(field("/proc/self/status", "TracerPid") == 0);
  char path[64];
  sprintf(path, "/proc/%d/status", child);
  CHECK(field(path, "TracerPid") == getpid() && strstr(contents(path), "t (tracing stop)"));
  ends(child, 21);
}

static void handler(int signo) { heard += signo == SIGUSR1 ? 1 : 16; }
static void raises(void) {
  signal(SIGUSR1, handler);
  signal(SIGUSR2, handler);
  raise(SIGUSR1);
  raise(SIGUSR1);
  raise(SIGUSR1);
  raise(SIGCHLD);
  _exit(heard);
}
BEHAVIOUR(signals_are_the_tracers_first) {
  pid_t child = traced(raises);
  siginfo_t info;
  for (int i = 0; i < 3; i++) {
    static const int instead[] = {SIGUSR1, 0, SIGUSR2};
    ask(PTRACE_CONT, child, 0, i == 0 ? 0 : instead[i - 1]);
    CHECK(next(child) == STATUS(SIGUSR1, 0));
    memset(&info, 0, sizeof info);
    ask(PTRACE_GETSIGINFO, child, 0, (long)&info);
    CHECK(info.si_signo == SIGUSR1 && info.si_code == SI_TKILL && info.si_pid == child);
  }
  ask(PTRACE_CONT, child, 0, SIGUSR2);
  CHECK(next(child) == STATUS(SIGCHLD, 0));
  ends(child, 17);
}

BEHAVIOUR(a_tracer_is_told_by_sigchld) {
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  pid_t child = traced(raises);
  CHECK(sigwaitinfo(&set, &info) == SIGCHLD);
  CHECK(info.si_code == CLD_TRAPPED && info.si_pid == child && info.si_status == SIGSTOP);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
  CHECK(info.si_code == CLD_TRAPPED && info.si_status == SIGUSR1);
  CHECK(waitpid(child, NULL, 0) == child && waitpid(child, NULL, WNOHANG) == 0);
  ask(PTRACE_KILL, child, 0, 0);
  CHECK(next(child) == SIGKILL);
}

struct call_info {
  uint8_t op, pad[3];
  uint32_t arch;
  uint64_t ip, sp;
  union {
    struct {
      uint64_t number, arguments[6];
      uint32_t data;
    } entry;
    struct {
      int64_t value;
      uint8_t failed;
    } exit;
  };
};
static void calls(void) {
  syscall(SYS_close, 1000);
  _exit(syscall(SYS_getpgid, 0, 11, 12, 13, 14, 15) == getpgid(0) ? 3 : 4);
}
BEHAVIOUR(system_calls_of_a_tracee) {
  struct call_info info;
  pid_t child = traced(calls);
  ask(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
  int seen = 0;
  long trap = 0;
  for (int op = 1; seen < 2; op ^= 3) {
    ask(PTRACE_SYSCALL, child, 0, 0);
    CHECK(next(child) == STATUS(SIGTRAP | 0x80, 0));
    memset(&info, 0, sizeof info);
    long size = syscall(SYS_ptrace, 0x420e, child, sizeof info, &info);
    CHECK(size == (op == 1 ? 80 : 33) && info.op == op);
#ifdef __powerpc__
    /* sc and scv are told apart in both stops. */
    long at = ptrace_data(PTRACE_PEEKUSER, child, (void *)(PT_TRAP * sizeof(long))) & ~15L;
    CHECK(op == 1 ? at == 0xc00 || at == 0x3000 : at == trap);
    trap = at;
#endif
    if (op == 1 && info.entry.number == SYS_close && info.entry.arguments[0] == 1000) seen = -1;
    else if (op == 1 && info.entry.number == SYS_getpgid && info.entry.arguments[5] == 15) seen = 1;
    else if (op == 2 && seen == -1) {
      seen = 0;
      CHECK(info.exit.failed && info.exit.value == -EBADF);
    } else if (op == 2 && seen == 1) {
      seen = 2;
      CHECK(!info.exit.failed && info.exit.value == getpgid(0));
    }
  }
#ifdef __powerpc__
  /* Also where there is no call. */
  long nip = ptrace_data(PTRACE_PEEKUSER, child, (void *)(PT_NIP * sizeof(long)));
  ask(PTRACE_POKEUSER, child, PT_NIP * sizeof(long), 0);
  CHECK(ptrace_data(PTRACE_PEEKUSER, child, (void *)(PT_NIP * sizeof(long))) == 0);
  ask(PTRACE_POKEUSER, child, PT_NIP * sizeof(long), nip);
#endif
  siginfo_t got;
  ask(PTRACE_GETSIGINFO, child, 0, (long)&got);
  CHECK(got.si_signo == SIGTRAP && got.si_code == (SIGTRAP | 0x80));
  ends(child, 3);
}

/* Leaves getpgid and getsid to its tracer. */
static void leaves_calls(void) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 21),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 22),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog given = {6, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, 2, &given) != 0) _exit(98);
  if (syscall(SYS_getpgid, 0, 11, 12) != getpgrp()) _exit(97);
  if (syscall(SYS_getsid, 0, 13) != 4711) _exit(96);
  errno = 0;
  if (syscall(SYS_getsid, 0, 14) != -1 || errno != ENOSYS) _exit(95);
  errno = 0;
  if (syscall(SYS_getsid, 0, 15) != -1 || errno != EXDEV) _exit(94);
  if (syscall(SYS_getpgid, 0, 16) != getpgrp()) _exit(93);
  _exit(6);
}
/* Has the call of a stop left out, which then returns `result`; or leaves it as it is. */
static void leave_out(pid_t child, int sets, long result) {
#ifdef __powerpc__
  ask(PTRACE_POKEUSER, child, 0, -1);
  if (sets) ask(PTRACE_POKEUSER, child, 3 * sizeof(long), result);
#else
  ask(PTRACE_POKEUSER, child, offsetof(struct user_regs_struct, orig_rax), -1);
  if (sets) ask(PTRACE_POKEUSER, child, offsetof(struct user_regs_struct, rax), result);
#endif
}
static struct call_info left_to_tracer(pid_t child, int request, int data) {
  struct call_info info;
  unsigned long message;
  ask(request, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, 7));
  CHECK(syscall(SYS_ptrace, PTRACE_GETEVENTMSG, child, 0, &message) == 0 && message == data);
  CHECK(syscall(SYS_ptrace, 0x420e, child, sizeof info, &info) >= 84 && info.op == 3 && info.entry.data == data);
  return info;
}
BEHAVIOUR(calls_that_a_filter_leaves_to_the_tracer) {
  struct call_info info;
  pid_t child = traced(leaves_calls);
  ask(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP);
  info = left_to_tracer(child, PTRACE_CONT, 21);
  CHECK(info.entry.number == SYS_getpgid && info.entry.arguments[0] == 0 && info.entry.arguments[2] == 12);
  /* The next stop of a call is behind it. */
  ask(PTRACE_SYSCALL, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP | 0x80, 0));
  CHECK(syscall(SYS_ptrace, 0x420e, child, sizeof info, &info) == 33 && info.op == 2);
  CHECK(!info.exit.failed && info.exit.value == getpgrp());
  info = left_to_tracer(child, PTRACE_CONT, 22);
  CHECK(info.entry.number == SYS_getsid && info.entry.arguments[1] == 13);
  leave_out(child, 1, 4711);
  left_to_tracer(child, PTRACE_CONT, 22);
  leave_out(child, 0, 0);
  ask(PTRACE_SYSCALL, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP | 0x80, 0));
  CHECK(syscall(SYS_ptrace, 0x420e, child, sizeof info, &info) == 33 && info.exit.failed && info.exit.value == -ENOSYS);
  left_to_tracer(child, PTRACE_CONT, 22);
  leave_out(child, 1, -EXDEV);
  /* A stop in front of the call comes before that for the filter. */
  do {
    ask(PTRACE_SYSCALL, child, 0, 0);
    CHECK(next(child) == STATUS(SIGTRAP | 0x80, 0));
    CHECK(syscall(SYS_ptrace, 0x420e, child, sizeof info, &info) >= 33);
  } while (info.op != 1 || info.entry.number != SYS_getpgid);
  info = left_to_tracer(child, PTRACE_SYSCALL, 21);
  CHECK(info.entry.arguments[1] == 16);
  ends(child, 6);
}

static void has_no_tracer_for_it(void) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog given = {4, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, 2, &given) != 0) _exit(98);
  _exit(syscall(SYS_getpgid, 0) == -1 && errno == ENOSYS ? 8 : 9);
}
BEHAVIOUR(calls_that_no_tracer_is_asked_of) { ends(traced(has_no_tracer_for_it), 8); }

#ifdef __powerpc__
/* exit_group(5), without a stack or TOC. */
__asm__(".pushsection .text\nlanding: li 0,234\nli 3,5\nsc\n.popsection");
extern const char landing[];
static void calls_on(void) {
  for (;;) getppid();
}
/* NIP is moved in a stop in front of a call: moved back the call is made, else the tracee goes on there, wherever that is. */
BEHAVIOUR(a_call_that_is_jumped_away_from) {
  for (int n = 0; n < 2; n++) {
    pid_t child = traced(calls_on);
    void *const nip = (void *)(PT_NIP * sizeof(long));
    ask(PTRACE_SYSCALL, child, 0, 0);
    CHECK(next(child) == STATUS(SIGTRAP, 0));
    long at = ptrace_data(PTRACE_PEEKUSER, child, nip);
    ask(PTRACE_POKEUSER, child, (long)nip, 64);
    CHECK(ptrace_data(PTRACE_PEEKUSER, child, nip) == 64);
    ask(PTRACE_POKEUSER, child, (long)nip, at);
    ask(PTRACE_SYSCALL, child, 0, 0);
    CHECK(next(child) == STATUS(SIGTRAP, 0));
    CHECK(ptrace_data(PTRACE_PEEKUSER, child, nip) == at);
    CHECK(ptrace_data(PTRACE_PEEKUSER, child, (void *)(3 * sizeof(long))) == getpid());
    ask(PTRACE_SYSCALL, child, 0, 0);
    CHECK(next(child) == STATUS(SIGTRAP, 0));
    ask(PTRACE_POKEUSER, child, (long)nip, n == 0 ? (long)landing : 64);
    int status;
    do {
      ask(PTRACE_SYSCALL, child, 0, 0);
      status = next(child);
    } while (status == STATUS(SIGTRAP, 0));
    if (n == 0) CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    else {
      CHECK(status == STATUS(SIGSEGV, 0));
      ask(PTRACE_KILL, child, 0, 0);
      CHECK(WTERMSIG(next(child)) == SIGKILL);
    }
  }
}
#endif
static void calls_twice(void) {
  long first = syscall(SYS_getppid), second = syscall(SYS_getpgid, 0);
  _exit(first == 1234 && second == -1 && errno == EDOM ? 3 : 4);
}
/* PTRACE_SYSEMU: calls are the tracer's to make, and what it puts into the register of results they give. */
BEHAVIOUR(calls_that_the_tracer_makes) {
#ifdef __powerpc__
  enum { SYSEMU = 0x1d, SYSEMU_SINGLESTEP, NUMBER = PT_R0, RESULT = PT_R3 };
#else
  enum { SYSEMU = 31, SYSEMU_SINGLESTEP, NUMBER = 15, RESULT = 10 };
#endif
  struct call_info info;
  void *const at = (void *)(NUMBER * sizeof(long));
  pid_t child = traced(calls_twice);
  ask(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
  do { /* raise may have made a call behind its own. */
    ask(SYSEMU, child, 0, 0);
    CHECK(next(child) == STATUS(SIGTRAP | 0x80, 0));
  } while (ptrace_data(PTRACE_PEEKUSER, child, at) == SYS_rt_sigprocmask);
  CHECK(ptrace_data(PTRACE_PEEKUSER, child, at) == SYS_getppid);
  CHECK(syscall(SYS_ptrace, 0x420e, child, sizeof info, &info) == 80 && info.op == 1);
  ask(PTRACE_POKEUSER, child, RESULT * sizeof(long), 1234);
  /* With the end of a call that began so a tracer hears of ends again. */
  ask(PTRACE_SYSCALL, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP | 0x80, 0));
  CHECK(syscall(SYS_ptrace, 0x420e, child, sizeof info, &info) == 33 && info.op == 2);
  CHECK(!info.exit.failed && info.exit.value == 1234);
  ask(SYSEMU, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP | 0x80, 0));
  CHECK(ptrace_data(PTRACE_PEEKUSER, child, at) == SYS_getpgid);
  ask(PTRACE_POKEUSER, child, RESULT * sizeof(long), -EDOM);
  ask(PTRACE_SINGLESTEP, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, 0));
  ask(SYSEMU_SINGLESTEP, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, 0));
  ends(child, 3);
}
static void sleeps(void) {
  signal(SIGUSR1, handler);
  long time[] = {1000, 0};
  syscall(SYS_nanosleep, time, shared);
  _exit(shared[0] == 999 && shared[1] == shared[3] ? heard : 9);
}
/* Lets a child go on until it enters a call. */
static void enters(pid_t child, long number) {
  struct call_info info;
  ask(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
  do {
    ask(PTRACE_SYSCALL, child, 0, 0);
    CHECK(next(child) == STATUS(SIGTRAP | 0x80, 0));
    syscall(SYS_ptrace, 0x420e, child, sizeof info, &info);
  } while (info.op != 1 || info.entry.number != number);
}
BEHAVIOUR(a_signal_in_a_traced_call) {
  struct call_info info;
  pid_t child = traced(sleeps);
  enters(child, SYS_nanosleep);
  ask(PTRACE_SYSCALL, child, 0, 0);
  /* Of 1000 seconds none may be over yet: Linux even tells its timer's slack as left. */
  usleep(1000);
  CHECK(kill(child, SIGUSR1) == 0 && next(child) == STATUS(SIGTRAP | 0x80, 0));
  syscall(SYS_ptrace, 0x420e, child, sizeof info, &info);
  /* ERESTART_RESTARTBLOCK, and what was left is there already. */
  CHECK(info.op == 2 && info.exit.failed && info.exit.value == -516);
  CHECK(ptrace_data(PTRACE_PEEKDATA, child, (void *)&shared[0]) == 999);
  ask(PTRACE_POKEDATA, child, (long)&shared[3], ptrace_data(PTRACE_PEEKDATA, child, (void *)&shared[1]));
  ask(PTRACE_SYSCALL, child, 0, 0);
  CHECK(next(child) == STATUS(SIGUSR1, 0));
  ask(PTRACE_CONT, child, 0, SIGUSR1);
  CHECK(WEXITSTATUS(next(child)) == 1);
}

static volatile siginfo_t given;
static void notes(int signal, siginfo_t *info, void *context) { given = *info; }
static void takes_one(void) {
  struct sigaction action = {.sa_sigaction = notes, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  syscall(SYS_getppid);
  _exit(given.si_signo == SIGUSR1 && given.si_code == SI_KERNEL && given.si_pid == 0 ? 1 : 9);
}
BEHAVIOUR(a_signal_given_at_the_stop_of_a_call_is_the_kernels) {
  for (int at_exit = 0; at_exit < 2; at_exit++) {
    pid_t child = traced(takes_one);
    enters(child, SYS_getppid);
    if (at_exit) {
      ask(PTRACE_SYSCALL, child, 0, 0);
      CHECK(next(child) == STATUS(SIGTRAP | 0x80, 0));
    }
    ask(PTRACE_CONT, child, 0, SIGUSR1);
    CHECK(next(child) == STATUS(SIGUSR1, 0));
    siginfo_t told;
    ask(PTRACE_GETSIGINFO, child, 0, (long)&told);
    CHECK(told.si_signo == SIGUSR1 && told.si_code == SI_KERNEL && told.si_pid == 0);
    ask(PTRACE_CONT, child, 0, SIGUSR1);
    int status = next(child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  }
}

static void pauses(void) {
  for (;;) pause();
}
static pid_t paused(void) {
  pid_t child = fork();
  if (child == 0) pauses();
  return child;
}
BEHAVIOUR(attaching_and_detaching) {
  pid_t child = paused();
  siginfo_t info;
  CHECK(ptrace(PTRACE_ATTACH, child, 0, 0) == 0 && next(child) == STATUS(SIGSTOP, 0));
  CHECK(ptrace(PTRACE_GETSIGINFO, child, 0, &info) == 0 && info.si_code == SI_KERNEL && info.si_pid == 0);
  FAILS(ptrace(PTRACE_ATTACH, child, 0, 0), EPERM);
  FAILS(ptrace(PTRACE_SEIZE, child, 4, 0), EIO);
  CHECK(ptrace(PTRACE_DETACH, child, 0, 0) == 0);
  FAILS(ptrace(PTRACE_DETACH, child, 0, 0), ESRCH);
  FAILS(ptrace(PTRACE_CONT, child, 0, 0), ESRCH);
  CHECK(ptrace(PTRACE_ATTACH, child, 0, 0) == 0 && next(child) == STATUS(SIGSTOP, 0));
  CHECK(ptrace(PTRACE_DETACH, child, 0, SIGTERM) == 0);
  CHECK(next(child) == SIGTERM);
  FAILS(ptrace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
  FAILS(ptrace(PTRACE_ATTACH, child, 0, 0), ESRCH);
}

BEHAVIOUR(seizing_and_group_stops) {
  siginfo_t info;
  pid_t child = paused();
  CHECK(ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_EXITKILL) == 0 && waitpid(child, NULL, WNOHANG) == 0);
  ask(PTRACE_INTERRUPT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, PTRACE_EVENT_STOP));
  ask(PTRACE_LISTEN, child, 0, 0);
  FAILS(ptrace(PTRACE_CONT, child, 0, 0), ESRCH);
  CHECK(waitpid(child, NULL, WNOHANG) == 0);
  ask(PTRACE_INTERRUPT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, PTRACE_EVENT_STOP));
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(kill(child, SIGSTOP) == 0 && next(child) == STATUS(SIGSTOP, 0));
  ask(PTRACE_CONT, child, 0, SIGSTOP);
  CHECK(next(child) == STATUS(SIGSTOP, PTRACE_EVENT_STOP));
  ask(PTRACE_LISTEN, child, 0, 0);
  CHECK(waitpid(child, NULL, WNOHANG) == 0 && kill(child, SIGCONT) == 0);
  CHECK(next(child) == STATUS(SIGTRAP, PTRACE_EVENT_STOP));
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGCONT, 0));
  ask(PTRACE_CONT, child, 0, SIGKILL);
  CHECK(next(child) == SIGKILL);
}
BEHAVIOUR(group_stops_of_attached_ones) {
  pid_t child = traced(pauses);
  siginfo_t info;
  ask(PTRACE_CONT, child, 0, SIGSTOP);
  CHECK(next(child) == STATUS(SIGSTOP, 0));
  FAILS(ptrace(PTRACE_GETSIGINFO, child, 0, &info), EINVAL);
  CHECK(kill(child, SIGKILL) == 0 && next(child) == SIGKILL);
}

static long message(pid_t child) { return ptrace_data(PTRACE_GETEVENTMSG, child, NULL); }
static void forks(void) {
  pid_t child = fork();
  if (child == 0) _exit(5);
  int status;
  waitpid(child, &status, 0);
  _exit(WEXITSTATUS(status) + 1);
}
BEHAVIOUR(events_of_a_fork) {
  pid_t child = traced(forks);
  ask(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, PTRACE_EVENT_FORK));
  pid_t second = message(child);
  CHECK(next(second) == STATUS(SIGSTOP, 0));
  ask(PTRACE_CONT, second, 0, 0);
  CHECK(next(second) == STATUS(SIGTRAP, PTRACE_EVENT_EXIT) && message(second) == 5 << 8);
  ask(PTRACE_CONT, child, 0, 0);
  ask(PTRACE_CONT, second, 0, 0);
  /* The tracer waits for it first, then its parent. */
  CHECK(next(second) == 5 << 8);
  CHECK(next(child) == STATUS(SIGCHLD, 0));
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, PTRACE_EVENT_EXIT) && message(child) == 6 << 8);
  ends(child, 6);
}

BEHAVIOUR(the_event_of_a_death) {
  pid_t child = traced(pauses);
  ask(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXIT);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(kill(child, SIGTERM) == 0 && next(child) == STATUS(SIGTERM, 0));
  ask(PTRACE_CONT, child, 0, SIGTERM);
  CHECK(next(child) == STATUS(SIGTRAP, PTRACE_EVENT_EXIT) && message(child) == SIGTERM);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == SIGTERM);
}

static void vforks(void) {
  pid_t child = vfork();
  if (child == 0) _exit(0);
  _exit(waitpid(child, NULL, 0) == child ? 2 : 1);
}
BEHAVIOUR(events_of_vfork) {
  pid_t child = traced(vforks);
  ask(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, PTRACE_EVENT_VFORK));
  pid_t second = message(child);
  CHECK(next(second) == STATUS(SIGSTOP, 0));
  ask(PTRACE_DETACH, second, 0, 0);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, PTRACE_EVENT_VFORK_DONE) && message(child) == second);
  ask(PTRACE_CONT, child, 0, 0);
  int status = next(child);
  if (status == STATUS(SIGCHLD, 0)) {
    ask(PTRACE_CONT, child, 0, 0);
    status = next(child);
  }
  CHECK(status == 2 << 8);
}

static void *is_a_thread(void *argument) {
  (void)argument;
  return NULL;
}
static void makes_a_thread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, is_a_thread, NULL);
  pthread_join(thread, NULL);
  _exit(9);
}
BEHAVIOUR(events_of_threads) {
  pid_t child = traced(makes_a_thread);
  ask(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACECLONE);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, PTRACE_EVENT_CLONE));
  pid_t thread = message(child);
  CHECK(next(thread) == STATUS(SIGSTOP, 0));
  FAILS(waitpid(getpid(), NULL, __WALL), ECHILD);
  ask(PTRACE_CONT, thread, 0, 0);
  CHECK(next(thread) == 0);
  ends(child, 9);
}

static void executes(void) { execl("/proc/self/exe", "behaviours", "none/such", NULL); }
BEHAVIOUR(exec_of_a_tracee) {
  pid_t child = traced(executes);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, 0));
  ends(child, 1);
  child = traced(executes);
  ask(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXEC);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, PTRACE_EVENT_EXEC) && message(child) == child);
  ends(child, 1);
}

BEHAVIOUR(a_tracer_that_ends) {
  pid_t child = paused(), other = paused();
  pid_t tracer = fork();
  if (tracer == 0) {
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    CHECK(ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_EXITKILL) == 0);
    CHECK(ptrace(PTRACE_SEIZE, other, 0, 0) == 0);
    ask(PTRACE_INTERRUPT, other, 0, 0);
    CHECK(next(other) == STATUS(SIGTRAP, PTRACE_EVENT_STOP));
    _exit(0);
  }
  reap(tracer, 0);
  CHECK(next(child) == SIGKILL);
  CHECK(waitpid(other, NULL, WNOHANG) == 0 && kill(other, SIGTERM) == 0 && next(other) == SIGTERM);
}

BEHAVIOUR(a_tracer_that_is_not_the_parent) {
  int ends[2];
  char c;
  CHECK(pipe(ends) == 0);
  pid_t child = paused();
  pid_t tracer = fork();
  if (tracer == 0) {
    CHECK(ptrace(PTRACE_SEIZE, child, 0, 0) == 0 && write(ends[1], "x", 1) == 1);
    CHECK(next(child) == STATUS(SIGTERM, 0));
    ask(PTRACE_CONT, child, 0, SIGTERM);
    siginfo_t info;
    CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT | __WALL) == 0 && info.si_status == SIGTERM);
    CHECK(write(ends[1], "y", 1) == 1);
    CHECK(next(child) == SIGTERM);
    FAILS(waitpid(child, NULL, __WALL), ECHILD);
    _exit(0);
  }
  CHECK(read(ends[0], &c, 1) == 1 && kill(child, SIGTERM) == 0 && read(ends[0], &c, 1) == 1);
  CHECK(next(child) == SIGTERM);
  reap(tracer, 0);
}

static int gates[2][2];
static void *ends_later(void *argument) {
  char c;
  _exit(read(gates[1][0], &c, 1) == 1 ? 6 : 5);
}
BEHAVIOUR(a_first_thread_that_ends_alone) {
  char c, path[64];
  siginfo_t info;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  CHECK(pipe(gates[0]) == 0 && pipe(gates[1]) == 0);
  pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    CHECK(read(gates[0][0], &c, 1) == 1 && pthread_create(&thread, NULL, ends_later, NULL) == 0);
    syscall(SYS_exit, 0);
  }
  pid_t tracer = fork();
  if (tracer == 0) {
    CHECK(ptrace(PTRACE_SEIZE, child, 0, 0) == 0 && write(gates[0][1], "x", 1) == 1);
    sprintf(path, "/proc/%d/status", child);
    while (!strstr(contents(path), "Z (zombie)")) sched_yield();
    _exit(0);
  }
  reap(tracer, 0);
  CHECK(sigwaitinfo(&set, &info) == SIGCHLD && info.si_pid == tracer);
  CHECK(write(gates[1][1], "x", 1) == 1 && next(child) == 6 << 8);
}

static void counts(void) {
  for (volatile int i = 0; i < 20; i++) shared[2] = i;
  _exit(0);
}
BEHAVIOUR(single_steps) {
  pid_t child = traced(counts);
  siginfo_t info;
  for (int i = 0; i < 200; i++) {
    ask(PTRACE_SINGLESTEP, child, 0, 0);
    CHECK(next(child) == STATUS(SIGTRAP, 0));
  }
  ask(PTRACE_GETSIGINFO, child, 0, (long)&info);
  CHECK(info.si_signo == SIGTRAP);
  ends(child, 0);
}

BEHAVIOUR(masks_and_options) {
  uint64_t mask = 0;
  pid_t child = traced(pauses);
  CHECK(syscall(SYS_ptrace, 0x420a, child, 8, &mask) == 0);
  mask |= (uint64_t)1 << (SIGTERM - 1);
#ifndef __powerpc64__
  uint32_t *half = (void *)&mask;
#ifdef __powerpc__
  memset(half, 0, 8);
  half[0] = 1 << (SIGTERM - 1);
#endif
#endif
  CHECK(syscall(SYS_ptrace, 0x420b, child, 8, &mask) == 0);
  FAILS(syscall(SYS_ptrace, 0x420b, child, 4, &mask), EINVAL);
  FAILS(ptrace(PTRACE_SETOPTIONS, child, 0, 1L << 30), EINVAL);
  FAILS(ptrace(0x4321, child, 0, 0), EIO);
  FAILS(ptrace(PTRACE_CONT, child, 0, 65), EIO);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(kill(child, SIGTERM) == 0 && waitpid(child, NULL, WNOHANG) == 0 && kill(child, SIGKILL) == 0);
  CHECK(next(child) == SIGKILL);
}

static int peeked(pid_t child, uint64_t off, uint32_t flags, int32_t count, void *to) {
  struct { uint64_t off; uint32_t flags; int32_t count; } which = {off, flags, count};
  return syscall(SYS_ptrace, 0x4209 /* PTRACE_PEEKSIGINFO */, child, &which, to);
}
BEHAVIOUR(signals_that_are_pending) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGRTMIN);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  pid_t child = traced(pauses);
  siginfo_t info = {.si_code = -2}, got[8];
  for (int n = 0; n < 5; n++) {
    info.si_code = n % 2 ? -3 : -2, info.si_int = n;
    if (n % 2) CHECK(syscall(SYS_rt_tgsigqueueinfo, child, child, SIGRTMIN, &info) == 0);
    else CHECK(syscall(SYS_rt_sigqueueinfo, child, SIGRTMIN, &info) == 0);
  }
  CHECK(kill(child, SIGUSR1) == 0);
  for (int twice = 0; twice < 2; twice++) {
    CHECK(peeked(child, 0, 0, 8, got) == 2 && got[0].si_int == 1 && got[1].si_int == 3 && got[1].si_code == -3);
    CHECK(peeked(child, 0, 1, 8, got) == 4 && got[0].si_int == 0 && got[1].si_int == 2 && got[2].si_int == 4);
    CHECK(got[2].si_code == -2 && got[3].si_signo == SIGUSR1 && got[3].si_pid == getpid());
  }
  CHECK(peeked(child, 1, 1, 1, got) == 1 && got[0].si_int == 2 && peeked(child, 4, 1, 1, got) == 0);
  CHECK(peeked(child, -1, 1, 1, got) == 0 && peeked(child, 0, 1, 0, got) == 0);
  FAILS(peeked(child, 0, 2, 1, got), EINVAL);
  FAILS(peeked(child, 0, 0, -1, got), EINVAL);
  FAILS(peeked(child, 0, 0, 1, NULL), EFAULT);
  FAILS(syscall(SYS_ptrace, 0x4209, child, NULL, got), EFAULT);
  long page = sysconf(_SC_PAGESIZE);
  char *at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(mprotect(at + page, page, PROT_READ) == 0);
  CHECK(peeked(child, 0, 1, 8, at + page - 3 * sizeof info) == 3);
  sigprocmask(SIG_SETMASK, &before, NULL);
  CHECK(kill(child, SIGKILL) == 0 && next(child) == SIGKILL);
}

#ifdef __powerpc__
#define WORDS 44
/* Registers of the tracee's choice: r20 to r31, f20, v20, CR and LR. */
static void sets_registers(void) {
  long at = 0;
  double value = 1.5;
  __asm__ volatile("li 20,77\n li 21,78\n lfd 20,0(%1)\n mtlr 21\n trap\n mr %0,20"
                   : "=r"(at)
                   : "b"(&value)
                   : "20", "21", "fr20", "lr", "memory");
  _exit(at);
}
BEHAVIOUR(registers_of_a_tracee) {
  unsigned long words[WORDS], all[64];
  double floats[33];
  struct iovec piece = {all, sizeof all};
  pid_t child = traced(sets_registers);
  siginfo_t info;
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, 0));
  ask(PTRACE_GETSIGINFO, child, 0, (long)&info);
  CHECK(info.si_code == TRAP_BRKPT);
  ask(PTRACE_GETREGS, child, 0, (long)words);
  CHECK(words[20] == 77 && words[PT_LNK] == 78 && info.si_addr == (void *)words[PT_NIP]);
  CHECK(ptrace_data(PTRACE_PEEKTEXT, child, (void *)(words[PT_NIP] & -sizeof(long))) != 0);
  ask(PTRACE_GETREGSET, child, NT_PRSTATUS, (long)&piece);
  CHECK(piece.iov_len == 48 * sizeof(long) && memcmp(all, words, sizeof words) == 0);
  for (int i = 0; i < WORDS; i++)
    CHECK(ptrace_data(PTRACE_PEEKUSER, child, (void *)(i * sizeof(long))) == (long)words[i]);
  FAILS(ptrace(PTRACE_PEEKUSER, child, (void *)1, 0), EIO);
  FAILS(ptrace(PTRACE_PEEKUSER, child, (void *)(4096 * sizeof(long)), 0), EIO);
  ask(PTRACE_GETFPREGS, child, 0, (long)floats);
  CHECK(floats[20] == 1.5);
  floats[20] = 2.5;
  ask(PTRACE_SETFPREGS, child, 0, (long)floats);
  piece = (struct iovec){all, 8 * 21};
  ask(PTRACE_GETREGSET, child, NT_PRFPREG, (long)&piece);
  CHECK(piece.iov_len == 8 * 21 && ((double *)all)[20] == 2.5);
  piece.iov_len = 12;
  FAILS(ptrace(PTRACE_GETREGSET, child, NT_PRFPREG, &piece), EINVAL);
  unsigned char vectors[33 * 16 + 4], again[34 * 16];
  ask(PTRACE_GETVRREGS, child, 0, (long)vectors);
  memset(vectors + 16 * 20, 7, 16);
  ask(PTRACE_SETVRREGS, child, 0, (long)vectors);
  piece = (struct iovec){again, sizeof again};
  ask(PTRACE_GETREGSET, child, NT_PPC_VMX, (long)&piece);
  CHECK(piece.iov_len == 34 * 16 && memcmp(again, vectors, 33 * 16) == 0);
  words[20] = 33;
  words[PT_NIP] += 4;
  ask(PTRACE_SETREGS, child, 0, (long)words);
  ends(child, 33);
}

__attribute__((noinline)) static void broken_into(void) { shared[3] += 1; }
/* By a pointer: other calls may go behind the entry that it names. */
static void (*volatile entry)(void) = broken_into;
static void breaks(void) {
  entry();
  _exit(shared[3]);
}
#if defined(__powerpc64__) && _CALL_ELF != 2
#define ENTRY(function) (*(long *)(function))
#else
#define ENTRY(function) ((long)(function))
#endif
BEHAVIOUR(a_breakpoint_in_the_text) {
  pid_t child = traced(breaks);
  long at = ENTRY(broken_into) & -sizeof(long), was = ptrace_data(PTRACE_PEEKTEXT, child, (void *)at), trap = was;
  *(int *)((char *)&trap + (ENTRY(broken_into) - at)) = 0x7fe00008;
  ask(PTRACE_POKETEXT, child, at, trap);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, 0));
  CHECK(ptrace_data(PTRACE_PEEKUSER, child, (void *)(PT_NIP * sizeof(long))) == ENTRY(broken_into));
  ask(PTRACE_POKETEXT, child, at, was);
  broken_into();
  CHECK(shared[3] == 1);
  ends(child, 1);
}

struct hardware_breakpoint {
  uint32_t version, trigger, mode, condition;
  uint64_t address, end, value;
};
static void writes(void) {
  shared[2] = 5;
  shared[2] = 6;
  _exit(shared[2]);
}
BEHAVIOUR(a_data_breakpoint) {
  struct {
    uint32_t version, instructions, data, conditions, alignment, size;
    uint64_t features;
  } what;
  struct hardware_breakpoint bp = {1, 4, 0, 0, (uintptr_t)&shared[2], 0, 0};
  siginfo_t info;
  pid_t child = traced(writes);
  ask(0x89, child, 0, (long)&what);
  CHECK(what.version == 1 && what.data == 1 && what.instructions == 0);
  CHECK(syscall(SYS_ptrace, 0x88, child, 0, &bp) == 1);
  FAILS(syscall(SYS_ptrace, 0x88, child, 0, &bp), ENOSPC);
  ask(PTRACE_CONT, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, 0));
  ask(PTRACE_GETSIGINFO, child, 0, (long)&info);
  CHECK(info.si_code == TRAP_HWBKPT && ptrace_data(PTRACE_PEEKDATA, child, (void *)&shared[2]) == 0);
  CHECK(syscall(SYS_ptrace, 0x87, child, 0, 1L) == 0);
  ask(PTRACE_SINGLESTEP, child, 0, 0);
  CHECK(next(child) == STATUS(SIGTRAP, 0) && ptrace_data(PTRACE_PEEKDATA, child, (void *)&shared[2]) == 5);
  ends(child, 6);
}
#endif
