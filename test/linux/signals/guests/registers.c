/* Every register survives a handler, and ucontext shows them; contexts can be made and swapped. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __powerpc64__
#define REGS(uc) ((uc)->uc_mcontext.gp_regs)
#define FPREGS(uc) ((uc)->uc_mcontext.fp_regs)
typedef unsigned long word;
#define LOAD "ld "
#define STORE "std "
#define STRIDE "8"
#else
#define REGS(uc) ((uc)->uc_mcontext.uc_regs->gregs)
#define FPREGS(uc) ((uc)->uc_mcontext.uc_regs->fpregs.fpregs)
typedef unsigned int word;
#endif

static volatile int runs;
static word seen[40];
static double seen_fp[33];

static void look(int sig, siginfo_t *si, void *context) {
  (void)sig;
  (void)si;
  ucontext_t *uc = context;
  for (int i = 0; i < 40; i++) seen[i] = REGS(uc)[i];
  memcpy(seen_fp, FPREGS(uc), sizeof seen_fp);
  double x = 1.5;
  for (int i = 0; i < 100; i++) x = x * 1.25 + i / 3.0;
  uint64_t fpscr;
  double d;
  __asm__ volatile("mffs %0" : "=f"(d));
  memcpy(&fpscr, &d, 8);
  printf("handler: rounding %d, sum %d\n", (int)(fpscr & 3), (int)(x / 1e9) > 0);
  runs++;
  if (uc->uc_link != 0) printf("uc_link set\n");
  /* Some registers come back changed. */
  REGS(uc)[20] = 0x2020;
  FPREGS(uc)[20] = 20.25;
  REGS(uc)[32] += 4;
}

static ucontext_t main_context, contexts[2];
static int order[8], n_order;
static void coroutine(int a, int b) {
  order[n_order++] = a;
  swapcontext(&contexts[b], &contexts[1 - b]);
  order[n_order++] = a + 100;
}

static jmp_buf jump;

/* By sc, as the C library's own does it: after scv a context that is loaded again has no LR. */
static inline long save_context(ucontext_t *context, long size) {
  register long r0 asm("r0") = SYS_swapcontext, r3 asm("r3") = (long)context, r4 asm("r4") = 0, r5 asm("r5") = size;
  asm volatile("sc" : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5) : : "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "ctr", "memory");
  return r3;
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  struct sigaction sa = {.sa_sigaction = look, .sa_flags = SA_SIGINFO};
  sigfillset(&sa.sa_mask);
  sigaction(SIGTRAP, &sa, NULL);

  word r14, r20, r29, cr, xer, ctr, lr;
  double f1, f20, f31;
  __asm__ volatile(
      "mtfsfi 7,1\n\t"
      "li 14,0x1414\n\t li 20,0x1420\n\t li 29,0x1429\n\t"
      "lis 15,0x1234\n\t ori 15,15,0x5678\n\t mtcrf 0xff,15\n\t"
      "lis 15,0x2000\n\t mtxer 15\n\t li 15,0x777\n\t mtctr 15\n\t mflr 16\n\t li 15,0x6660\n\t mtlr 15\n\t"
      "fmr 1,%[a]\n\t fmr 20,%[b]\n\t fmr 31,%[c]\n\t"
      "trap\n\t"
      "mr %[r14],14\n\t mr %[r20],20\n\t mr %[r29],29\n\t"
      "mfcr %[cr]\n\t mfxer %[xer]\n\t mfctr %[ctr]\n\t mflr %[lr]\n\t mtlr 16\n\t"
      "fmr %[f1],1\n\t fmr %[f20],20\n\t fmr %[f31],31\n\t"
      : [r14] "=&r"(r14), [r20] "=&r"(r20), [r29] "=&r"(r29), [cr] "=&r"(cr), [xer] "=&r"(xer), [ctr] "=&r"(ctr),
        [lr] "=&r"(lr), [f1] "=&f"(f1), [f20] "=&f"(f20), [f31] "=&f"(f31)
      : [a] "f"(1.5), [b] "f"(2.5), [c] "f"(3.5)
      : "14", "15", "16", "20", "29", "cr0", "cr1", "cr2", "cr3", "cr4", "cr5", "cr6", "cr7", "ctr", "xer", "fr1",
        "fr20", "fr31", "memory");
  double d;
  uint64_t fpscr;
  __asm__ volatile("mffs %0" : "=f"(d));
  memcpy(&fpscr, &d, 8);
  __asm__ volatile("mtfsfi 7,0");
  printf("after: r14 %lx r20 %lx r29 %lx cr %lx xer %lx ctr %lx lr %lx\n", (long)r14, (long)r20, (long)r29, (long)cr,
         (long)xer, (long)ctr, (long)lr);
  printf("f1 %g f20 %g f31 %g rounding %d\n", f1, f20, f31, (int)(fpscr & 3));
  printf("seen: r14 %lx r20 %lx r29 %lx cr %lx xer %lx ctr %lx lr %lx\n", (long)seen[14], (long)seen[20],
         (long)seen[29], (long)seen[38], (long)seen[37], (long)seen[35], (long)seen[36]);
  uint64_t saved;
  memcpy(&saved, &seen_fp[32], 8);
  printf("seen: f1 %g f20 %g f31 %g rounding %d\n", seen_fp[1], seen_fp[20], seen_fp[31], (int)(saved & 3));

  char *stacks = malloc(2 * 65536);
  for (int i = 0; i < 2; i++) {
    getcontext(&contexts[i]);
    contexts[i].uc_stack.ss_sp = stacks + i * 65536;
    contexts[i].uc_stack.ss_size = 65536;
    contexts[i].uc_link = &main_context;
    makecontext(&contexts[i], (void (*)(void))coroutine, 2, 10 + i, i);
  }
  swapcontext(&main_context, &contexts[0]);
  swapcontext(&main_context, &contexts[1]);
  for (int i = 0; i < n_order; i++) printf("%d ", order[i]);
  puts("");

  /* The kernel's own swapcontext saves and restores, the mask included. */
  static ucontext_t kernel_context;
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  sigprocmask(SIG_SETMASK, &mask, NULL);
  volatile int passes = 0;
  if (!setjmp(jump)) {
    long result = save_context(&kernel_context, sizeof kernel_context);
    passes++;
    printf("pass %d\n", passes);
    if (passes == 1) {
      printf("saved %ld, mask %d\n", result, sigismember(&kernel_context.uc_sigmask, SIGUSR1));
      sigemptyset(&mask);
      sigprocmask(SIG_SETMASK, &mask, NULL);
      syscall(SYS_swapcontext, 0, &kernel_context, sizeof kernel_context);
      puts("not reached");
    }
    longjmp(jump, 1);
  }
  sigprocmask(SIG_SETMASK, NULL, &mask);
  printf("mask %d\n", sigismember(&mask, SIGUSR1));
  printf("too small %ld\n", syscall(SYS_swapcontext, &kernel_context, 0, 64));
  return 0;
}
