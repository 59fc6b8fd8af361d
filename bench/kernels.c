/*
 * The benchmark kernels: `kernels NAME [TIMES]` does one kind of work and prints a checksum. One TIMES is some
 * tens of millions of instructions. `kernels NAME TIMES EXECS` first executes itself EXECS times.
 */
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "kernel-runner.h"

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

static uint32_t op_add(uint32_t a, uint32_t b) { return a + b; }
static uint32_t op_sub(uint32_t a, uint32_t b) { return a - 3 * b; }
static uint32_t op_xor(uint32_t a, uint32_t b) { return a ^ (b << 3); }
static uint32_t op_mul(uint32_t a, uint32_t b) { return a * (b | 1); }
static uint32_t op_rot(uint32_t a, uint32_t b) { return a << (b & 7) | a >> 1 >> (31 - (b & 7)); }
static uint32_t indirect(void) {
    static uint32_t (*volatile const table[])(uint32_t, uint32_t) = { op_add, op_sub, op_xor, op_mul, op_rot };
    uint32_t sum = 1;
    for (int i = 0; i < 2500000; i++) { uint32_t n = next() >> 8; sum = table[n % 5](sum, n); }
    return sum;
}

/* A stack machine that computes primes: what the loop of an interpreter is like. */
static uint32_t bytecode(void) {
    enum { PUSH, LOAD, STORE, ADD, MOD, LESS, JUMP, UNLESS, HALT };
    static const uint8_t program[] = {
        PUSH, 2, STORE, 0,                                   /* n = 2 */
        PUSH, 2, STORE, 1,                                   /* 4: d = 2 */
        LOAD, 1, LOAD, 0, LESS, UNLESS, 36,                  /* 8: while d < n */
        LOAD, 0, LOAD, 1, MOD, UNLESS, 43,                   /* 15: divides: no prime */
        LOAD, 1, PUSH, 1, ADD, STORE, 1, JUMP, 8,            /* 22: d++ */
        HALT, HALT, HALT, HALT, HALT,
        LOAD, 2, LOAD, 0, ADD, STORE, 2,                     /* 36: sum += n */
        LOAD, 0, PUSH, 1, ADD, STORE, 0,                     /* 43: n++ */
        LOAD, 0, LOAD, 3, LESS, UNLESS, 59, JUMP, 4,         /* 50 */
        HALT,                                                /* 59 */
    };
    uint32_t stack[16], vars[4] = { 0, 0, 0, 3000 }, *sp = stack;
    for (const uint8_t *pc = program;;)
        switch (*pc++) {
        case PUSH: *sp++ = *pc++; break;
        case LOAD: *sp++ = vars[*pc++]; break;
        case STORE: vars[*pc++] = *--sp; break;
        case ADD: sp--; sp[-1] += *sp; break;
        case MOD: sp--; sp[-1] %= *sp; break;
        case LESS: sp--; sp[-1] = sp[-1] < *sp; break;
        case JUMP: pc = program + *pc; break;
        case UNLESS: pc = *--sp ? pc + 1 : program + *pc; break;
        default: return vars[2];
        }
}

/* 64 bits times 64 bits, and sums of 128. */
static uint32_t wide(void) {
    uint64_t low = 1, high = 0, x = 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 2000000; i++) {
        uint64_t a = x >> 32, b = (uint32_t)x, c = low >> 32, d = (uint32_t)low;
        uint64_t middle = a * d + (b * d >> 32), cross = b * c + (uint32_t)middle;
        uint64_t top = a * c + (middle >> 32) + (cross >> 32), bottom = x * low;
        high = high * x + top;
        low = bottom + 0x2545f4914f6cdd1du;
        high += low < bottom;
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    }
    return high ^ high >> 32 ^ low;
}

static uint32_t singles(void) {
    static float wave[4096];
    float energy = 0;
    for (int i = 0; i < 4096; i++) wave[i] = (next() >> 8) / 16777216.0f;
    for (int pass = 0; pass < 300; pass++)
        for (int i = 1; i < 4095; i++) wave[i] = wave[i] * 0.5f + (wave[i - 1] + wave[i + 1]) * 0.25f;
    for (int i = 0; i < 4096; i++) energy += wave[i];
    return (uint32_t)(energy * 1000);
}

static uint32_t functions(void) {
    double sum = 0;
    for (int i = 1; i < 60000; i++) {
        double x = i * 1e-3;
        sum += sin(x) * cos(x) + exp(-x * 0.01) + log(x) + pow(x, 0.3) + atan(x);
    }
    return (uint32_t)(int64_t)(sum * 1000);
}

static uint32_t fft(void) {
    enum { N = 4096 };
    static double re[N], im[N];
    for (int i = 0; i < N; i++) re[i] = (next() >> 8) / 1e6, im[i] = 0;
    for (int pass = 0; pass < 12; pass++) {
        for (int i = 1, j = 0; i < N; i++) {
            int bit = N >> 1;
            for (; j & bit; bit >>= 1) j ^= bit;
            j |= bit;
            if (i < j) { double t = re[i]; re[i] = re[j]; re[j] = t; t = im[i]; im[i] = im[j]; im[j] = t; }
        }
        for (int size = 2; size <= N; size <<= 1) {
            double angle = 6.283185307179586 / size, wr = cos(angle), wi = sin(angle);
            for (int i = 0; i < N; i += size) {
                double ur = 1, ui = 0;
                for (int k = i; k < i + size / 2; k++) {
                    int m = k + size / 2;
                    double xr = re[m] * ur - im[m] * ui, xi = re[m] * ui + im[m] * ur, t = ur * wr - ui * wi;
                    re[m] = re[k] - xr, im[m] = im[k] - xi;
                    re[k] += xr, im[k] += xi;
                    ui = ur * wi + ui * wr, ur = t;
                }
            }
        }
        for (int i = 0; i < N; i++) re[i] /= 64, im[i] /= 64;
    }
    return (uint32_t)(int64_t)(re[5] * 1000);
}

static uint32_t allocation(void) {
    enum { N = 4000 };
    static char *held[N];
    uint32_t sum = 0;
    for (int i = 0; i < 300000; i++) {
        uint32_t at = next() >> 8, size = 8 + (at >> 12) % 300;
        free(held[at % N]);
        held[at % N] = malloc(size);
        held[at % N][size - 1] = at;
        sum += (unsigned char)held[at % N][size - 1];
    }
    return sum;
}

static uint32_t syscalls(void) {
    int fd = open("/dev/null", O_WRONLY);
    uint32_t sum = 0;
    for (int i = 0; i < 60000; i++) sum += write(fd, "text", 4) + (getppid() >= 0);
    close(fd);
    return sum;
}

static uint32_t copies(void) {
    static unsigned char from[70000], to[70000];
    uint32_t sum = 0;
    for (size_t i = 0; i < sizeof from; i++) from[i] = next() >> 24;
    for (int i = 0; i < 12000; i++) {
        uint32_t n = next() >> 8, length = n % 2000, at = (n >> 11) % 60000;
        memcpy(to + at, from + (at ^ 5), length);
        if (i % 4 == 0) memmove(to + at + 3, to + at, length);
        if (i % 8 == 0) memset(to + at, i, length / 2);
        sum += memcmp(to + at, from + at, length) > 0;
    }
    for (size_t i = 0; i < sizeof to; i++) sum = sum * 31 + to[i];
    return sum;
}

static uint32_t nothing(void) { return 1; }

static const struct kernel kernels[] = {
    { "crc32", crc32 },     { "sieve", sieve },   { "sort", sort },         { "sha256", sha256 },
    { "recursion", recursion }, { "matrix", matrix }, { "collatz", collatz }, { "division", division },
    { "strings", strings }, { "lists", lists },   { "products", products }, { "bodies", bodies },
    { "indirect", indirect }, { "bytecode", bytecode }, { "wide", wide },   { "singles", singles },
    { "functions", functions }, { "fft", fft },   { "allocation", allocation }, { "syscalls", syscalls },
    { "copies", copies },   { "nothing", nothing },
};

int main(int argc, char **argv) {
    if (argc > 3 && atoi(argv[3]) > 0) {
        snprintf(argv[3], strlen(argv[3]) + 1, "%d", atoi(argv[3]) - 1);
        execv("/proc/self/exe", argv);
        perror("execv");
        return 1;
    }
    return run_kernel(kernels, sizeof kernels / sizeof *kernels, argc, argv);
}
