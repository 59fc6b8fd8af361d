/* Decimal floating point in hardware: sums, products, quotients and roundings in three formats, conversions, a loan.
   Targets: ppc64 ppc64le
   Variants: power7 power10 */
#include "guest.h"

/* A value as an integer of so many decimals: printf knows no decimal formats. */
static void show(const char *name, _Decimal128 value, int decimals) {
  _Decimal128 scale = 1;
  for (int i = 0; i < decimals; i++) scale *= 10;
  printf("%-12s %lld * 10^-%d\n", name, (long long)(value * scale), decimals);
}

static _Decimal64 instalment(_Decimal64 loan, _Decimal64 rate, int months) {
  _Decimal64 growth = 1, monthly = rate / 1200.DD;
  for (int i = 0; i < months; i++) growth *= 1 + monthly;
  return loan * monthly * growth / (growth - 1);
}

int main(void) {
  _Decimal32 narrow = 0;
  _Decimal64 tenth = 0, chain = 1, root = 1.DD;
  _Decimal128 e = 0, term = 1;
  uint32_t random = 99;
  int order = 0;
  for (int i = 0; i < 10; i++) tenth += 0.1DD;
  printf("ten tenths are one: %d\n", tenth == 1.DD);
  show("instalment", instalment(250000.DD, 3.75DD, 240), 10);
  for (int k = 1; k < 40; k++) {
    e += term;
    term /= k;
  }
  show("e", e, 17);
  show("fraction", e - 2, 18);
  for (int i = 0; i < 6; i++) root = (root + 2 / root) / 2;
  show("root", root, 14);
  for (int i = 0; i < 1000; i++) {
    narrow += 0.001DF;
    narrow *= 1.001DF;
  }
  show("narrow", narrow, 10);
  for (int i = 0; i < 300; i++) {
    _Decimal64 x = (_Decimal64)(int32_t)next_random(&random) / 1000;
    _Decimal64 y = (_Decimal64)(int32_t)next_random(&random) / 7;
    chain = chain / 3 + x * y - y / (x + 0.5DD);
    order += (x < y) + 2 * (x == y) + 4 * (x >= y) + 8 * (-x > y);
  }
  show("chain", chain, 3);
  printf("order %d\n", order);
  for (int i = 0; i < 6; i++) {
    double binary = (int32_t)next_random(&random) / 64.0;
    long long whole = (long long)((uint64_t)next_random(&random) << 20);
    printf("as %a %a %lld %d\n", (double)(_Decimal64)binary, (double)(_Decimal128)binary, (long long)((_Decimal64)whole / 8), (int)((_Decimal32)binary));
    show("from", (_Decimal128)binary + whole, 3);
  }
  show("tiny", 1.E-398DD * 1.E300DD * 1.E98DD, 3);
  show("cut", (_Decimal64)1234567890.123456789012345678901234DL, 8);
  printf("beyond %d, not a number %d\n", 9.E384DD * 10 > 9.E384DD, 0.DD / (tenth - 1) == 0);
  return 0;
}
