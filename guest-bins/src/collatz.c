/* Collatz chains in 64 bits, greatest common divisors, digit sums: compare-and-branch loops and 64-bit arithmetic. */
#include "guest.h"

static int chain(uint64_t n, uint64_t *peak) {
  int steps = 0;
  for (*peak = n; n != 1; steps++) {
    n = n & 1 ? 3 * n + 1 : n / 2;
    if (n > *peak) *peak = n;
  }
  return steps;
}

static uint64_t gcd(uint64_t a, uint64_t b) {
  while (b != 0) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static int digit_sum(uint64_t n) {
  int sum = 0;
  for (; n > 0; n /= 10) sum += n % 10;
  return sum;
}

int main(void) {
  int longest = 0;
  for (uint64_t n = 1; n < 6000; n++) {
    uint64_t peak;
    int steps = chain(n, &peak);
    if (steps > longest) {
      longest = steps;
      printf("%4llu: %3d steps, peak %llu\n", (unsigned long long)n, steps, (unsigned long long)peak);
    }
  }
  static const uint64_t starts[] = {837799, 8400511, 63728127, 670617279, 9780657630, 75128138247};
  for (unsigned i = 0; i < COUNT(starts); i++) {
    uint64_t peak;
    int steps = chain(starts[i], &peak);
    printf("%llu: %d steps, peak %llu\n", (unsigned long long)starts[i], steps, (unsigned long long)peak);
  }
  uint64_t a = 1, b = 1;
  for (int i = 0; i < 90; i++) {
    uint64_t next = a + b;
    a = b;
    b = next;
    if (i % 15 == 0) printf("fib %llu gcd %llu digits %d\n", (unsigned long long)b,
                            (unsigned long long)gcd(b, 720720), digit_sum(b));
  }
  return longest & 0xff;
}
