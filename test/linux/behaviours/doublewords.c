/*
 * Instructions on doublewords, which 64-bit processors execute in 32-bit programs too: GPRs have upper halves there, which system calls and
 * switches of threads leave alone, and for which the signal frames of 32-bit programs have no room.
 */
#include "behaviour.h"
#include <pthread.h>

#define VALUE 0x123456789abcdef0ull

#ifdef __powerpc__
#include <sys/auxv.h>

/* Of 32-bit processors there are none. */
#define ONLY_ON_64_BITS                                                                                       \
  if (!(getauxval(AT_HWCAP) & 0x40000000)) return
#define CODE(text, ...) __asm__ volatile(".machine push; .machine power8\n" text "\n.machine pop" __VA_ARGS__)

/* A system call with a doubleword in r14: what r14 holds then. */
static uint64_t across(long number, long a, long b) {
  uint64_t value = VALUE, after;
  register long r0 __asm__("r0") = number;
  register long r3 __asm__("r3") = a;
  register long r4 __asm__("r4") = b;
  register uint64_t *at __asm__("r15") = &value;
  register uint64_t *to __asm__("r16") = &after;
  CODE("ld 14,0(%3); sc; std 14,0(%4)",
       : "+r"(r0), "+r"(r3), "+r"(r4)
       : "b"(at), "b"(to)
       : "r14", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "ctr", "memory");
  return after;
}
#else
#define ONLY_ON_64_BITS return
#define CODE(text, ...)
static uint64_t across(long number, long a, long b) { return VALUE; }
#endif

BEHAVIOUR(doublewords_are_computed_with) {
  ONLY_ON_64_BITS;
  uint64_t in[2] = {VALUE, 0xfedcba9876543210ull}, out[8];
  unsigned less;
  CODE("ld 9,0(%1); ld 10,8(%1); mulld 11,9,10; std 11,0(%2); mulhdu 11,9,10; std 11,8(%2)\n"
       "add 11,9,10; std 11,16(%2); rldicl 11,9,44,20; std 11,24(%2); sradi 11,10,4; std 11,32(%2)\n"
       "divdu 11,10,9; std 11,40(%2); li 11,-1; std 11,48(%2); rldicl 11,11,60,4; std 11,56(%2)\n"
       "cmpld 0,9,10; li %0,0; bge 0,1f; li %0,1; 1:",
       : "=&r"(less)
       : "b"(in), "b"(out)
       : "r9", "r10", "r11", "cr0", "xer", "memory");
  CHECK(out[0] == in[0] * in[1] && out[1] == 0x121fa00ad77d7422ull && out[2] == in[0] + in[1]);
  CHECK(out[3] == in[0] >> 20 && (int64_t)out[4] == (int64_t)in[1] >> 4 && out[5] == in[1] / in[0]);
  CHECK(out[6] == ~0ull && out[7] == ~0ull >> 4 && less == 1);
}

BEHAVIOUR(words_are_shifted_and_counted_as_doublewords) {
  ONLY_ON_64_BITS;
  for (unsigned i = 0, word = 0x8765; i < 20000; i++, word = word * 1664525 + 1013904223) {
    unsigned shifted, zeros, high;
    CODE("rldicl %0,%3,58,6; cntlzd %1,%3; rldicl %2,%3,32,32",
         : "=&r"(shifted), "=&r"(zeros), "=r"(high)
         : "r"(word & 0x7fffffff));
    CHECK(shifted == (word & 0x7fffffff) >> 6 && high == 0);
    CHECK(zeros == 32 + (word & 0x7fffffff ? __builtin_clz(word & 0x7fffffff) : 32));
  }
}

static volatile int handled;
static void handle(int signo) { handled += signo; }

BEHAVIOUR(handlers_in_32_bit_programs_lose_upper_halves) {
  ONLY_ON_64_BITS;
  CHECK(across(SYS_getpid, 0, 0) == VALUE && across(SYS_sched_yield, 0, 0) == VALUE);
  CHECK(signal(SIGUSR1, handle) != SIG_ERR);
  CHECK(across(SYS_kill, getpid(), SIGUSR1) == (sizeof(long) == 8 ? VALUE : VALUE & 0xffffffff));
  CHECK(handled == SIGUSR1);
}

BEHAVIOUR(upper_halves_are_copied_by_fork) {
  ONLY_ON_64_BITS;
  pid_t self = getpid();
  uint64_t value = across(SYS_fork, 0, 0);
  if (getpid() != self) _exit(value == VALUE && across(SYS_getppid, 0, 0) == VALUE ? 7 : 1);
  CHECK(value == VALUE);
  int status;
  CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void *yields(void *unused) {
  (void)unused;
  for (int i = 0; i < 50; i++) CHECK(across(SYS_sched_yield, 0, 0) == VALUE);
  return NULL;
}

BEHAVIOUR(threads_have_upper_halves_of_their_own) {
  ONLY_ON_64_BITS;
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) CHECK(pthread_create(&threads[i], NULL, yields, NULL) == 0);
  for (int i = 0; i < 3; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}
