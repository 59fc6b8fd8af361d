/* Recursion: Fibonacci, Ackermann, Hanoi, queens, mutual recursion, and a stack that grows by megabytes. */
#include <alloca.h>
#include <string.h>

#include "guest.h"

static unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static unsigned ackermann(unsigned m, unsigned n) {
  return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}
static int is_odd(unsigned n);
__attribute__((noinline)) static int is_even(unsigned n) { return n == 0 ? 1 : is_odd(n - 1); }
__attribute__((noinline)) static int is_odd(unsigned n) { return n == 0 ? 0 : is_even(n - 1); }

static uint32_t hanoi(int disks, int from, int to, uint32_t sum) {
  if (disks == 0) return sum;
  sum = hanoi(disks - 1, from, 6 - from - to, sum);
  sum = fnv1a_u64(sum, from * 10 + to);
  return hanoi(disks - 1, 6 - from - to, to, sum);
}

static int queens(int size, unsigned columns, unsigned left, unsigned right) {
  unsigned all = (1u << size) - 1, open = all & ~(columns | left | right);
  int count = columns == all;
  while (open != 0) {
    unsigned bit = open & -open;
    open ^= bit;
    count += queens(size, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return count;
}

/* Each level has a kilobyte of its own that the levels below must not disturb. */
__attribute__((noinline)) static unsigned deep(int level) {
  volatile unsigned char pad[1024];
  memset((void *)pad, level, sizeof pad);
  unsigned below = level == 0 ? 0 : deep(level - 1);
  for (int i = 0; i < 1024; i += 100) CHECK(pad[i] == (unsigned char)level);
  return below + pad[512];
}

static unsigned variable_frames(int level) {
  size_t size = (size_t)level % 50 * 16 + 16;
  unsigned char *room = alloca(size);
  memset(room, level, size);
  unsigned below = level == 0 ? 0 : variable_frames(level - 1);
  return below + room[size - 1];
}

static int permutations(char *text, int at, int length, uint32_t *sum) {
  if (at == length) {
    *sum = fnv1a(*sum, text, length);
    return 1;
  }
  int count = 0;
  for (int i = at; i < length; i++) {
    char swap = text[at];
    text[at] = text[i], text[i] = swap;
    count += permutations(text, at + 1, length, sum);
    swap = text[at];
    text[at] = text[i], text[i] = swap;
  }
  return count;
}

int main(void) {
  char text[] = "abcdef";
  uint32_t sum = FNV_START;
  printf("fib %u, ackermann %u, odd %d\n", fib(20), ackermann(2, 40), is_odd(2001));
  printf("hanoi %08x, queens %d\n", hanoi(12, 1, 3, FNV_START), queens(7, 0, 0, 0));
  printf("deep %u, variable %u\n", deep(5000), variable_frames(3000));
  int count = permutations(text, 0, 6, &sum);
  printf("permutations %d %08x\n", count, sum);
  return fib(12);
}
