/* Loops that the compiler turns into vector code: integers of all sizes, singles, doubles, transposition, strides, conversions.
   Build: -ffp-contract=off
   Variants: 7450 power7 power8 power9 power10 */
#include <string.h>

#include "guest.h"

#define N 1003

static int8_t bytes[N], more_bytes[N];
static uint16_t halves[N], more_halves[N];
static int32_t words[N], more_words[N];
static int64_t doublewords[N], more_doublewords[N];
static float singles[N], more_singles[N];
static double doubles[N], more_doubles[N];
static uint8_t matrix[8][16], transposed[16][8];

#define SHOW(array) printf("%-18s %08x\n", #array, fnv1a_elements(array, COUNT(array), sizeof(array[0])))

/* A checksum that doesn't depend on the byte order. */
static uint32_t fnv1a_elements(const void *array, size_t count, size_t size) {
  uint32_t hash = FNV_START;
  for (size_t i = 0; i < count; i++) {
    const char *at = (const char *)array + i * size;
    uint64_t value = 0;
    if (size == 1) value = *(const uint8_t *)at;
    else if (size == 2) value = *(const uint16_t *)at;
    else if (size == 4) value = *(const uint32_t *)at;
    else value = *(const uint64_t *)at;
    hash = fnv1a_u64(hash, value);
  }
  return hash;
}

__attribute__((noinline)) static void integers(void) {
  for (int i = 0; i < N; i++) bytes[i] = bytes[i] > more_bytes[i] ? bytes[i] - more_bytes[i] : more_bytes[i] ^ 0x55;
  for (int i = 0; i < N; i++) halves[i] = (halves[i] + more_halves[i] + 1) >> 1;
  for (int i = 0; i < N; i++) words[i] = words[i] * more_words[i] + (words[i] >> 7) - (more_words[i] << 3);
  for (int i = 0; i < N; i++) words[i] = words[i] < 0 ? -words[i] : words[i];
  for (int i = 0; i < N; i++) doublewords[i] += (more_doublewords[i] >> 13) ^ (doublewords[i] << 5);
  for (int i = 0; i < N; i++) more_doublewords[i] = __builtin_popcountll(doublewords[i]) + (int64_t)words[i] * more_words[i];
}

__attribute__((noinline)) static void floats(void) {
  for (int i = 0; i < N; i++) singles[i] = 0.75f * singles[i] + more_singles[i];
  for (int i = 0; i < N; i++) more_singles[i] = singles[i] / (1 + more_singles[i] * more_singles[i]);
  for (int i = 0; i < N; i++) doubles[i] = doubles[i] * more_doubles[i] - 0.5 * more_doubles[i];
  for (int i = 0; i < N; i++) more_doubles[i] = __builtin_sqrt(doubles[i] < 0 ? -doubles[i] : doubles[i]);
  for (int i = 0; i < N; i++) doubles[i] = singles[i] < 1e3f ? doubles[i] : more_doubles[i];
}

__attribute__((noinline)) static void conversions(void) {
  for (int i = 0; i < N; i++) more_words[i] = (int32_t)(singles[i] / 8);
  for (int i = 0; i < N; i++) doublewords[i] += (int64_t)doubles[i];
  for (int i = 0; i < N; i++) more_singles[i] += (float)words[i];
  for (int i = 0; i < N; i++) more_doubles[i] += (double)singles[i];
  for (int i = 0; i < N; i++) more_halves[i] = (uint16_t)words[i];
  for (int i = 0; i < N; i++) more_bytes[i] = (int8_t)halves[N - 1 - i];
  for (int i = 0; i < N / 2; i++) words[i] = words[2 * i] - words[2 * i + 1];
}

__attribute__((noinline)) static void transpose(void) {
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 16; j++) transposed[j][i] = matrix[i][j];
}

__attribute__((noinline)) static uint32_t sums(void) {
  uint32_t sum = 0, greatest = 0, differences = 0;
  for (int i = 0; i < N; i++) sum += halves[i] * more_halves[i];
  for (int i = 0; i < N; i++) greatest = halves[i] > greatest ? halves[i] : greatest;
  for (int i = 0; i < N; i++) differences += bytes[i] > more_bytes[i] ? bytes[i] - more_bytes[i] : more_bytes[i] - bytes[i];
  return sum ^ greatest << 8 ^ differences;
}

int main(void) {
  uint32_t random = 20;
  for (int i = 0; i < N; i++) {
    bytes[i] = next_random(&random), more_bytes[i] = next_random(&random);
    halves[i] = next_random(&random), more_halves[i] = next_random(&random);
    words[i] = next_random(&random), more_words[i] = next_random(&random);
    doublewords[i] = (int64_t)next_random(&random) << 31 ^ next_random(&random), more_doublewords[i] = words[i];
    singles[i] = (int32_t)next_random(&random) / 65536.0f, more_singles[i] = i / 3.0f;
    doubles[i] = (int32_t)next_random(&random) / 7.0, more_doubles[i] = 1.0 / (i + 1);
  }
  for (int i = 0; i < 128; i++) matrix[i / 16][i % 16] = i * 37;
  for (int round = 0; round < 3; round++) {
    integers();
    floats();
    conversions();
    transpose();
    memmove(&matrix[0][0], &transposed[0][0], sizeof matrix);
    printf("sums %08x\n", sums());
  }
  SHOW(bytes);
  SHOW(halves);
  SHOW(words);
  SHOW(doublewords);
  SHOW(more_doublewords);
  SHOW(singles);
  SHOW(more_singles);
  SHOW(doubles);
  SHOW(more_doubles);
  printf("transposed %08x\n", fnv1a(FNV_START, transposed, sizeof transposed));
  return 0;
}
