/* The vector cryptography of POWER8 with known answers: AES-128 (FIPS 197), SHA-256 and SHA-512 sigmas, carry-less multiplication.
   Targets: ppc64 ppc64le
   Variants: power8 power10 */
#include <altivec.h>

#include "guest.h"

typedef vector unsigned char Bytes;
typedef vector unsigned long long Doublewords;
typedef vector unsigned int Words;

static uint8_t sbox[256];

/* Bytes in the order in which the manual numbers them. */
static Bytes load(const uint8_t *from) {
  Bytes v;
  for (int i = 0; i < 16; i++) v[i] = from[__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? i : 15 - i];
  return v;
}
static void store(uint8_t *to, Bytes v) {
  for (int i = 0; i < 16; i++) to[__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? i : 15 - i] = v[i];
}
static Doublewords wide(Bytes v) { return (Doublewords)v; }

static void expand(const uint8_t *key, uint8_t schedule[176]) {
  uint8_t constant = 1;
  for (int i = 0; i < 256; i++) {
    uint8_t in[16];
    for (int k = 0; k < 16; k++) in[k] = i;
    store(in, (Bytes)__builtin_crypto_vsbox((Doublewords)load(in)));
    sbox[i] = in[0];
  }
  for (int i = 0; i < 16; i++) schedule[i] = key[i];
  for (int i = 16; i < 176; i += 4) {
    uint8_t t[4] = {schedule[i - 4], schedule[i - 3], schedule[i - 2], schedule[i - 1]};
    if (i % 16 == 0) {
      uint8_t first = t[0];
      t[0] = sbox[t[1]] ^ constant, t[1] = sbox[t[2]], t[2] = sbox[t[3]], t[3] = sbox[first];
      constant = constant << 1 ^ (constant >> 7) * 0x1b;
    }
    for (int k = 0; k < 4; k++) schedule[i + k] = schedule[i - 16 + k] ^ t[k];
  }
}

static void show(const char *name, const uint8_t *bytes, int count) {
  printf("%-10s ", name);
  for (int i = 0; i < count; i++) printf("%02x", bytes[i]);
  printf("\n");
}

int main(void) {
  uint8_t key[16], text[16], schedule[176], out[16];
  uint32_t random = 5, hash = FNV_START;
  for (int i = 0; i < 16; i++) key[i] = i, text[i] = i * 17;
  expand(key, schedule);
  Doublewords state = wide(load(text)) ^ wide(load(schedule));
  for (int round = 1; round < 10; round++) state = __builtin_crypto_vcipher(state, wide(load(schedule + 16 * round)));
  state = __builtin_crypto_vcipherlast(state, wide(load(schedule + 160)));
  store(out, (Bytes)state);
  show("cipher", out, 16);
  state ^= wide(load(schedule + 160));
  for (int round = 9; round >= 0; round--) {
    /* vncipher adds the key before it mixes columns. */
    Doublewords round_key = wide(load(schedule + 16 * round));
    state = round > 0 ? __builtin_crypto_vncipher(state, round_key) : __builtin_crypto_vncipherlast(state, round_key);
  }
  store(out, (Bytes)state);
  show("plain", out, 16);
  for (int i = 0; i < 200; i++) {
    Words a, b;
    for (int k = 0; k < 4; k++) a[k] = next_random(&random), b[k] = next_random(&random);
    Words sigma = __builtin_crypto_vshasigmaw(a, 0, 0) + __builtin_crypto_vshasigmaw(b, 1, 15) + __builtin_crypto_vshasigmaw(a ^ b, 0, 9);
    Doublewords long_sigma = __builtin_crypto_vshasigmad((Doublewords)a, 0, 0) + __builtin_crypto_vshasigmad((Doublewords)b, 1, 10);
    Doublewords product = __builtin_crypto_vpmsumd((Doublewords)a, (Doublewords)b) ^ (Doublewords)__builtin_crypto_vpmsumw(a, b);
    Bytes permuted = (Bytes)__builtin_crypto_vpermxor((Bytes)a, (Bytes)b, (Bytes)sigma);
    for (int k = 0; k < 4; k++) hash = fnv1a_u64(hash, sigma[k]);
    for (int k = 0; k < 2; k++) hash = fnv1a_u64(fnv1a_u64(hash, long_sigma[k]), product[k]);
    store(out, permuted);
    hash = fnv1a(hash, out, 16);
  }
  printf("sigmas, products and permutations %08x\n", hash);
  return 0;
}
