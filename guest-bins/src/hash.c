/* Hash functions (djb2, FNV, Murmur3, SipHash-2-4, Adler) and an open-addressing table with deletions. */
#include <string.h>

#include "guest.h"

enum { SLOTS = 4096 };
static struct slot {
  uint64_t key;
  uint32_t value, state; /* state: 0 empty, 1 used, 2 deleted */
} table[SLOTS];

static uint32_t djb2(const char *s) {
  uint32_t h = 5381;
  while (*s) h = h * 33 + (unsigned char)*s++;
  return h;
}

static uint32_t adler(const unsigned char *p, size_t n) {
  uint32_t a = 1, b = 0;
  while (n-- > 0) b = (b + (a = (a + *p++) % 65521)) % 65521;
  return b << 16 | a;
}

static uint32_t murmur3(const unsigned char *p, size_t n, uint32_t h) {
  size_t length = n;
  for (uint32_t k; n > 0; n -= n < 4 ? n : 4, p += 4) {
    k = 0;
    for (size_t i = n < 4 ? n : 4; i-- > 0;) k = k << 8 | p[i];
    k *= 0xcc9e2d51;
    k = (k << 15 | k >> 17) * 0x1b873593;
    h ^= k;
    if (n >= 4) h = (h << 13 | h >> 19) * 5 + 0xe6546b64;
  }
  h ^= length;
  h = (h ^ h >> 16) * 0x85ebca6b;
  h = (h ^ h >> 13) * 0xc2b2ae35;
  return h ^ h >> 16;
}

#define ROTL(x, n) ((x) << (n) | (x) >> (64 - (n)))
static void sip_round(uint64_t v[4]) {
  v[0] += v[1]; v[1] = ROTL(v[1], 13) ^ v[0]; v[0] = ROTL(v[0], 32);
  v[2] += v[3]; v[3] = ROTL(v[3], 16) ^ v[2];
  v[0] += v[3]; v[3] = ROTL(v[3], 21) ^ v[0];
  v[2] += v[1]; v[1] = ROTL(v[1], 17) ^ v[2]; v[2] = ROTL(v[2], 32);
}

static uint64_t siphash(const unsigned char *p, size_t n) {
  uint64_t k0 = 0x0706050403020100, k1 = 0x0f0e0d0c0b0a0908;
  uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
  for (size_t at = 0; at <= n; at += 8) {
    uint64_t m = 0;
    for (size_t i = 0; i < 8 && at + i < n; i++) m |= (uint64_t)p[at + i] << 8 * i;
    if (n - at < 8) m |= (uint64_t)n << 56;
    v[3] ^= m;
    sip_round(v), sip_round(v);
    v[0] ^= m;
  }
  v[2] ^= 0xff;
  for (int i = 0; i < 4; i++) sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct slot *find(uint64_t key) {
  struct slot *free_slot = NULL;
  for (uint32_t i = siphash((unsigned char *)&key, sizeof key) % SLOTS;; i = (i + 1) % SLOTS) {
    struct slot *slot = &table[i];
    if (slot->state == 1 && slot->key == key) return slot;
    if (slot->state != 1 && free_slot == NULL) free_slot = slot;
    if (slot->state == 0) return free_slot;
  }
}

int main(void) {
  static unsigned char data[256];
  uint32_t random = 4711, found = 0, live = 0;
  for (int i = 0; i < 256; i++) data[i] = i;
  for (int n = 0; n <= 64; n += 7)
    printf("%2d murmur %08x sip %016llx adler %08x fnv %08x\n", n, murmur3(data, n, 42),
           (unsigned long long)siphash(data, n), adler(data, n), fnv1a(FNV_START, data, n));
  printf("djb2 %08x %08x\n", djb2(""), djb2("PowerPC"));
  for (int i = 0; i < 6000; i++) {
    uint64_t key = next_random(&random) % 3001 * 0x100000001ull;
    struct slot *slot = find(key);
    if (slot->state != 1) *slot = (struct slot){key, i, 1}, live++;
    else if (i % 3) slot->value += i, found++;
    else slot->state = 2, live--;
  }
  uint32_t sum = FNV_START;
  for (int i = 0; i < SLOTS; i++)
    if (table[i].state == 1) sum = fnv1a_u64(fnv1a_u64(sum, table[i].key), table[i].value);
  printf("table: %u live, %u found, %08x\n", live, found, sum);
  return live & 0x3f;
}
