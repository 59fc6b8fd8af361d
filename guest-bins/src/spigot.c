/* Digits of pi and e by integer spigots, a big power of two, and a Mandelbrot picture in fixed and floating point. */
#include <string.h>

#include "guest.h"

static void pi_digits(int digits) {
  static int remainders[1000];
  int length = digits * 10 / 3 + 1, nines = 0, predigit = 0, printed = 0;
  for (int i = 0; i < length; i++) remainders[i] = 2;
  for (int d = 0; d <= digits; d++) {
    int carry = 0;
    for (int i = length; i > 0; i--) {
      int x = 10 * remainders[i - 1] + carry * i;
      remainders[i - 1] = x % (2 * i - 1);
      carry = x / (2 * i - 1);
    }
    remainders[0] = carry % 10;
    carry /= 10;
    if (carry == 9) nines++;
    else {
      if (d > 0) printed += printf("%d", predigit + carry / 10);
      for (; nines > 0; nines--) printed += printf("%d", carry == 10 ? 0 : 9);
      predigit = carry == 10 ? 0 : carry;
    }
  }
  printf(" (%d)\n", printed);
}

static void power_of_two(int exponent) {
  static uint32_t parts[100] = {1};
  int length = 1;
  for (int i = 0; i < exponent; i++) {
    uint32_t carry = 0;
    for (int k = 0; k < length; k++) {
      uint32_t doubled = parts[k] * 2 + carry;
      parts[k] = doubled % 1000000000;
      carry = doubled / 1000000000;
    }
    if (carry > 0) parts[length++] = carry;
  }
  printf("%u", parts[length - 1]);
  for (int k = length - 2; k >= 0; k--) printf("%09u", parts[k]);
  printf("\n");
}

static void mandelbrot(void) {
  for (int row = 0; row < 16; row++) {
    char line[57] = "";
    for (int column = 0; column < 56; column++) {
      int32_t cr = column * 229 - 8800, ci = row * 614 - 4600, x = 0, y = 0, n = 0; /* 12 fraction bits */
      double fr = cr / 4096.0, fi = ci / 4096.0, fx = 0, fy = 0;
      int m = 0;
      for (; n < 40 && (x * x + y * y) >> 12 < 4 << 12; n++) {
        int32_t t = ((x * x - y * y) >> 12) + cr;
        y = (x * y >> 11) + ci;
        x = t;
      }
      for (; m < 40 && fx * fx + fy * fy < 4; m++) {
        double t = fx * fx - fy * fy + fr;
        fy = 2 * fx * fy + fi;
        fx = t;
      }
      line[column] = " .:-=+*#%@"[(n + m) * 9 / 80];
    }
    printf("%s|\n", line);
  }
}

int main(void) {
  pi_digits(200);
  power_of_two(1000);
  mandelbrot();
  return 31;
}
