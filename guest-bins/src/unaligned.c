/* Loads and stores at every offset, of every size, across cache lines and pages, and byte-reversed. */
#include <string.h>
#include <sys/mman.h>

#include "guest.h"

#define PACKED struct __attribute__((packed, may_alias))
PACKED half { uint16_t v; };
PACKED word { uint32_t v; };
PACKED twin { uint64_t v; };
PACKED single { float v; };
PACKED real { double v; };

/* Stores at p and loads it back; the bytes in memory must be big-endian. */
static uint32_t at(unsigned char *p, uint32_t sum) {
  ((struct half *)p)->v = 0x0102;
  CHECK(p[0] == 1 && p[1] == 2);
  ((struct word *)p)->v = 0xa1b2c3d4;
  CHECK(p[0] == 0xa1 && p[3] == 0xd4 && (int16_t)((struct half *)(p + 1))->v == (int16_t)0xb2c3);
  ((struct twin *)p)->v = 0x0123456789abcdef;
  CHECK(p[0] == 0x01 && p[7] == 0xef && ((struct word *)(p + 3))->v == 0x6789abcd);
  sum = fnv1a(sum, p, 8);
  sum = fnv1a_u64(sum, __builtin_bswap64(((struct twin *)p)->v) + __builtin_bswap32(((struct word *)(p + 2))->v));
  sum = fnv1a_u64(sum, __builtin_bswap16(((struct half *)(p + 5))->v));
  ((struct word *)p)->v = __builtin_bswap32(0x11223344);
  CHECK(p[0] == 0x44);
  ((struct single *)p)->v = 1.5f;
  CHECK(p[0] == 0x3f && p[1] == 0xc0);
  sum = fnv1a_u64(sum, ((struct single *)p)->v * 1000);
  ((struct real *)p)->v = -2.5;
  CHECK(p[0] == 0xc0 && p[1] == 0x04 && ((struct real *)p)->v == -2.5);
  ((struct real *)p)->v += 0.25;
  return fnv1a(sum, p, 8);
}

int main(void) {
  unsigned char *pages = mmap(NULL, 2 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint32_t sum = FNV_START;
  CHECK(pages != MAP_FAILED);
  for (int offset = 0; offset < 300; offset++) sum = at(pages + offset, sum);
  printf("offsets %08x\n", sum);
  for (int page = 4096; page <= 65536; page += 4096)
    for (int back = 1; back < 9; back++) sum = at(pages + page - back, sum);
  printf("page boundaries %08x\n", sum);
  uint64_t total = 0;
  for (int offset = 0; offset < 5000; offset += 3)
    total += ((struct twin *)(pages + offset))->v ^ ((struct half *)(pages + 60000 - offset))->v;
  printf("total %llx\n", (unsigned long long)total);
  return 0;
}
