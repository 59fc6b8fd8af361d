/* long double on powerpc is a pair of doubles: arithmetic, comparisons, conversions, a series for pi, and text. */
#include <float.h>
#include <math.h>

#include "guest.h"

static long double arctangent(int inverse) {
  long double term = 1.0L / inverse, square = (long double)inverse * inverse, sum = term;
  for (int k = 3; fabsl(term) > 1e-36L; k += 2) {
    term = -term / square;
    sum += term / k;
  }
  return sum;
}

static long double square_root(long double x) {
  long double r = sqrt((double)x);
  for (int i = 0; i < 3; i++) r = (r + x / r) / 2;
  return r;
}

int main(void) {
  volatile long double third = 1.0L / 3, tiny = 0x1p-100L, one = 1, negative = -7.25L;
  printf("digits %d, epsilon %La\n", LDBL_DIG, LDBL_EPSILON);
  printf("pi %.31Lf\n", 4 * (4 * arctangent(5) - arctangent(239)));
  printf("root of two %.31Lf, squared %La\n", square_root(2), square_root(2) * square_root(2) - 2);
  long double factorial = 1, e = 1;
  for (int n = 1; n < 35; n++) factorial *= n, e += 1 / factorial;
  printf("e %.31Lf, 34! %.0Lf\n", e, factorial);
  printf("low part kept %d, sum %La, difference %La\n", one + tiny != one, one + tiny, (one + tiny) - one);
  printf("compare %d%d%d%d\n", one < one + tiny, one + tiny > one, third == 1.0L / 3, -third < third);
  printf("to double %a float %a int %d int64 %lld unsigned %u\n", (double)third, (float)third, (int)negative,
         (long long)(negative * 1e12L), (unsigned)(-negative));
  printf("from %La %La %La\n", (long double)0x7fffffffffffffffLL, (long double)0xffffffffffffffffULL, (long double)-5);
  printf("rounding %Lg %Lg %Lg %Lg %Lg\n", floorl(negative), ceill(negative), truncl(negative), roundl(negative), rintl(negative));
  printf("parts %Lg %Lg, scale %La, copysign %Lg\n", fmodl(negative, 2), fabsl(negative), ldexpl(third, 10), copysignl(3, negative));
  printf("parsed %La %.31Lg\n", strtold("0.1", NULL), strtold("123456789012345678901234567890.5", NULL));
  printf("limits %Lg %Lg %d %d\n", LDBL_MAX, LDBL_MIN, isinf(LDBL_MAX * 2), isnan((long double)NAN));
  long double harmonic = 0;
  for (int n = 1; n <= 2000; n++) harmonic += 1.0L / n;
  printf("harmonic %.30Lf\n", harmonic);
  return 0;
}
