/* Bit tricks: counting, rotating, reversing, byte swapping, fields, inserts, parity and Gray codes in 8 to 64 bits. */
#include "guest.h"

struct fields {
  unsigned flag : 1, small : 3;
  signed delta : 5;
  unsigned long long wide : 37;
  unsigned rest : 18;
};

static uint32_t reverse32(uint32_t x) {
  x = (x >> 1 & 0x55555555) | (x & 0x55555555) << 1;
  x = (x >> 2 & 0x33333333) | (x & 0x33333333) << 2;
  x = (x >> 4 & 0x0f0f0f0f) | (x & 0x0f0f0f0f) << 4;
  return __builtin_bswap32(x);
}

static uint64_t rotate64(uint64_t x, unsigned n) { return x << (n & 63) | x >> (-n & 63); }
static uint32_t rotate32(uint32_t x, unsigned n) { return x << (n & 31) | x >> (-n & 31); }

static uint32_t square_root(uint64_t n) {
  uint64_t root = 0;
  for (uint64_t bit = 1ull << 62; bit != 0; bit >>= 2) {
    if (n >= root + bit) n -= root + bit, root = (root >> 1) + bit;
    else root >>= 1;
  }
  return root;
}

int main(void) {
  uint32_t random = 2463534242u, sum = FNV_START;
  for (int i = 0; i < 64; i++) {
    uint64_t one = 1ull << i, ones = ~0ull >> i;
    CHECK(__builtin_clzll(one) == 63 - i && __builtin_ctzll(one) == i && __builtin_popcountll(ones) == 64 - i);
    CHECK(rotate64(one, 64 - i) == 1 && __builtin_ffsll(one) == i + 1);
  }
  for (int i = 0; i < 4000; i++) {
    uint32_t x = next_random(&random), n = next_random(&random);
    uint64_t w = (uint64_t)x << 32 | n;
    CHECK(reverse32(reverse32(x)) == x);
    sum = fnv1a_u64(sum, rotate32(x, n) ^ reverse32(n));
    sum = fnv1a_u64(sum, rotate64(w, n) ^ __builtin_bswap64(w));
    sum = fnv1a_u64(sum, __builtin_popcount(x) + 100 * __builtin_parityll(w) + 1000 * __builtin_clz(x | 1));
    sum = fnv1a_u64(sum, (uint16_t)__builtin_bswap16(x) | (x & 0x00ff00) << 8 | ((int8_t)n & 0xf00000));
    sum = fnv1a_u64(sum, (int64_t)w >> (n & 63) ^ w << (x & 63) ^ (int32_t)x >> (n & 31));
    sum = fnv1a_u64(sum, (w & -w) | (w ^ w >> 1) | square_root(w));
    sum = fnv1a_u64(sum, (x & ~n) ^ ~(x | n) ^ ~(x & n) ^ (x | ~n) ^ ~(x ^ n));
  }
  printf("random %08x\n", sum);
  struct fields f = {0};
  for (int i = 0; i < 100; i++) {
    f.flag ^= 1;
    f.small += 3;
    f.delta -= 7;
    f.wide = f.wide * 6364136223846793005ull + 1442695040888963407ull;
    f.rest ^= f.wide >> 5;
  }
  printf("fields %u %u %d %llx %x\n", f.flag, f.small, f.delta, (unsigned long long)f.wide, f.rest);
  for (int i = 0; i < 8; i++) printf("%d gray %d rev %02x%s", i, i ^ i >> 1, reverse32(i) >> 24, i < 7 ? ", " : "\n");
  printf("roots %u %u\n", square_root(~0ull), square_root(152399025));
  return sum & 1;
}
