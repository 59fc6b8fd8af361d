/*
 * Keeps values in vector, VSX, decimal and (where there are any) accumulator registers while signals come, whose handler uses all of
 * these registers itself. No C library. Ends with 42 if the values are those of a run without signals.
 */
#include <altivec.h>

typedef vector unsigned int Words;
typedef vector double Doubles;
typedef vector unsigned char Bytes;

static volatile int signals;

static long call(long number, long a, long b, long c, long d) {
  register long r0 asm("r0") = number;
  register long r3 asm("r3") = a;
  register long r4 asm("r4") = b;
  register long r5 asm("r5") = c;
  register long r6 asm("r6") = d;
  asm volatile("sc" : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6)::"memory", "cr0", "ctr", "xer", "r7", "r8", "r9", "r10", "r11", "r12");
  return r3;
}
enum { EXIT = 1, GETPID = 20, KILL = 37, SIGACTION = 173, USR1 = 10 };

struct state {
  Words words;
  Doubles doubles;
  unsigned long long decimal;
  unsigned sums;
};

/* One turn of everything; `raise` sends a signal in the middle of it. */
static __attribute__((noinline)) struct state compute(unsigned seed, int turns, int raise) {
  Words a = {seed, seed * 3, seed * 5, seed * 7}, b = {1, 2, 3, seed};
  Doubles x = {seed / 3.0, 1.0 / seed}, y = {0.5, 1.25};
  _Decimal64 money = (_Decimal64)seed / 7;
  unsigned sums = 0;
#ifdef __MMA__
  __vector_quad accumulator;
  __builtin_mma_xxsetaccz(&accumulator);
#endif
  for (int i = 0; i < turns; i++) {
    a = vec_add(vec_rl(a, b), vec_xor(b, vec_splats((unsigned)i)));
    b = vec_perm(a, b, (Bytes){3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15, 30, 1, 16});
    x = vec_madd(x, y, vec_splats(0.25));
    y = vec_sub(y, vec_mul(x, vec_splats(0.125)));
    money = money * 1.01DD + 0.37DD;
#ifdef __MMA__
    __builtin_mma_xvi8ger4pp(&accumulator, (Bytes)a, (Bytes)b);
#endif
    if (raise && i == turns / 2) call(KILL, call(GETPID, 0, 0, 0, 0), USR1, 0, 0);
  }
#ifdef __MMA__
  Words rows[4];
  __builtin_mma_disassemble_acc(rows, &accumulator);
  for (int i = 0; i < 4; i++) a = vec_add(a, rows[i]);
#endif
  for (int i = 0; i < 4; i++) sums = sums * 31 + a[i] + b[i];
  return (struct state){b, x, ((union { _Decimal64 value; unsigned long long bits; }){money}).bits, sums};
}

static void handler(int signal) {
  struct state state = compute(signal + 77, 2, 0);
  signals += state.sums != 0;
}

/* Without a library there is no trampoline to name: the kernel's own is in the vdso. */
struct action {
  void (*handler)(int);
  unsigned long flags;
  void *restorer;
  unsigned long mask[8 / sizeof(long)];
};

void start(void) {
  static const struct action action = {handler, 0, 0, {0}};
  call(SIGACTION, USR1, (long)&action, 0, 8);
  struct state plain = compute(5, 6, 0);
  struct state signalled = compute(5, 6, 1);
  int same = vec_all_eq(plain.words, signalled.words) && vec_all_eq(plain.doubles, signalled.doubles) &&
             plain.decimal == signalled.decimal && plain.sums == signalled.sums;
  call(EXIT, same && signals == 1 ? 42 : 1, 0, 0, 0);
}

#if _CALL_ELF == 2
asm(".globl _start\n_start: addis 2,12,.TOC.-_start@ha\n addi 2,2,.TOC.-_start@l\n clrrdi 1,1,4\n stdu 1,-64(1)\n bl start\n nop");
#elif defined(__powerpc64__)
asm(".section \".opd\",\"aw\"\n.globl _start\n_start: .quad .start_code, .TOC.@tocbase, 0\n.text\n.start_code: clrrdi 1,1,4\n stdu 1,-128(1)\n bl start\n nop");
#else
asm(".globl _start\n_start: clrrwi 1,1,4\n stwu 1,-32(1)\n bl start");
#endif
