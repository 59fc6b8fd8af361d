/* Division: 32 and 64 bits, signed and unsigned, by constants and variables, the extremes, and bit-by-bit as a check. */
#include "guest.h"

static uint64_t slow_divide(uint64_t a, uint64_t b, uint64_t *rest) {
  uint64_t quotient = 0, r = 0;
  for (int bit = 63; bit >= 0; bit--) {
    int carry = r >> 63;
    r = r << 1 | (a >> bit & 1);
    if (carry || r >= b) {
      r -= b;
      quotient |= 1ull << bit;
    }
  }
  *rest = r;
  return quotient;
}

static const int64_t edges[] = {0, 1, -1, 2, -2, 3, 7, 10, -10, 255, 65535, 65537, INT32_MAX, INT32_MIN, UINT32_MAX,
                                0x100000000, -0x100000000, 0x123456789abcdef, INT64_MAX, INT64_MIN + 1, INT64_MIN};

int main(void) {
  uint32_t sum = FNV_START, random = 99;
  for (unsigned i = 0; i < COUNT(edges); i++)
    for (unsigned j = 1; j < COUNT(edges); j++) {
      int64_t a = edges[i], b = edges[j];
      uint64_t ua = a, ub = b, rest;
      CHECK(ua / ub == slow_divide(ua, ub, &rest) && ua % ub == rest);
      sum = fnv1a_u64(fnv1a_u64(sum, ua / ub), ua % ub);
      if (!(a == INT64_MIN && b == -1)) { /* overflow: undefined in C */
        CHECK(a / b * b + a % b == a);
        sum = fnv1a_u64(fnv1a_u64(sum, a / b), a % b);
      }
      int32_t a32 = a, b32 = b;
      if (b32 != 0 && !(a32 == INT32_MIN && b32 == -1)) sum = fnv1a_u64(sum, (uint32_t)(a32 / b32 ^ a32 % b32));
    }
  printf("edges %08x\n", sum);
  for (int i = 0; i < 3000; i++) {
    uint64_t a = (uint64_t)next_random(&random) << 32 | next_random(&random);
    uint64_t b = ((uint64_t)next_random(&random) << 32 | next_random(&random)) >> (next_random(&random) & 63);
    int64_t s = a;
    if (b == 0) b = 1;
    sum = fnv1a_u64(fnv1a_u64(sum, a / b), a % b);
    sum = fnv1a_u64(fnv1a_u64(sum, s / 10), s % 10);
    sum = fnv1a_u64(fnv1a_u64(sum, s / 1000003), a % 641);
    sum = fnv1a_u64(sum, (int32_t)a / 7 + (uint32_t)a % 13u);
  }
  printf("random %08x\n", sum);
  printf("%lld %lld %lld %lld\n", -7LL / 2, -7LL % 2, 7LL / -2, 7LL % -2);
  lldiv_t both = lldiv(-1000000007LL * 1000003, 1234567);
  printf("lldiv %lld %lld, div %d %d\n", both.quot, both.rem, div(-17, 5).quot, div(-17, 5).rem);
#ifdef __SIZEOF_INT128__
  unsigned __int128 wide = (unsigned __int128)0xfedcba9876543210 * 0x0123456789abcdef + 12345;
  printf("128 bits %016llx %016llx\n", (unsigned long long)(wide / 0xfedcba9876543211),
         (unsigned long long)(wide % 1000000007));
#endif
  return 0;
}
