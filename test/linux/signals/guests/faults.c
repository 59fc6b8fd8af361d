/* Faults as signals: what a handler sees, and the ways out of it. */
#define _GNU_SOURCE
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf out;
static volatile uintptr_t expected;
static volatile char *guard;
static char alternate[65536];

#ifdef __powerpc64__
#define REGS(uc) ((uc)->uc_mcontext.gp_regs)
#else
#define REGS(uc) ((uc)->uc_mcontext.uc_regs->gregs)
#endif

static void leave(int sig, siginfo_t *si, void *context) {
  ucontext_t *uc = context;
  printf("signal %d code %d addr-ok %d trap %lx\n", sig, si->si_code, (uintptr_t)si->si_addr == expected,
         (unsigned long)REGS(uc)[40] & 0xf00);
  siglongjmp(out, 1);
}

static void skip(int sig, siginfo_t *si, void *context) {
  ucontext_t *uc = context;
  printf("skip %d code %d at-nip %d\n", sig, si->si_code, (uintptr_t)si->si_addr == (uintptr_t)REGS(uc)[32]);
  REGS(uc)[32] += 4;
  REGS(uc)[21] = 0x1234;
}

static void unprotect(int sig, siginfo_t *si, void *context) {
  (void)context;
  printf("unprotect %d code %d\n", sig, si->si_code);
  mprotect((void *)guard, 4096, PROT_READ | PROT_WRITE);
}

static void on_stack(int sig, siginfo_t *si, void *context) {
  (void)context;
  char here;
  printf("overflow %d code %d on-alternate %d\n", sig, si->si_code,
         &here >= alternate && &here < alternate + sizeof alternate);
  stack_t ss;
  sigaltstack(NULL, &ss);
  printf("flags %d\n", ss.ss_flags);
  siglongjmp(out, 1);
}

static void set(int sig, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
  sigemptyset(&sa.sa_mask);
  sigaction(sig, &sa, NULL);
}

static volatile int sink;
__attribute__((noinline)) static int deep(int n) {
  if (n == 1 << 30) return 0;
  volatile char frame[1024];
  frame[0] = (char)n;
  sink += frame[0];
  return deep(n + 1) + frame[0];
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  guard = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap((void *)(guard + 4096), 4096);
  for (int sig = 1; sig < 32; sig++)
    if (sig != SIGKILL && sig != SIGSTOP) set(sig, leave, 0);

  if (!sigsetjmp(out, 1)) { expected = 16; *(volatile int *)expected = 1; }
  if (!sigsetjmp(out, 1)) { expected = (uintptr_t)guard + 8; guard[8] = 1; }
  if (!sigsetjmp(out, 1)) { expected = (uintptr_t)guard + 4096; sink = guard[4096]; }
  if (!sigsetjmp(out, 1)) {
    /* A load that begins in a mapped page and ends in an unmapped one. */
    expected = (uintptr_t)guard + 4096;
    sink = *(volatile int *)(guard + 4094);
  }
  mprotect((void *)(guard + 8192), 4096, PROT_NONE);
  if (!sigsetjmp(out, 1)) { expected = (uintptr_t)guard + 8192; sink = guard[8192]; }
  if (!sigsetjmp(out, 1)) {
    expected = (uintptr_t)guard;
#if defined(__powerpc64__) && _CALL_ELF != 2
    volatile void *descriptor[3] = {guard, 0, 0};
    ((void (*)(void))descriptor)();
#else
    ((void (*)(void))guard)();
#endif
  }
  if (!sigsetjmp(out, 1)) {
    expected = 0;
#if defined(__powerpc64__) && _CALL_ELF != 2
    void *descriptor[3] = {0, 0, 0};
    ((void (*)(void))descriptor)();
#else
    ((void (*)(void))0)();
#endif
  }
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  printf("mask empty %d\n", !sigismember(&mask, SIGSEGV));

  set(SIGILL, skip, 0);
  set(SIGTRAP, skip, 0);
#define SKIPPED(instruction)                                                               \
  do {                                                                                     \
    long got;                                                                              \
    __asm__ volatile("li 21,3\n\t" instruction "\n\tmr %0,21" : "=r"(got)::"21", "memory"); \
    printf("r21 %lx\n", got);                                                              \
  } while (0)
  SKIPPED(".long 0");
  SKIPPED("trap");
  SKIPPED("twi 4,21,3");
  SKIPPED("mfspr 21,26"); /* privileged */

  set(SIGSEGV, unprotect, 0);
  guard[0] = 5;
  printf("stored %d\n", guard[0]);

  puts("-- stack overflow");
  stack_t ss = {.ss_sp = alternate, .ss_size = sizeof alternate};
  printf("sigaltstack %d\n", sigaltstack(&ss, NULL));
  set(SIGSEGV, on_stack, SA_ONSTACK);
  if (!sigsetjmp(out, 1)) deep(0);
  if (!sigsetjmp(out, 1)) deep(0);
  stack_t seen;
  sigaltstack(NULL, &seen);
  printf("flags %d size %d same %d\n", seen.ss_flags, (int)seen.ss_size, seen.ss_sp == alternate);
  ss.ss_size = 100;
  printf("too small %d\n", sigaltstack(&ss, NULL));
  ss.ss_flags = 77;
  printf("bad flags %d\n", sigaltstack(&ss, NULL));
  ss.ss_flags = SS_DISABLE;
  printf("disable %d\n", sigaltstack(&ss, NULL));
  sigaltstack(NULL, &seen);
  printf("flags %d\n", seen.ss_flags);
  puts("done");
  return 0;
}
