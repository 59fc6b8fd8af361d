/* Illegal and trap instructions: SIGILL and SIGTRAP with their codes, handlers that step over, registers seen in the context. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "guest.h"

static volatile int seen;

#ifdef __powerpc64__
#define REGISTERS(context) ((context)->uc_mcontext.gp_regs)
#else
#define REGISTERS(context) ((context)->uc_mcontext.uc_regs->gregs)
#endif
enum { NIP = 32 };

static void handler(int number, siginfo_t *info, void *opaque) {
  ucontext_t *context = opaque;
  uint32_t instruction = *(uint32_t *)(uintptr_t)REGISTERS(context)[NIP];
  printf("  signal %d code %d instruction %08x, address %s, r14 %lx\n", number, info->si_code, instruction,
         (uintptr_t)info->si_addr == (uintptr_t)REGISTERS(context)[NIP] ? "of it" : "of something else",
         (unsigned long)REGISTERS(context)[14] & 0xffff);
  REGISTERS(context)[NIP] += 4;
  REGISTERS(context)[15] = 0x1234;
  seen++;
}

/* Runs one instruction with r14 set and reports what the handler left in r15. */
#define TRY(what, instruction)                                                                       \
  do {                                                                                               \
    unsigned long out;                                                                               \
    printf("%s\n", what);                                                                            \
    __asm__ volatile("li 14, 0x5a5a\n\tli 15, 1\n\t" instruction "\n\tmr %0, 15"                     \
                     : "=r"(out)                                                                     \
                     :                                                                               \
                     : "r14", "r15", "memory");                                                      \
    printf("  r15 %lx\n", out);                                                                      \
  } while (0)

int main(void) {
  struct sigaction action;
  setvbuf(stdout, NULL, _IONBF, 0);
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &action, NULL);
  sigaction(SIGTRAP, &action, NULL);
  TRY("all zero", ".long 0");
  TRY("reserved primary opcode", ".long 0x14000000");
  TRY("reserved extended opcode", ".long 0x7c0007fe");
  TRY("unconditional trap", "trap");
  TRY("trap if equal, taken", "tweqi 14, 0x5a5a");
  TRY("trap if equal, not taken", "tweqi 14, 0x1111");
  TRY("trap if greater, signed", "twgti 14, -1");
  TRY("trap if logically less, not taken", "twllti 14, 5");
  TRY("privileged: move from MSR", "mfmsr 3");
  TRY("privileged: move to MSR", "mtmsr 3");
  printf("%d signals\n", seen);
  return seen;
}
