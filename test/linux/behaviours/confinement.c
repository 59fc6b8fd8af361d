/* What a program forbids itself: seccomp(2), prctl(2). */
#include "behaviour.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_PPC64LE
#elif defined(__powerpc64__)
#define ARCH AUDIT_ARCH_PPC64
#else
#define ARCH AUDIT_ARCH_PPC
#endif
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
/* The word of an argument that has its low bits. */
#define LOW(n) (offsetof(struct seccomp_data, args[n]) + (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4))
#define ERRNO(number) (SECCOMP_RET_ERRNO | (number))

static int seccomp(unsigned operation, unsigned flags, void *what) {
  return syscall(SYS_seccomp, operation, flags, what);
}
static int filter(unsigned flags, struct sock_filter *program, unsigned short length) {
  struct sock_fprog given = {length, program};
  return seccomp(SECCOMP_SET_MODE_FILTER, flags, &given);
}
#define FILTER(flags, ...)                                                                                    \
  filter(flags, (struct sock_filter[]){__VA_ARGS__}, sizeof((struct sock_filter[]){__VA_ARGS__}) / 8)
/* Has one system call end so, and lets all others through. */
static int refuses(int number, unsigned what) {
  return FILTER(0, LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RETURN(what),
                RETURN(SECCOMP_RET_ALLOW));
}
static void privileged_no_more(void) { CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0); }

BEHAVIOUR(errors_in_place_of_calls) {
  privileged_no_more();
  CHECK(prctl(PR_GET_SECCOMP) == 0 && field("/proc/self/status", "Seccomp") == 0);
  CHECK(refuses(SYS_getppid, ERRNO(EDOM)) == 0);
  FAILS(syscall(SYS_getppid), EDOM);
  CHECK(prctl(PR_GET_SECCOMP) == 2 && field("/proc/self/status", "Seccomp") == 2);
  /* The stricter of two counts; of those that are alike the later. */
  CHECK(refuses(SYS_getppid, ERRNO(EBADF)) == 0);
  FAILS(syscall(SYS_getppid), EBADF);
  CHECK(refuses(SYS_getppid, SECCOMP_RET_LOG) == 0);
  FAILS(syscall(SYS_getppid), EBADF);
  CHECK(field("/proc/self/status", "Seccomp_filters") == 3);
  CHECK(refuses(SYS_getpgrp, ERRNO(0)) == 0 && refuses(SYS_sched_yield, SECCOMP_RET_TRACE) == 0);
  CHECK(syscall(SYS_getpgrp) == 0);
  FAILS(sched_yield(), ENOSYS);
  /* Children and the programs that they execute have them as well. */
  pid_t child = fork();
  if (child == 0) _exit(syscall(SYS_getppid) == -1 && errno == EBADF ? 7 : 1);
  reap(child, 7);
}

BEHAVIOUR(what_filters_see) {
  privileged_no_more();
  CHECK(FILTER(0, LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0), RETURN(ERRNO(E2BIG)), LOAD(nr),
               BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_lseek, 0, 5),
               BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW(1)), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
               BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO), BPF_STMT(BPF_MISC | BPF_TAX, 0),
               BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RETURN(SECCOMP_RET_ALLOW), BPF_STMT(BPF_MISC | BPF_TXA, 0),
               BPF_STMT(BPF_RET | BPF_A, 0)) == 0);
  for (int i = 1; i < 40; i += 7) FAILS(syscall(SYS_lseek, -1, i, 0), i);
  CHECK(getppid() > 0);
}

BEHAVIOUR(arithmetic_of_filters) {
  privileged_no_more();
  /* ((((7 * 9 - 3) / 4) << 3) ^ ...) is told as an error number: 15 * 8 = 120, | 3 = 123, & 0x7e = 122, >> 1 = 61. */
  CHECK(FILTER(0, LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0), RETURN(SECCOMP_RET_ALLOW),
               BPF_STMT(BPF_LD | BPF_IMM, 7), BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 9), BPF_STMT(BPF_ST, 3),
               BPF_STMT(BPF_LDX | BPF_IMM, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), BPF_STMT(BPF_ALU | BPF_SUB | BPF_X, 0),
               BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 4), BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 0),
               BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x7e),
               BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1), BPF_STMT(BPF_ALU | BPF_NEG, 0),
               BPF_STMT(BPF_STX, 15), BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
               BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 0x80000000, 1, 0), RETURN(ERRNO(1)),
               BPF_STMT(BPF_ALU | BPF_NEG, 0), BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
               BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO), BPF_STMT(BPF_RET | BPF_A, 0)) == 0);
  FAILS(syscall(SYS_getppid), 61 + 64);
}

BEHAVIOUR(filters_that_are_refused) {
  struct sock_filter allow = RETURN(SECCOMP_RET_ALLOW);
  unsigned action = SECCOMP_RET_TRAP, unknown = 0x12340000;
  CHECK(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0);
  FAILS(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &unknown), EOPNOTSUPP);
  FAILS(seccomp(99, 0, NULL), EINVAL);
  FAILS(seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
  FAILS(filter(1 << 20, &allow, 1), EINVAL);
  FAILS(seccomp(SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
  FAILS(prctl(PR_SET_SECCOMP, 3, 0, 0, 0), EINVAL);
  if (geteuid() != 0) FAILS(filter(0, &allow, 1), EACCES);
  privileged_no_more();
  FAILS(filter(0, &allow, 0), EINVAL);
  FAILS(filter(0, &allow, 4097), EINVAL);
  FAILS(FILTER(0, LOAD(nr)), EINVAL);
  FAILS(FILTER(0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), allow), EINVAL);
  FAILS(FILTER(0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), allow), EINVAL);
  FAILS(FILTER(0, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), allow), EINVAL);
  FAILS(FILTER(0, BPF_STMT(BPF_LD | BPF_MEM, 1), allow), EINVAL);
  FAILS(FILTER(0, BPF_STMT(BPF_ST, 16), allow), EINVAL);
  FAILS(FILTER(0, BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), allow), EINVAL);
  FAILS(FILTER(0, BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), allow), EINVAL);
  FAILS(FILTER(0, BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), allow), EINVAL);
  FAILS(FILTER(0, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), allow), EINVAL);
  FAILS(FILTER(0, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 1), BPF_STMT(BPF_LD | BPF_MEM, 1), allow), EINVAL);
  CHECK(filter(0, &allow, 1) == 0);
  FAILS(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0), EINVAL);
  static struct sock_filter many[4096];
  for (int i = 0; i < 4096; i++) many[i] = allow;
  int added = 0;
  while (added < 9 && filter(0, many, 4096) == 0) added++;
  CHECK(errno == ENOMEM && added > 0 && added < 9);
}

static siginfo_t told;
static void note(int signo, siginfo_t *info, void *context) { told = *info; }

BEHAVIOUR(a_signal_in_place_of_a_call) {
  struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
  privileged_no_more();
  CHECK(sigaction(SIGSYS, &action, NULL) == 0 && refuses(SYS_getppid, SECCOMP_RET_TRAP | 77) == 0);
  syscall(SYS_getppid);
  CHECK(told.si_signo == SIGSYS && told.si_code == 1 /* SYS_SECCOMP */ && told.si_errno == 77);
  CHECK(told.si_syscall == SYS_getppid && told.si_arch == ARCH && told.si_call_addr != NULL);
  /* Where the signal is blocked the process dies of it. */
  pid_t child = fork();
  int status;
  if (child == 0) {
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGSYS), sigprocmask(SIG_BLOCK, &set, NULL);
    syscall(SYS_getppid);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static int ends_by(unsigned what) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    signal(SIGSYS, SIG_IGN);
    if (refuses(SYS_getppid, what) != 0) _exit(1);
    syscall(SYS_getppid);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

BEHAVIOUR(calls_that_are_the_last) {
  privileged_no_more();
  CHECK(ends_by(SECCOMP_RET_KILL_PROCESS) == SIGSYS && ends_by(SECCOMP_RET_KILL_THREAD) == SIGSYS);
  CHECK(ends_by(0x12340000) == SIGSYS);
}

BEHAVIOUR(reading_and_writing_only) {
  for (int forbidden = 0; forbidden < 2; forbidden++) {
    int ends[2], status;
    char c;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
      if (forbidden ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) : seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL)) _exit(1);
      if (write(ends[1], "!", 1) != 1) syscall(SYS_exit, 2);
      if (forbidden) getppid();
      syscall(SYS_exit, 5);
    }
    CHECK(read(ends[0], &c, 1) == 1 && waitpid(child, &status, 0) == child);
    CHECK(forbidden ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 5);
  }
}

static int ready[2];
static void *waits(void *what) {
  char c;
  CHECK(read(ready[0], &c, 1) == 1);
  if (syscall(SYS_getppid) == -1 && errno == EDOM) return "confined";
  return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) ? "warned" : "free";
}
static const char *other_thread(int flags) {
  pthread_t thread;
  void *said;
  CHECK(pipe(ready) == 0 && pthread_create(&thread, NULL, waits, NULL) == 0);
  privileged_no_more();
  CHECK(FILTER(flags, LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1), RETURN(ERRNO(EDOM)),
               RETURN(SECCOMP_RET_ALLOW)) == 0);
  CHECK(write(ready[1], "!", 1) == 1 && pthread_join(thread, &said) == 0);
  return said;
}

BEHAVIOUR(each_thread_for_itself) {
  CHECK(strcmp(other_thread(0), "free") == 0);
  FAILS(syscall(SYS_getppid), EDOM);
}

BEHAVIOUR(all_threads_at_once) { CHECK(strcmp(other_thread(SECCOMP_FILTER_FLAG_TSYNC), "confined") == 0); }

static void *goes_its_own_way(void *what) {
  char c;
  struct sock_filter allow = RETURN(SECCOMP_RET_ALLOW);
  CHECK(filter(0, &allow, 1) == 0 && write(ready[1], "!", 1) == 1);
  pause();
  return NULL;
}

BEHAVIOUR(threads_that_cannot_follow) {
  pthread_t thread;
  char c;
  struct sock_filter allow = RETURN(SECCOMP_RET_ALLOW);
  privileged_no_more();
  CHECK(pipe(ready) == 0 && pthread_create(&thread, NULL, goes_its_own_way, NULL) == 0);
  CHECK(read(ready[0], &c, 1) == 1);
  CHECK(filter(SECCOMP_FILTER_FLAG_TSYNC, &allow, 1) > getpid());
  FAILS(filter(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH, &allow, 1), ESRCH);
  CHECK(prctl(PR_GET_SECCOMP) == 0);
}
