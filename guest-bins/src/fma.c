/* Fused multiply-add in chains: Horner, dot products, Newton steps, and all four fused forms in both precisions. */
#include <math.h>

#include "guest.h"

static double horner(const double *c, int n, double x) {
  double r = c[0];
  for (int i = 1; i < n; i++) r = r * x + c[i];
  return r;
}

/* A product as the unevaluated sum of two doubles: right only if fma rounds once. */
static void two_product(double a, double b, double *high, double *low) {
  *high = a * b;
  *low = fma(a, b, -*high);
}

static double reciprocal(double d) {
  double x = 48.0 / 17 - 32.0 / 17 * d;
  for (int i = 0; i < 5; i++) x = fma(x, fma(-d, x, 1.0), x);
  return x;
}

__attribute__((noinline)) static double forms(double a, double b, double c) {
  return (a * b + c) + (a * b - c) * 3 + (-(a * b + c)) * 5 + (-(a * b - c)) * 7 + (c - a * b) * 11;
}

__attribute__((noinline)) static float forms_single(float a, float b, float c) {
  return (a * b + c) + (a * b - c) * 3 + (-(a * b + c)) * 5 + (-(a * b - c)) * 7 + (c - a * b) * 11;
}

int main(void) {
  static const double coefficients[] = {1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1};
  double x[64], y[64], dot = 0, high, low, chain = 1;
  float single = 1;
  uint32_t random = 31337;
  for (double at = -2; at <= 2; at += 0.4375) printf("horner(%g) = %a\n", at, horner(coefficients, 8, at));
  for (int i = 0; i < 64; i++) {
    x[i] = (int32_t)next_random(&random) / 65536.0;
    y[i] = (int32_t)next_random(&random) / 3.0e5;
    dot = fma(x[i], y[i], dot);
  }
  printf("dot %a\n", dot);
  for (int i = 0; i < 8; i++) {
    two_product(x[i] / 3, y[i] / 7, &high, &low);
    printf("product %a %a reciprocal %a\n", high, low, reciprocal(0.5 + i / 16.0));
    printf("forms %a %a\n", forms(x[i], y[i], 1 / x[i]), (double)forms_single(x[i], y[i], 1 / x[i]));
  }
  for (int i = 0; i < 20000; i++) {
    chain = chain * 0.999999 + 1e-3;
    single = single * 0.9999f + 1e-3f;
  }
  printf("chains %a %a\n", chain, (double)single);
  printf("single rounding %a\n", (double)fmaf(0x1.000002p0f, 0x1.000002p0f, -0x1.000004p0f));
  printf("edges %a %a %a %d\n", fma(0x1p-1000, 0x1p-74, 0x1p-1074), fma(1e308, 10, -INFINITY), fma(0x1p1023, 2, -0x1p1023) == 0x1p1023 ? 1.0 : 0.0,
         !!isnan(fma(INFINITY, 0, 1)));
  return 0;
}
