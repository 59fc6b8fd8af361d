/* __float128 in hardware: series, Machin's formula, an AGM, fused and rounded operations, conversions, comparisons.
   Build: -mfloat128 -ffp-contract=off
   Targets: ppc64le
   Variants: power9 power10 */
#include "guest.h"

typedef __float128 Quad;

static void show(const char *name, Quad value) {
  union {
    Quad quad;
    unsigned __int128 bits;
  } both = {value};
  printf("%-12s %016llx%016llx\n", name, (unsigned long long)(both.bits >> 64), (unsigned long long)both.bits);
}

static Quad inverse_tangent(int x) {
  Quad sum = 0, power = (Quad)1 / x;
  for (int k = 1; k < 60; k += 2) {
    sum += k % 4 == 1 ? power / k : -power / k;
    power /= (Quad)x * x;
  }
  return sum;
}

static Quad root(Quad value) {
  Quad x = (Quad)__builtin_sqrt((double)value);
  for (int i = 0; i < 4; i++) x = (x + value / x) / 2;
  return x;
}

int main(void) {
  Quad e = 0, term = 1, a = 1, b = root(0.5), t = 0.25, p = 1, harmonic = 0, chain = 1;
  uint32_t random = 4711;
  int order = 0;
  for (int k = 1; k < 40; k++) {
    e += term;
    term /= k;
  }
  show("e", e);
  show("machin", 16 * inverse_tangent(5) - 4 * inverse_tangent(239));
  for (int i = 0; i < 5; i++) {
    Quad next = (a + b) / 2;
    b = root(a * b);
    t -= p * (a - next) * (a - next);
    p *= 2;
    a = next;
  }
  show("agm", (a + b) * (a + b) / (4 * t));
  for (int k = 2000; k > 0; k--) harmonic += (Quad)1 / k;
  show("harmonic", harmonic);
  for (int i = 0; i < 400; i++) {
    Quad x = (Quad)(int32_t)next_random(&random) / 3;
    Quad y = (Quad)(int32_t)next_random(&random) * 0x1p-40 + x / 7;
    chain = chain * 0.75q + x * y - y / (x + 0.5q);
    order += (x < y) + 2 * (x == y) + 4 * (x >= y) + 8 * (-x > y);
  }
  show("chain", chain);
  printf("order %d\n", order);
  for (int i = 0; i < 8; i++) {
    Quad x = (Quad)(int64_t)((uint64_t)next_random(&random) << 32 | next_random(&random)) / (1 << (3 * i));
    printf("as %a %a %lld %llu %d\n", (double)x, (double)(float)x, (long long)x, (unsigned long long)(x < 0 ? -x : x), (int)(x / 0x1p40));
    show("from", (Quad)(double)x + (Quad)(float)x + (long long)x + (unsigned)i);
  }
  show("least", (Quad)0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1p-1074 * 0x1.8p-340);
  show("absolute", __builtin_fabsf128(-chain));
  show("sign", __builtin_copysignf128(e, -harmonic));
  return 0;
}
