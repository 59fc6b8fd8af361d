/* Unwinding out of signal handlers: through the signal frame into the function that was interrupted, with its registers. */
#pragma GCC optimize("asynchronous-unwind-tables")
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unwind.h>

/* DWARF's number of GPR 29. */
enum { GPR29 = 29 };

extern const char faulting[];
static sigjmp_buf out;

struct walk {
  int beyond; /* frames after the interrupted function; -1 until that is reached */
  int at_instruction;
  unsigned long gpr29;
};

/* Faults with a known value in a register that handlers keep. */
__attribute__((noinline, noclone)) static int interrupted(volatile int *nowhere) {
  int value;
  __asm__ volatile("lis 29,0x1234\n\t"
                   "ori 29,29,0x5678\n"
                   ".globl faulting\n"
                   "faulting:\n\t"
                   "lwz %0,0(%1)"
                   : "=r"(value)
                   : "b"(nowhere)
                   : "r29", "memory");
  return value;
}

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *argument) {
  struct walk *walk = argument;
  int at_instruction = 0;
  uintptr_t ip = _Unwind_GetIPInfo(context, &at_instruction);
  if (walk->beyond >= 0) {
    walk->beyond++;
  } else if (ip == (uintptr_t)faulting) {
    walk->beyond = 0;
    walk->at_instruction = at_instruction;
    walk->gpr29 = _Unwind_GetGR(context, GPR29);
  }
  return _URC_NO_REASON;
}

static void leave(const char *kind) {
  struct walk walk = {-1, 0, 0};
  _Unwind_Backtrace(visit, &walk);
  printf("%s: callers of the interrupted function %d, at its instruction %d, gpr29 %lx\n", kind,
         walk.beyond >= 2, walk.at_instruction, walk.gpr29);
  siglongjmp(out, 1);
}

static void plain(int sig) {
  (void)sig;
  leave("plain");
}

static void with_info(int sig, siginfo_t *si, void *context) {
  (void)sig, (void)si, (void)context;
  leave("siginfo");
}

static void provoke(struct sigaction sa) {
  sigaction(SIGSEGV, &sa, NULL);
  if (sigsetjmp(out, 1) == 0) interrupted(NULL);
}

int main(void) {
  provoke((struct sigaction){.sa_handler = plain});
  provoke((struct sigaction){.sa_sigaction = with_info, .sa_flags = SA_SIGINFO});
}
