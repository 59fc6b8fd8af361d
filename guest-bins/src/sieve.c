/* Prime numbers by two sieves, a byte a number and a bit an odd number: strided stores, bit addressing, counting. */
#include <string.h>

#include "guest.h"

enum { LIMIT = 200000 };

static unsigned char composite[LIMIT + 1];
static uint32_t odd_composite[LIMIT / 64 + 1];

static int by_bytes(void) {
  int count = 0;
  for (int i = 2; i <= LIMIT; i++) {
    if (composite[i]) continue;
    count++;
    if (i > LIMIT / i) continue;
    for (int j = i * i; j <= LIMIT; j += i) composite[j] = 1;
  }
  return count;
}

static int by_bits(void) {
  int count = 1;
  for (int i = 3; i <= LIMIT; i += 2) {
    if (odd_composite[i >> 6] >> (i >> 1 & 31) & 1) continue;
    count++;
    if (i < 448)
      for (int j = i * i; j <= LIMIT; j += 2 * i) odd_composite[j >> 6] |= 1u << (j >> 1 & 31);
  }
  return count;
}

int main(void) {
  int bytes = by_bytes(), bits = by_bits(), twins = 0, widest = 0, previous = 2;
  uint32_t sum = FNV_START;
  for (int i = 3; i <= LIMIT; i++) {
    if (composite[i]) continue;
    twins += i - previous == 2;
    if (i - previous > widest) widest = i - previous;
    sum = fnv1a_u64(sum, i);
    previous = i;
  }
  printf("%d primes up to %d, %d by bits\n", bytes, LIMIT, bits);
  printf("%d twins, widest gap %d, largest %d, checksum %08x\n", twins, widest, previous, sum);
  return bytes == bits ? 0 : 1;
}
