/* System calls by scv 0: how they give results, and what a signal does to them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __powerpc64__
#define GREG(uc, n) ((uc)->uc_mcontext.gp_regs[n])
#else
#define GREG(uc, n) ((uc)->uc_mcontext.uc_regs->gregs[n])
#endif

/* How far LR is from the next instruction, CTR, and CR0, which was 5. */
static long away, ctr, cr0;

static long scv(long n, long a, long b, long c, long d, long e) {
  register long r0 asm("r0") = n, r3 asm("r3") = a, r4 asm("r4") = b, r5 asm("r5") = c, r6 asm("r6") = d, r7 asm("r7") = e;
  register long r10 asm("r10"), r11 asm("r11"), r12 asm("r12");
  asm volatile(".machine push\n.machine power9\n"
               "lis 9,0x5000\nmtcrf 0x80,9\nscv 0\n1: mflr 10\nmfctr 11\nmfcr 12\n"
               "bcl 20,31,2f\n2: mflr 9\naddi 9,9,1b-2b\nsubf 10,9,10\n.machine pop"
               : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "=r"(r10), "=r"(r11), "=r"(r12)
               :
               : "r8", "r9", "lr", "ctr", "cr0", "memory");
  away = r10, ctr = r11, cr0 = (unsigned)r12 >> 28;
  return r3;
}
static void say(const char *what, long result) {
  printf("%s: %ld, LR off by %ld, CTR %s a user's MSR, CR0 %ld\n", what, result, away, ctr & 0x4000 ? "is" : "is not", cr0);
  fflush(stdout);
}

static int ends[2];
static volatile long trap, r3, orig, result, step;
static volatile int illegal;
/* The signal comes again and again until one has met the call. */
static void note(int signo, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  if (GREG(uc, 40) != 0x3000) return;
  trap = GREG(uc, 40), r3 = GREG(uc, 3), orig = GREG(uc, 34), result = GREG(uc, 43), step = *(unsigned *)GREG(uc, 32) & 3;
  ualarm(0, 0);
  if (r3 != -EINTR) write(ends[1], "x", 1);
}
static void skip(int signo, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  illegal = info->si_code == ILL_ILLOPC;
  GREG(uc, 32) += 4;
}

int main(void) {
  printf("offered: %d\n", (getauxval(AT_HWCAP2) & 0x100000) != 0);
  say("getpid", scv(SYS_getpid, 0, 0, 0, 0, 0) - getpid());
  say("close", scv(SYS_close, -1, 0, 0, 0, 0));
  say("nothing", scv(100000, 0, 0, 0, 0, 0));
  pipe(ends);
  char c;
  for (int restart = 0; restart < 2; restart++) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | (restart ? SA_RESTART : 0)};
    sigaction(SIGALRM, &action, NULL);
    ualarm(10000, 10000);
    say(restart ? "read made again" : "read interrupted", scv(SYS_read, ends[0], (long)&c, 1, 0, 0));
    printf("in the handler: trap %lx, r3 %s, orig_r3 %s, result %ld, at scv: %d\n", trap,
           r3 == -EINTR ? "-EINTR" : r3 == ends[0] ? "as before" : "?", orig == ends[0] ? "as before" : "?", result, step == 1);
  }
  long child = scv(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    long ok = away == 0 && cr0 == 5;
    scv(SYS_exit_group, ok ? 7 : 8, 0, 0, 0, 0);
  }
  int status;
  say("wait4", scv(SYS_wait4, child, (long)&status, 0, 0, 0) - child);
  printf("the child: %d\n", WEXITSTATUS(status));
  struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
  sigaction(SIGILL, &action, NULL);
  asm volatile(".machine push\n.machine power9\nscv 1\n.machine pop" : : : "lr", "ctr");
  printf("scv 1: %s\n", illegal ? "SIGILL" : "nothing");
  return 0;
}
