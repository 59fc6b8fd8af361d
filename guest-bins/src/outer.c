/* The outer products of POWER10's matrix assist: integers and floating point, with and without masks. What has no mask is summed up by
   hand as well.
   Build: -O1
   Variants: power10
   Targets: ppc64 ppc64le */
#include <altivec.h>

#include "guest.h"

typedef vector unsigned char Bytes;

/* Rows and columns as GCC has them: for little-endian programs it turns round elements and rows alike. */
static union {
  int8_t i8[16];
  uint8_t u8[16];
  int16_t i16[8];
  uint16_t u16[8];
  float f[4];
  double d[2];
  Bytes v;
} a, b, a2;
static union {
  int32_t i[4][4];
  float f[4][4];
  double d[4][2];
  Bytes v[4];
} before, after;

static uint32_t state = 11;

static int small(void) { return (int)(next_random(&state) >> 8) % 41 - 20; }

/* A small integer in half precision, and as a brain float. */
static uint16_t half(int n) {
  unsigned m = n < 0 ? -n : n, e = 0;
  if (m == 0) return 0;
  while (m >> (e + 1)) e++;
  return (n < 0) << 15 | (e + 15) << 10 | (m << (10 - e) & 0x3ff);
}
static uint16_t brain(int n) {
  union {
    float f;
    uint32_t bits;
  } single = {n};
  return single.bits >> 16;
}

static void show(const char *name) {
  uint32_t hash = FNV_START;
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) hash = fnv1a_u64(hash, (uint32_t)after.i[i][j]);
  printf("%-14s %08x\n", name, hash);
}

/* Runs an instruction on the accumulator, whose contents are `before` and come to `after`. */
#define RUN(instruction, ...)                                                                           \
  do {                                                                                                  \
    __vector_quad acc;                                                                                  \
    __builtin_mma_build_acc(&acc, before.v[0], before.v[1], before.v[2], before.v[3]);                  \
    __builtin_mma_##instruction(&acc, __VA_ARGS__);                                                     \
    __builtin_mma_disassemble_acc(after.v, &acc);                                                       \
    show(#instruction);                                                                                 \
  } while (0)

static int32_t saturated(int64_t sum) { return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum; }

/* The sum of the products that belong to an element, of nibbles, bytes or halfwords. */
static int64_t sum(int bits, int i, int j) {
  int64_t all = 0;
  if (bits == 4) {
    for (int k = 0; k < 4; k++) {
      int8_t x = a.i8[4 * i + k], y = b.i8[4 * j + k];
      all += (x >> 4) * (y >> 4) + ((int8_t)(x << 4) >> 4) * ((int8_t)(y << 4) >> 4);
    }
  } else if (bits == 8) {
    for (int k = 0; k < 4; k++) all += a.i8[4 * i + k] * b.u8[4 * j + k];
  } else {
    for (int k = 0; k < 2; k++) all += (int64_t)a.i16[2 * i + k] * b.i16[2 * j + k];
  }
  return all;
}

#define CHECK_INTEGERS(value)            \
  for (int i = 0; i < 4; i++)            \
    for (int j = 0; j < 4; j++) CHECK(after.i[i][j] == (int32_t)(value))

static void integers(void) {
  for (int i = 0; i < 16; i++) {
    a.u8[i] = next_random(&state) >> 7, b.u8[i] = next_random(&state) >> 9;
    before.i[i / 4][i % 4] = i % 3 == 0 ? (int32_t)next_random(&state) : i % 2 ? INT32_MAX - i : INT32_MIN + i;
  }
  RUN(xvi4ger8, a.v, b.v);
  CHECK_INTEGERS(sum(4, i, j));
  RUN(xvi4ger8pp, a.v, b.v);
  CHECK_INTEGERS(before.i[i][j] + sum(4, i, j));
  RUN(xvi8ger4, a.v, b.v);
  CHECK_INTEGERS(sum(8, i, j));
  RUN(xvi8ger4pp, a.v, b.v);
  CHECK_INTEGERS(before.i[i][j] + sum(8, i, j));
  RUN(xvi8ger4spp, a.v, b.v);
  CHECK_INTEGERS(saturated(before.i[i][j] + sum(8, i, j)));
  RUN(xvi16ger2, a.v, b.v);
  CHECK_INTEGERS(sum(16, i, j));
  RUN(xvi16ger2s, a.v, b.v);
  CHECK_INTEGERS(saturated(sum(16, i, j)));
  RUN(xvi16ger2pp, a.v, b.v);
  CHECK_INTEGERS(before.i[i][j] + sum(16, i, j));
  RUN(xvi16ger2spp, a.v, b.v);
  CHECK_INTEGERS(saturated(before.i[i][j] + sum(16, i, j)));
  RUN(pmxvi4ger8, a.v, b.v, 11, 14, 0x5a);
  RUN(pmxvi4ger8pp, a.v, b.v, 7, 15, 0xc3);
  RUN(pmxvi8ger4, a.v, b.v, 13, 7, 5);
  RUN(pmxvi8ger4pp, a.v, b.v, 15, 9, 14);
  RUN(pmxvi8ger4spp, a.v, b.v, 6, 15, 11);
  RUN(pmxvi16ger2, a.v, b.v, 12, 15, 2);
  RUN(pmxvi16ger2s, a.v, b.v, 15, 3, 1);
  RUN(pmxvi16ger2pp, a.v, b.v, 5, 13, 3);
  RUN(pmxvi16ger2spp, a.v, b.v, 10, 11, 3);
}

static int x[4][2], y[4][2];

#define CHECK_SINGLES(sign, products)                                     \
  for (int i = 0; i < 4; i++)                                             \
    for (int j = 0; j < 4; j++) CHECK(after.f[i][j] == sign(products))
#define PRODUCTS (float)(x[i][0] * y[j][0] + x[i][1] * y[j][1])

/* All forms of an instruction on halves: how products and accumulator are signed. */
#define HALVES(instruction, format)                                                                    \
  do {                                                                                                 \
    for (int i = 0; i < 8; i++) a.u16[i] = format(x[i / 2][i % 2]), b.u16[i] = format(y[i / 2][i % 2]); \
    RUN(instruction, a.v, b.v);                                                                        \
    CHECK_SINGLES(+, PRODUCTS);                                                                        \
    RUN(instruction##pp, a.v, b.v);                                                                    \
    CHECK_SINGLES(+, PRODUCTS + before.f[i][j]);                                                       \
    RUN(instruction##pn, a.v, b.v);                                                                    \
    CHECK_SINGLES(+, PRODUCTS - before.f[i][j]);                                                       \
    RUN(instruction##np, a.v, b.v);                                                                    \
    CHECK_SINGLES(+, before.f[i][j] - PRODUCTS);                                                       \
    RUN(instruction##nn, a.v, b.v);                                                                    \
    CHECK_SINGLES(-, (PRODUCTS + before.f[i][j]));                                                     \
    RUN(pm##instruction, a.v, b.v, 14, 7, 2);                                                          \
    RUN(pm##instruction##pp, a.v, b.v, 9, 15, 3);                                                      \
    RUN(pm##instruction##pn, a.v, b.v, 15, 10, 1);                                                     \
    RUN(pm##instruction##np, a.v, b.v, 15, 5, 2);                                                      \
    RUN(pm##instruction##nn, a.v, b.v, 3, 15, 3);                                                      \
  } while (0)

static void floats(void) {
  for (int i = 0; i < 8; i++) x[i / 2][i % 2] = small(), y[i / 2][i % 2] = small();
  for (int i = 0; i < 16; i++) before.f[i / 4][i % 4] = small();
  HALVES(xvf16ger2, half);
  HALVES(xvbf16ger2, brain);

  for (int i = 0; i < 4; i++) a.f[i] = x[i][0], b.f[i] = y[i][0], x[i][1] = 0;
  RUN(xvf32ger, a.v, b.v);
  CHECK_SINGLES(+, PRODUCTS);
  RUN(xvf32gerpp, a.v, b.v);
  CHECK_SINGLES(+, PRODUCTS + before.f[i][j]);
  RUN(xvf32gerpn, a.v, b.v);
  CHECK_SINGLES(+, PRODUCTS - before.f[i][j]);
  RUN(xvf32gernp, a.v, b.v);
  CHECK_SINGLES(+, before.f[i][j] - PRODUCTS);
  RUN(xvf32gernn, a.v, b.v);
  CHECK_SINGLES(-, (PRODUCTS + before.f[i][j]));
  RUN(pmxvf32ger, a.v, b.v, 11, 13);
  RUN(pmxvf32gerpp, a.v, b.v, 7, 14);
  RUN(pmxvf32gerpn, a.v, b.v, 14, 11);
  RUN(pmxvf32gernp, a.v, b.v, 15, 9);
  RUN(pmxvf32gernn, a.v, b.v, 6, 15);
}

static void doubles(void) {
  double factors[4];
  __vector_pair pair;
  for (int i = 0; i < 4; i++) factors[i] = small() / 4.0;
  for (int i = 0; i < 2; i++) a.d[i] = factors[i], a2.d[i] = factors[2 + i], b.d[i] = small() * 8.0;
  for (int i = 0; i < 8; i++) before.d[i / 2][i % 2] = small();
  __builtin_vsx_build_pair(&pair, a.v, a2.v);
  RUN(xvf64ger, pair, b.v);
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 2; j++) CHECK(after.d[i][j] == factors[i] * b.d[j]);
  RUN(xvf64gerpp, pair, b.v);
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 2; j++) CHECK(after.d[i][j] == factors[i] * b.d[j] + before.d[i][j]);
  RUN(xvf64gerpn, pair, b.v);
  RUN(xvf64gernp, pair, b.v);
  RUN(xvf64gernn, pair, b.v);
  RUN(pmxvf64ger, pair, b.v, 13, 2);
  RUN(pmxvf64gerpp, pair, b.v, 11, 3);
  RUN(pmxvf64gerpn, pair, b.v, 14, 1);
  RUN(pmxvf64gernp, pair, b.v, 7, 3);
  RUN(pmxvf64gernn, pair, b.v, 15, 2);
}

int main(void) {
  for (int round = 0; round < 5; round++) {
    integers();
    floats();
    doubles();
  }
  return 0;
}
