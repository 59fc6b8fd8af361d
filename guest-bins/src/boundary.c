/*
 * A whole life in a few thousand instructions, without a C library, small enough to be frozen at every one of them:
 * system calls, output, a loop, multiplication and division, floating point with a changed rounding mode, an
 * anonymous mapping, a signal handler that sees siginfo and returns, byte-wise copying, and an odd exit status.
 * It lies low, so that a small address space holds it, which is soon made.
 * Build: -nostdlib -nostartfiles -ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -Wl,-z,max-page-size=4096 -Wl,-z,noseparate-code -Wl,-Ttext-segment=0x200000
 * Variants: O2
 */
typedef unsigned long word;
typedef unsigned int uint;

enum { WRITE = 4, GETPID = 20, KILL = 37, MMAP = 90, MUNMAP = 91, RT_SIGACTION = 173, EXIT_GROUP = 234, SIGUSR1 = 10 };

static long call(word number, word a, word b, word c, word d, word e, word f) {
  register word r0 __asm__("r0") = number, r3 __asm__("r3") = a, r4 __asm__("r4") = b, r5 __asm__("r5") = c;
  register word r6 __asm__("r6") = d, r7 __asm__("r7") = e, r8 __asm__("r8") = f;
  __asm__ volatile("sc\n\tbns 1f\n\tneg 3,3\n1:"
                   : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8)
                   :
                   : "r9", "r10", "r11", "r12", "cr0", "ctr", "memory");
  return (long)r3;
}

static volatile int handled;
static volatile double kept;

static void handler(int number, int *info) {
  handled = number * 100 + info[0];
  kept = kept * 1.5;
}

static void put(char *at, const char *name, uint value) {
  char *start = at;
  while (*name) *at++ = *name++;
  for (int shift = 28; shift >= 0; shift -= 4) *at++ = "0123456789abcdef"[value >> shift & 15];
  *at++ = '\n';
  call(WRITE, 1, (word)start, at - start, 0, 0, 0);
}

static uint real_bits(double x) {
  union { double d; uint w[2]; } bits = {.d = x};
  return bits.w[0] ^ bits.w[1];
}

static int life(void) {
  struct { word handler, flags, restorer; uint mask[2]; } action = {(word)handler, 4 /* SA_SIGINFO */, 0, {0, 0}};
  char *page = (char *)call(MMAP, 0, 8192, 3, 0x22, -1, 0);
  volatile double third = 3, sum = 0;
  uint hash = 2166136261u;
  if ((long)page < 0 && (long)page > -4096) return 1;
  for (uint i = 1; i <= 60; i++) {
    hash = (hash ^ i) * 16777619u;
    page[4090 + i % 12] += hash / (i * 7);
    sum += i / third;
  }
  put(page, "hash ", hash);
  put(page + 64, "real ", real_bits(sum));
  __asm__ volatile("mtfsfi 7,2"); /* round towards plus infinity */
  double up = 1 / third;
  __asm__ volatile("mtfsfi 7,0");
  put(page + 128, "up ", real_bits(up));
  kept = 7;
  call(RT_SIGACTION, SIGUSR1, (word)&action, 0, 8, 0, 0);
  call(KILL, call(GETPID, 0, 0, 0, 0, 0, 0), SIGUSR1, 0, 0, 0, 0);
  put(page + 192, "handled ", handled);
  put(page + 256, "kept ", real_bits(kept));
  uint bytes = 0;
  for (int i = 4090; i < 4102; i++) bytes = bytes * 31 + (unsigned char)page[i];
  put(page + 320, "bytes ", bytes);
  return call(MUNMAP, (word)page, 8192, 0, 0, 0, 0) == 0 ? 42 : 2;
}

__attribute__((noreturn)) void _start(void) {
  call(EXIT_GROUP, life(), 0, 0, 0, 0, 0);
  for (;;) continue;
}
