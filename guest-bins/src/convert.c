/* Conversions between floating point and integers of every width, at and beyond the edges of each. */
#include <math.h>

#include "guest.h"

static volatile double doubles[] = {0.0, -0.0, 0.5, -0.5, 0.99999999999999989, 1.5, -1.5, 127.9, -128.9, 255.5, 32767.5,
                                    65536.0, 2147483647.0, 2147483647.5, -2147483648.0, -2147483648.9, 4294967295.0,
                                    4294967295.9, 9007199254740993.0, 9223372036854774784.0, -9223372036854775808.0,
                                    18446744073709549568.0, 1e-310};
static volatile double outside[] = {2147483648.0, -2147483649.0, 1e10, -1e10, 1e300, -1e300, INFINITY, -INFINITY, NAN};
static volatile int64_t integers[] = {0, 1, -1, 16777216, 16777217, -16777219, 2147483647, -2147483648LL, 4294967295,
                                      9007199254740991, 9007199254740993, -9007199254740995, 0x7fffffffffffffff,
                                      0x7ffffffffffffbff, -0x7fffffffffffffff - 1, 0x5555555555555555, 0x8000008000001};

int main(void) {
  for (unsigned i = 0; i < COUNT(doubles); i++) {
    double d = doubles[i];
    float f = d;
    printf("%-24a float %a", d, f);
    if (fabs(d) < 2147483648.0) printf(" int %d lrint %ld", (int)d, lrint(d));
    if (d > -1 && d < 4294967296.0) printf(" unsigned %u", (unsigned)d);
    if (fabs(d) < 9223372036854775807.0) printf(" int64 %lld llround %lld", (long long)d, llround(d));
    if (d > -1) printf(" uint64 %llu", (unsigned long long)d);
    if (fabs(d) < 128) printf(" char %d", (signed char)d);
    printf(" long double %.22Lg\n", (long double)d);
  }
  /* Beyond the range C leaves the result open; fctiwz saturates, and a 32-bit int shows it. */
  for (unsigned i = 0; i < COUNT(outside); i++) printf("%g -> %d\n", outside[i], (int)outside[i]);
  for (unsigned i = 0; i < COUNT(integers); i++) {
    int64_t n = integers[i];
    uint64_t u = n;
    printf("%lld: %a %a unsigned %a %a int %a %a", (long long)n, (double)n, (double)(float)n, (double)u, (double)(float)u,
           (double)(int32_t)n, (double)(float)(uint32_t)n);
    printf(" long double %.22Lg %.22Lg\n", (long double)n, (long double)u);
  }
  uint32_t random = 5, sum = FNV_START;
  for (int i = 0; i < 5000; i++) {
    int64_t n = (int64_t)((uint64_t)next_random(&random) << 32 | next_random(&random)) >> (next_random(&random) % 64);
    union { double d; uint64_t u; } a = {.d = n}, b = {.d = (float)n}, c = {.d = (uint64_t)n * 0x1p-20};
    sum = fnv1a_u64(fnv1a_u64(fnv1a_u64(sum, a.u), b.u), c.u);
    sum = fnv1a_u64(sum, (int64_t)c.d);
  }
  printf("random %08x\n", sum);
  return 0;
}
