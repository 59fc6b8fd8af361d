/* Every function of <math.h> over a grid of arguments, results in hexadecimal so that each bit counts. */
#define _GNU_SOURCE
#include <math.h>

#include "guest.h"

static const double grid[] = {0.0, -0.0, 1.0, -1.0, 0.5, 1.5, -2.5, 3.0, 0.1, 1e-10, -1e-300, 5e-324, 10.25, 100.0,
                              -707.5, 1e5, 1e15, 1e22, -1e300, 0x1.fffffffffffffp-1, 2.718281828459045, 3.141592653589793,
                              INFINITY, -INFINITY, NAN};

#define ONE(name) {#name, name, name##f}
static const struct {
  const char *name;
  double (*in_double)(double);
  float (*in_float)(float);
} ones[] = {ONE(sin), ONE(cos), ONE(tan), ONE(asin), ONE(acos), ONE(atan), ONE(sinh), ONE(cosh), ONE(tanh),
            ONE(asinh), ONE(acosh), ONE(atanh), ONE(exp), ONE(exp2), ONE(exp10), ONE(expm1), ONE(log), ONE(log2),
            ONE(log10), ONE(log1p), ONE(logb), ONE(sqrt), ONE(cbrt), ONE(fabs), ONE(ceil), ONE(floor), ONE(trunc),
            ONE(round), ONE(rint), ONE(nearbyint), ONE(erf), ONE(erfc), ONE(tgamma), ONE(lgamma), ONE(j0), ONE(j1),
            ONE(y0), ONE(y1), ONE(significand)};

#define TWO(name) {#name, name}
static const struct {
  const char *name;
  double (*call)(double, double);
} twos[] = {TWO(pow), TWO(atan2), TWO(hypot), TWO(fmod), TWO(remainder), TWO(copysign), TWO(nextafter),
            TWO(fdim), TWO(fmax), TWO(fmin), TWO(drem), TWO(scalb)};

/* A NaN's sign and payload are not portable: all NaNs look alike here. */
static void put(double x) {
  if (isnan(x)) printf(" nan");
  else printf(" %a", x);
}

static void odd_ones(double x) {
  int exponent = 0, quotient = 0;
  double whole, sine, cosine;
  put(frexp(x, &exponent));
  printf(" %d", isfinite(x) && x != 0 ? exponent : 0);
  put(modf(x, &whole));
  put(whole);
  sincos(x, &sine, &cosine);
  put(sine);
  put(remquo(x, 0.75, &quotient));
  printf(" %d", isfinite(x) ? quotient & 7 : 0);
  put(ldexp(x, -3));
  put(scalbn(x, 40));
  put(jn(3, x));
  if (fabs(x) < 1e9) printf(" %lld %ld %lld %d", llrint(x), lround(x), llround(x), x != 0 ? ilogb(x) : 0);
  printf(" %d%d%d\n", !!signbit(x), !!isnormal(x), fpclassify(x));
}

int main(void) {
  for (unsigned f = 0; f < COUNT(ones); f++) {
    printf("%s:", ones[f].name);
    for (unsigned i = 0; i < COUNT(grid); i++) put(ones[f].in_double(grid[i]));
    printf("\n%sf:", ones[f].name);
    for (unsigned i = 0; i < COUNT(grid); i += 2) put(ones[f].in_float((float)grid[i]));
    printf("\n");
  }
  for (unsigned f = 0; f < COUNT(twos); f++) {
    printf("%s:", twos[f].name);
    for (unsigned i = 0; i < COUNT(grid); i += 2)
      for (unsigned j = 1; j < COUNT(grid); j += 3) put(twos[f].call(grid[i], grid[j]));
    printf("\n");
  }
  for (unsigned i = 0; i < COUNT(grid); i++) odd_ones(grid[i]);
  printf("long double %.30Lg %.30Lg %.30Lg\n", sqrtl(2.0L), expl(1.0L), atanl(1.0L) * 4);
  return 0;
}
