/* 64-bit integers, which a 32-bit machine makes of pairs: shifts, products, comparisons, overflow, switch, text. */
#include <inttypes.h>

#include "guest.h"

static const uint64_t values[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
                                  0x8000000000000000, 0xffffffffffffffff, 0x123456789abcdef0, 0xfedcba9800000001};

static uint64_t high_product(uint64_t a, uint64_t b) {
  uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
  uint64_t low = al * bl, m1 = ah * bl + (low >> 32), m2 = al * bh + (uint32_t)m1;
  return ah * bh + (m1 >> 32) + (m2 >> 32);
}

static uint64_t power_modulo(uint64_t base, uint64_t exponent, uint64_t modulus) {
  uint64_t result = 1;
  for (base %= modulus; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = result * base % modulus;
    base = base * base % modulus;
  }
  return result;
}

static const char *choose(int64_t n) {
  switch (n) {
    case INT64_MIN: return "lowest";
    case -1: return "minus one";
    case 0x100000000: return "two to the 32";
    case 0: return "zero";
    default: return n < 0 ? "negative" : "positive";
  }
}

int main(void) {
  uint32_t sum = FNV_START;
  for (unsigned i = 0; i < COUNT(values); i++)
    for (unsigned j = 0; j < COUNT(values); j++) {
      uint64_t a = values[i], b = values[j];
      int64_t sa = a, sb = b, result;
      sum = fnv1a_u64(fnv1a_u64(sum, a + b), a - b);
      sum = fnv1a_u64(fnv1a_u64(sum, a * b), high_product(a, b));
      sum = fnv1a_u64(sum, (a < b) | (sa < sb) << 1 | (a == b) << 2 | (sa >= sb) << 3 | (a > b) << 4);
      int overflow = __builtin_add_overflow(sa, sb, &result) | __builtin_sub_overflow(sa, sb, &result) << 1 |
                     __builtin_mul_overflow(sa, sb, &result) << 2;
      uint64_t wrapped;
      overflow |= __builtin_mul_overflow(a, b, &wrapped) << 3;
      sum = fnv1a_u64(fnv1a_u64(sum, overflow), wrapped);
    }
  printf("pairs %08x\n", sum);
  for (unsigned i = 0; i < COUNT(values); i++) {
    for (int shift = 0; shift < 64; shift++)
      sum = fnv1a_u64(sum, (values[i] << shift) ^ (values[i] >> shift) ^ ((int64_t)values[i] >> (63 - shift)));
    printf("%" PRId64 " %" PRIu64 " %" PRIx64 " %s %08x\n", (int64_t)values[i], values[i], values[i], choose(values[i]), sum);
  }
  printf("powers %" PRIu64 " %" PRIu64 "\n", power_modulo(3, 1000000006, 1000000007), power_modulo(2, 123456789, 4294967291));
  uint64_t fact = 1;
  for (int n = 1; n <= 20; n++) fact *= n;
  printf("20! = %" PRIu64 ", digits back %" PRIu64 "\n", fact, (uint64_t)strtoull("2432902008176640000", NULL, 10));
  int64_t saturated = 1;
  for (int i = 0; i < 50 && !__builtin_mul_overflow(saturated, -7, &saturated); i++) continue;
  printf("after overflow %" PRId64 "\n", saturated);
  return sum & 0xff;
}
