/* The vector registers in signal frames and in what swapcontext(2) saves: where they lie, and the way back. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

typedef unsigned char Quad[16];
typedef unsigned long long Double;

/* All registers of the vector facilities. */
typedef struct {
  Quad vsr[64];
  Quad vscr;
  unsigned vrsave;
} __attribute__((aligned(16))) Registers;

static Registers before, now, expected;
static volatile int loads;

#define EACH(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15) \
  x(16) x(17) x(18) x(19) x(20) x(21) x(22) x(23) x(24) x(25) x(26) x(27) x(28) x(29) x(30) x(31)
#define LOAD(n) "lxvx " #n ",0,9\naddi 9,9,16\n"
#define STORE(n) "stxvx " #n ",0,9\naddi 9,9,16\n"
#define LOADV(n) "lvx " #n ",0,9\naddi 9,9,16\n"
#define STOREV(n) "stvx " #n ",0,9\naddi 9,9,16\n"
#define ZERO(n) "xxlxor " #n "," #n "," #n "\nvxor " #n "," #n "," #n "\n"
#define FPR(n) "fr" #n,
#define VR(n) "v" #n,
#define CLOBBERS EACH(FPR) EACH(VR) "r0", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "ctr", "memory"

/* Loads all registers from `before`, does something, and stores them all to `now`. */
#define WITH_ALL(something, ...) asm volatile(".machine push\n.machine power9\n" \
  "mr 9,%0\n" EACH(LOAD) EACH(LOADV) "mr 11,9\nlwz 0,16(11)\nmtspr 256,0\n" \
  "addi 9,9,-16\nlvx 0,0,11\nmtvscr 0\naddi 9,11,-512\nlvx 0,0,9\n" \
  something \
  "mr 9,%1\n" EACH(STORE) EACH(STOREV) "mfvscr 0\nstvx 0,0,9\nmfspr 0,256\nstw 0,16(9)\n.machine pop" \
  : : "r"(&before), "r"(&now), ##__VA_ARGS__ : CLOBBERS)

#ifdef __powerpc64__
#define REGS(uc) ((Double *)((char *)(uc) + 168 + 64))
#define AREA(uc) (*(char **)((char *)(uc) + 168 + 712))
#define ALIGNED(uc) (((unsigned long)(uc) + 168 + 720 + 15) & -16)
#define HALVES(area) ((area) + 34 * 16)
#define VRSAVE(area) ((unsigned *)((area) + 33 * 16))
#define FPRS(uc) ((Double *)((char *)(uc) + 168 + 448))
#define SIZE 1696
#else
#define MCONTEXT(uc) (*(char **)((char *)(uc) + 48))
#define REGS(uc) ((unsigned *)MCONTEXT(uc))
#define AREA(uc) (MCONTEXT(uc) + 464)
#define ALIGNED(uc) (((unsigned long)(uc) + 192 + 464 + 15) & -16)
#define HALVES(area) ((area) + 33 * 16)
#define VRSAVE(area) ((unsigned *)((area) + 32 * 16))
#define FPRS(uc) ((Double *)(MCONTEXT(uc) + 192))
#define SIZE 1440
#endif
#define VEC 0x2000000
#define VSX 0x800000
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST 1
#define VSCR_WORD 0
#else
#define FIRST 0
#define VSCR_WORD 3
#endif

static Double *doubleword(Quad *quad, int n) { return (Double *)quad + (n ^ FIRST); }

/* What a ucontext says, held against `from`. */
static void look(void *uc, Registers *from) {
  char *area = AREA(uc);
  int vrs = memcmp(area, from->vsr[32], 32 * 16) == 0, halves = 1, fprs = 1;
  for (int n = 0; n < 32; n++) {
    halves &= ((Double *)HALVES(area))[n] == *doubleword(&from->vsr[n], 1);
    fprs &= FPRS(uc)[n] == *doubleword(&from->vsr[n], 0);
  }
  unsigned vscr = ((unsigned *)(area + 32 * 16))[VSCR_WORD];
  printf("area %s, MSR has %s%s, VRs %s, VSCR %x, VRSAVE %x, FPRs %s, halves %s\n",
         (unsigned long)area == ALIGNED(uc) && (unsigned long)area % 16 == 0 ? "in place" : "elsewhere",
         REGS(uc)[33] & VEC ? "VEC" : "-", REGS(uc)[33] & VSX ? " VSX" : " -", vrs ? "right" : "wrong", vscr, *VRSAVE(area),
         fprs ? "right" : "wrong", halves ? "right" : "wrong");
}

static int mode;
static void handler(int signo, siginfo_t *info, void *uc) {
  char *area = AREA(uc);
  look(uc, &before);
  asm volatile(EACH(ZERO) : : : CLOBBERS);
  REGS(uc)[32] += 4;
  if (mode == 1) {
    memset(area + 5 * 16, 0xa5, 16);
    ((Double *)HALVES(area))[7] = 0x1234567890abcdefull;
    FPRS(uc)[9] = 0x4045000000000000ull;
    *VRSAVE(area) = 0x55aa;
    ((unsigned *)(area + 32 * 16))[VSCR_WORD] = 1;
  }
  if (mode == 2) REGS(uc)[33] &= ~(unsigned long)VEC;
  if (mode == 3) REGS(uc)[33] &= ~(unsigned long)VSX;
}

static void compare(const char *what) {
  int equal = memcmp(now.vsr, expected.vsr, sizeof now.vsr) == 0;
  printf("%s: registers %s, VSCR %x, VRSAVE %x\n", what, equal ? "right" : "wrong", ((unsigned *)now.vscr)[VSCR_WORD], now.vrsave);
  for (int n = 0; n < 64; n++)
    if (memcmp(now.vsr[n], expected.vsr[n], 16)) printf("VSR %d is wrong\n", n);
}

static char old[2048] __attribute__((aligned(16))), *context = old;

int main(void) {
  for (unsigned i = 0; i < sizeof before.vsr; i++) ((char *)before.vsr)[i] = i * 7 + i / 16;
  before.vrsave = 0xc001d00d;
  ((unsigned *)before.vscr)[VSCR_WORD] = 0x10001;
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGILL, &action, NULL);

  expected = before;
  WITH_ALL(".long 0\n");
  compare("a handler that uses them");

  mode = 1;
  memset(expected.vsr[32 + 5], 0xa5, 16);
  *doubleword(&expected.vsr[7], 1) = 0x1234567890abcdefull;
  *doubleword(&expected.vsr[9], 0) = 0x4045000000000000ull;
  WITH_ALL(".long 0\n");
  compare("a handler that changes the frame");

  mode = 2;
  expected = before;
  memset(expected.vsr[32], 0, 32 * 16);
  WITH_ALL(".long 0\n");
  compare("no VEC on return");

  mode = 3;
  expected = before;
  for (int n = 0; n < 32; n++) *doubleword(&expected.vsr[n], 1) = 0;
  WITH_ALL(".long 0\n");
  compare("no VSX on return");

  /* The context goes on behind the call a second time, which finds `loads` at one. */
  memset(old, 0xee, sizeof old);
#ifndef __powerpc64__
  *(char **)(old + 48) = old + 192;
#endif
  expected = before;
  WITH_ALL("mr 3,%2\nli 4,0\nli 5,%3\nli 0,%4\nsc\n", "r"(context), "i"(SIZE), "i"(SYS_swapcontext));
  if (loads > 0) memset(expected.vsr[63], 0x11, 16);
  compare(loads++ ? "loaded" : "saved");
  if (loads == 1) {
    look(old, &before);
    memset(AREA(old) + 31 * 16, 0x11, 16);
    memset(before.vsr, 0, sizeof before.vsr);
    syscall(SYS_swapcontext, NULL, old, SIZE);
  }
  return 0;
}
