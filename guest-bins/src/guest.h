/* What several guest programs share: a checksum, a small random generator, and a check that ends the program. */
#ifndef GUEST_H
#define GUEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FNV_START 2166136261u

/* FNV-1a over bytes, so that the result does not depend on the size of long. */
static inline uint32_t fnv1a(uint32_t hash, const void *bytes, size_t count) {
  const unsigned char *byte = bytes;
  while (count-- > 0) hash = (hash ^ *byte++) * 16777619u;
  return hash;
}

/* Folds a number into a checksum, most significant byte first whatever the machine. */
static inline uint32_t fnv1a_u64(uint32_t hash, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) hash = (hash ^ (uint8_t)(value >> shift)) * 16777619u;
  return hash;
}

/* Marsaglia's xorshift32: the same numbers in every run. */
static inline uint32_t next_random(uint32_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  return *state ^= *state << 5;
}

/* Ends the program with status 99 when what must hold does not. */
#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) {                                                      \
      printf("line %d: %s does not hold\n", __LINE__, #condition);           \
      fflush(stdout);                                                        \
      exit(99);                                                              \
    }                                                                        \
  } while (0)

#endif
