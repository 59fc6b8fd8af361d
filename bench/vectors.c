/*
 * Kernels of vector instructions: `vectors NAME [TIMES]` does one kind of work and prints a checksum, for
 * -O3 -mcpu=power8. memcpy and strlen are glibc's own.
 */
#include <altivec.h>
#undef vector
#undef bool
#undef pixel

#include "kernel-runner.h"

typedef __vector unsigned char bytes;
typedef __vector unsigned long long doublewords;

static uint32_t sum_of(const void *data, size_t size) {
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++) sum = sum * 31 + ((const unsigned char *)data)[i];
    return sum;
}

static uint32_t copies(void) {
    static char from[16384 + 64], to[16384 + 64];
    for (size_t i = 0; i < sizeof from; i++) from[i] = next() >> 24;
    for (int i = 0; i < 4000; i++) memcpy(to + i % 48, from + i * 7 % 48, 16384 - i % 100);
    return sum_of(to, sizeof to);
}

static uint32_t lengths(void) {
    static char text[8192];
    uint32_t sum = 0;
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 6000; i++) {
        char *end = text + 4000 + next() % 4000;
        *end = 0;
        sum = sum * 31 + strlen(text + i % 16);
        *end = 'x';
    }
    return sum;
}

static uint32_t saxpy(void) {
    enum { N = 4096 };
    static float x[N], y[N];
    for (int i = 0; i < N; i++) x[i] = (next() >> 8) / 16777216.0f, y[i] = (next() >> 8) / 16777216.0f;
    for (int pass = 0; pass < 2000; pass++) {
        float a = pass % 2 ? -0.375f : 0.3751f;
        for (int i = 0; i < N; i++) y[i] = a * x[i] + y[i];
    }
    return sum_of(y, sizeof y);
}

static uint32_t dot(void) {
    enum { N = 4096 };
    static int32_t a[N], b[N];
    static double x[N], y[N];
    uint32_t sum = 0;
    double total = 0;
    for (int i = 0; i < N; i++) {
        a[i] = next() >> 8, b[i] = next() >> 8;
        x[i] = (next() >> 8) / 16777216.0, y[i] = (next() >> 8) / 16777216.0;
    }
    for (int pass = 0; pass < 800; pass++) {
        __vector double products = { 0, 0 };
        for (int i = 0; i < N; i++) sum += a[i] * b[i];
        for (int i = 0; i < N; i += 2) products += *(__vector double *)&x[i] * *(__vector double *)&y[i];
        total += products[0] + products[1];
    }
    return sum ^ (uint32_t)(int64_t)(total * 1000);
}

/* Ten rounds of AES on blocks that depend on one another in four chains. */
static uint32_t aes(void) {
    doublewords keys[11], chains[4];
    for (int i = 0; i < 11; i++) keys[i] = (doublewords){ next() * 0x100000001u, next() * 0x9e3779b9ull };
    for (int i = 0; i < 4; i++) chains[i] = (doublewords){ next(), next() };
    for (int block = 0; block < 150000; block++)
        for (int i = 0; i < 4; i++) {
            doublewords state = chains[i] ^ keys[0];
            for (int round = 1; round < 10; round++) state = __builtin_crypto_vcipher(state, keys[round]);
            chains[i] = __builtin_crypto_vcipherlast(state, keys[10]);
        }
    return sum_of(chains, sizeof chains);
}

/* Two independent hashes of SHA-512, one in each doubleword. */
static uint32_t sha512(void) {
    static doublewords k[80], w[80], h[8];
    for (int i = 0; i < 80; i++) k[i] = (doublewords){ next() * 0x100000001ull, next() * 0x9e3779b97f4aull };
    for (int i = 0; i < 8; i++) h[i] = (doublewords){ next() * 0x100000001ull, next() * 0x9e3779b97f4aull };
    for (int block = 0; block < 8000; block++) {
        doublewords s[8];
        for (int i = 0; i < 16; i++) w[i] = (doublewords){ block * 0x9e3779b97f4a7c15u + i, i };
        for (int i = 16; i < 80; i++)
            w[i] = w[i - 16] + w[i - 7] + __builtin_crypto_vshasigmad(w[i - 15], 0, 0) +
                   __builtin_crypto_vshasigmad(w[i - 2], 0, 15);
        memcpy(s, h, sizeof s);
        for (int i = 0; i < 80; i++) {
            doublewords t = s[7] + __builtin_crypto_vshasigmad(s[4], 1, 15) + vec_sel(s[6], s[5], s[4]) + k[i] + w[i];
            doublewords u = __builtin_crypto_vshasigmad(s[0], 1, 0) + vec_sel(s[0], s[1], s[0] ^ s[2]);
            s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + t;
            s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = t + u;
        }
        for (int i = 0; i < 8; i++) h[i] += s[i];
    }
    return sum_of(h, sizeof h);
}

/* 8 rows of 16 bytes become 16 rows of 8, by three steps of merging. */
static uint32_t transposition(void) {
    enum { TILES = 64 };
    static bytes tiles[TILES][8];
    for (size_t i = 0; i < sizeof tiles; i++) ((unsigned char *)tiles)[i] = next() >> 24;
    for (int pass = 0; pass < 4000; pass++)
        for (int tile = 0; tile < TILES; tile++) {
            bytes *row = tiles[tile], a[8], b[8];
            for (int i = 0; i < 4; i++) a[2 * i] = vec_mergeh(row[i], row[i + 4]), a[2 * i + 1] = vec_mergel(row[i], row[i + 4]);
            for (int i = 0; i < 4; i++) b[2 * i] = vec_mergeh(a[i], a[i + 4]), b[2 * i + 1] = vec_mergel(a[i], a[i + 4]);
            for (int i = 0; i < 4; i++) row[2 * i] = vec_mergeh(b[i], b[i + 4]), row[2 * i + 1] = vec_mergel(b[i], b[i + 4]);
        }
    return sum_of(tiles, sizeof tiles);
}

static const struct kernel kernels[] = {
    { "memcpy", copies }, { "strlen", lengths }, { "saxpy", saxpy }, { "dot", dot },
    { "aes", aes },       { "sha512", sha512 },  { "transposition", transposition },
};

int main(int argc, char **argv) {
    return run_kernel(kernels, sizeof kernels / sizeof *kernels, argc, argv);
}
