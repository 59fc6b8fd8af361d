/* CRC-32 three ways (bit by bit, by table, four bytes at a time): byte loads, shifts, logical operations. */
#include <string.h>

#include "guest.h"

static uint32_t tables[4][256];

static void make_tables(void) {
  for (uint32_t n = 0; n < 256; n++) {
    uint32_t c = n;
    for (int bit = 0; bit < 8; bit++) c = (c >> 1) ^ (c & 1 ? 0xedb88320u : 0);
    tables[0][n] = c;
  }
  for (int t = 1; t < 4; t++)
    for (int n = 0; n < 256; n++) tables[t][n] = (tables[t - 1][n] >> 8) ^ tables[0][tables[t - 1][n] & 0xff];
}

static uint32_t by_bit(const unsigned char *p, size_t n) {
  uint32_t c = ~0u;
  while (n-- > 0) {
    c ^= *p++;
    for (int bit = 0; bit < 8; bit++) c = (c >> 1) ^ (0xedb88320u & -(c & 1));
  }
  return ~c;
}

static uint32_t by_table(const unsigned char *p, size_t n) {
  uint32_t c = ~0u;
  while (n-- > 0) c = (c >> 8) ^ tables[0][(c ^ *p++) & 0xff];
  return ~c;
}

static uint32_t by_four(const unsigned char *p, size_t n) {
  uint32_t c = ~0u;
  for (; n >= 4; n -= 4, p += 4) {
    c ^= p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
    c = tables[3][c & 0xff] ^ tables[2][c >> 8 & 0xff] ^ tables[1][c >> 16 & 0xff] ^ tables[0][c >> 24];
  }
  for (; n > 0; n--) c = (c >> 8) ^ tables[0][(c ^ *p++) & 0xff];
  return ~c;
}

int main(void) {
  static unsigned char data[65536];
  uint32_t random = 1;
  make_tables();
  for (size_t i = 0; i < sizeof data; i++) data[i] = next_random(&random) >> 24;
  printf("check value %08x\n", by_bit((const unsigned char *)"123456789", 9));
  for (size_t length = 0; length <= sizeof data; length = length * 3 + 1) {
    uint32_t crc = by_table(data, length);
    CHECK(crc == by_four(data, length));
    CHECK(length > 10000 || crc == by_bit(data, length));
    printf("%5zu bytes %08x\n", length, crc);
  }
  return by_four(data, sizeof data) & 0x7f;
}
