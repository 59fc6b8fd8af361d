/*
 * The benchmark kernels: `kernels NAME [TIMES]` does one kind of work and prints a checksum. One TIMES is some
 * tens of millions of instructions. `kernels NAME TIMES EXECS` first executes itself EXECS times.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t seed = 20090129;
static uint32_t next(void) { return seed = seed * 1664525u + 1013904223u; }

static uint32_t crc32(void) {
    static uint32_t table[256];
    static unsigned char data[65536];
    uint32_t crc = ~0u;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
        table[i] = c;
    }
    for (size_t i = 0; i < sizeof data; i++) data[i] = next() >> 24;
    for (int pass = 0; pass < 80; pass++)
        for (size_t i = 0; i < sizeof data; i++) crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    return crc;
}

static uint32_t sieve(void) {
    enum { LIMIT = 2000000 };
    static char composite[LIMIT + 1];
    uint32_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        memset(composite, 0, sizeof composite);
        count = 0;
        for (uint32_t i = 2; i <= LIMIT; i++) {
            if (composite[i]) continue;
            count++;
            for (uint64_t j = (uint64_t)i * i; j <= LIMIT; j += i) composite[j] = 1;
        }
    }
    return count;
}

static void quicksort(uint32_t *a, long low, long high) {
    while (low < high) {
        uint32_t pivot = a[(low + high) / 2];
        long i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i <= j) { uint32_t t = a[i]; a[i++] = a[j]; a[j--] = t; }
        }
        quicksort(a, low, j);
        low = i;
    }
}
static uint32_t sort(void) {
    enum { N = 300000 };
    static uint32_t a[N];
    uint32_t sum = 0;
    for (int i = 0; i < N; i++) a[i] = next();
    quicksort(a, 0, N - 1);
    for (int i = 0; i < N; i += 97) sum = sum * 31 + a[i];
    return sum;
}

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }
static uint32_t sha256(void) {
    static uint32_t k[64], h[8];
    for (int i = 0; i < 64; i++) k[i] = next();
    for (int i = 0; i < 8; i++) h[i] = next();
    for (int block = 0; block < 12000; block++) {
        uint32_t w[64], s[8];
        for (int i = 0; i < 16; i++) w[i] = next();
        for (int i = 16; i < 64; i++)
            w[i] = w[i - 16] + w[i - 7] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
                   (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
        memcpy(s, h, sizeof s);
        for (int i = 0; i < 64; i++) {
            uint32_t t1 = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
                          ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
            uint32_t t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
                          ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof *s);
            s[4] += t1;
            s[0] = t1 + t2;
        }
        for (int i = 0; i < 8; i++) h[i] += s[i];
    }
    return h[0];
}

static __attribute__((noinline)) uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static uint32_t recursion(void) { return fib(31); }

static uint32_t matrix(void) {
    enum { N = 160 };
    static int32_t a[N][N], b[N][N], c[N][N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = next() >> 20, b[i][j] = next() >> 20;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int32_t sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
    return c[3][5] ^ c[N - 1][N - 1];
}

static uint32_t collatz(void) {
    uint32_t longest = 0;
    for (uint64_t start = 1; start < 60000; start++) {
        uint32_t length = 0;
        for (uint64_t n = start; n != 1; n = n % 2 ? 3 * n + 1 : n / 2) length++;
        if (length > longest) longest = length;
    }
    return longest;
}

static uint32_t division(void) {
    uint64_t x = 0x123456789abcdef;
    uint32_t sum = 0;
    for (int i = 1; i < 1500000; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        sum += x / (i | 1) + x % (next() | 1) + (uint32_t)x / (i & 0xffff | 1);
    }
    return sum;
}

static uint32_t strings(void) {
    static char text[4096], copy[4096];
    uint32_t sum = 0;
    for (int i = 0; i < 4095; i++) text[i] = 'a' + next() % 26;
    for (int pass = 0; pass < 1200; pass++) {
        strcpy(copy, text);
        copy[pass] = '#';
        char *at = strchr(copy, '#');
        sum += (at - copy) + strlen(copy) + (strcmp(copy, text) < 0) + (strstr(copy, "qzx") != 0);
        for (char *p = copy; *p; p++) sum = sum * 33 + (unsigned char)*p;
    }
    return sum;
}

struct node { struct node *next; uint32_t value; };
static uint32_t lists(void) {
    enum { N = 20000 };
    static struct node nodes[N];
    static uint32_t order[N];
    uint32_t sum = 0;
    for (uint32_t i = 0; i < N; i++) order[i] = i;
    for (uint32_t i = N - 1; i > 0; i--) { uint32_t j = next() % (i + 1), t = order[i]; order[i] = order[j]; order[j] = t; }
    for (uint32_t i = 0; i < N; i++) nodes[order[i]].next = &nodes[order[(i + 1) % N]], nodes[i].value = next();
    struct node *n = nodes;
    for (int i = 0; i < 8000000; i++) sum += n->value, n = n->next;
    return sum;
}

static uint32_t products(void) {
    enum { N = 120 };
    static double a[N][N], b[N][N], c[N][N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = (next() >> 8) / 1e6, b[i][j] = (next() >> 8) / 1e6;
    for (int pass = 0; pass < 4; pass++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double sum = c[i][j];
                for (int k = 0; k < N; k++) sum = sum + a[i][k] * b[k][j];
                c[i][j] = sum;
            }
    return (uint32_t)(int64_t)c[7][9];
}

static uint32_t bodies(void) {
    enum { N = 5 };
    static double p[N][3], v[N][3], m[N];
    for (int i = 0; i < N; i++) {
        m[i] = 1 + next() % 100 / 50.0;
        for (int d = 0; d < 3; d++) p[i][d] = next() % 1000 / 100.0, v[i][d] = next() % 100 / 1000.0;
    }
    for (int step = 0; step < 30000; step++)
        for (int i = 0; i < N; i++) {
            for (int j = i + 1; j < N; j++) {
                double d[3], r = 0.01;
                for (int k = 0; k < 3; k++) d[k] = p[i][k] - p[j][k], r += d[k] * d[k];
                double f = 1e-4 / (r * r);
                for (int k = 0; k < 3; k++) v[i][k] -= d[k] * f * m[j], v[j][k] += d[k] * f * m[i];
            }
            for (int k = 0; k < 3; k++) p[i][k] += v[i][k] * 1e-4;
        }
    uint64_t bits;
    memcpy(&bits, &p[0][0], 8);
    return bits ^ bits >> 32;
}

static const struct { const char *name; uint32_t (*run)(void); } kernels[] = {
    { "crc32", crc32 },     { "sieve", sieve },   { "sort", sort },         { "sha256", sha256 },
    { "recursion", recursion }, { "matrix", matrix }, { "collatz", collatz }, { "division", division },
    { "strings", strings }, { "lists", lists },   { "products", products }, { "bodies", bodies },
};

int main(int argc, char **argv) {
    int times = argc > 2 ? atoi(argv[2]) : 1;
    if (argc > 3 && atoi(argv[3]) > 0) {
        snprintf(argv[3], strlen(argv[3]) + 1, "%d", atoi(argv[3]) - 1);
        execv("/proc/self/exe", argv);
        perror("execv");
        return 1;
    }
    for (size_t i = 0; argc > 1 && i < sizeof kernels / sizeof *kernels; i++) {
        if (strcmp(argv[1], kernels[i].name)) continue;
        uint32_t sum = 0;
        while (times-- > 0) sum = sum * 31 + kernels[i].run();
        printf("%s %08x\n", argv[1], sum);
        return 0;
    }
    puts("usage: kernels NAME [TIMES [EXECS]]");
    return 2;
}
