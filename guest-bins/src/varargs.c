/* Variable arguments and wide signatures: integers, doubles, structures and long long past the register save area. */
#include <stdarg.h>

#include "guest.h"

struct pair {
  int a, b;
};
struct big {
  double d[3];
  char c;
};
struct floats {
  float x, y;
};

static double sum(const char *kinds, ...) {
  double total = 0;
  va_list list;
  va_start(list, kinds);
  for (; *kinds; kinds++) switch (*kinds) {
      case 'i': total += va_arg(list, int); break;
      case 'l': total += va_arg(list, long); break;
      case 'L': total += va_arg(list, long long); break;
      case 'd': total += va_arg(list, double); break;
      case 'D': total += va_arg(list, long double); break;
      case 'p': { struct pair p = va_arg(list, struct pair); total += p.a * 10 + p.b; break; }
      case 'b': { struct big b = va_arg(list, struct big); total += b.d[0] + b.d[1] + b.d[2] + b.c; break; }
      case 'f': { struct floats f = va_arg(list, struct floats); total += f.x * f.y; break; }
      case 's': total += va_arg(list, char *)[0]; break;
    }
  va_end(list);
  return total;
}

static int twice(int count, ...) {
  va_list list, copy;
  int first = 0, second = 0;
  va_start(list, count);
  va_copy(copy, list);
  for (int i = 0; i < count; i++) first += va_arg(list, int);
  for (int i = 0; i < count; i++) second = second * 3 + va_arg(copy, int);
  va_end(list), va_end(copy);
  return first * 1000 + second;
}

static void forward(char *out, size_t size, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(out, size, format, list);
  va_end(list);
}

__attribute__((noinline)) static double many(int a, double b, long long c, float d, short e, double f, char g, float h, int i,
                                             double j, long long k, double l, double m, double n, double o, double p, double q,
                                             double r, unsigned char s, long double t) {
  return a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6 + g * 7 + h * 8 + i * 9 + j * 10 + k * 11 + l * 12 + m * 13 + n * 14 + o * 15 +
         p * 16 + q * 17 + r * 18 + s * 19 + t * 20;
}

__attribute__((noinline)) static struct big build(struct pair p, struct floats f, int n) {
  return (struct big){{p.a + n, p.b * f.x, f.y}, (char)n};
}

int main(void) {
  char text[80];
  struct pair p = {3, 4};
  struct big b = {{1.5, 2.5, 3.5}, 7};
  struct floats f = {1.25f, 8};
  printf("%g\n", sum("iiiiiiiiiiii", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  printf("%g\n", sum("dddddddddddddddd", 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12., 13., 14., 15., 16.));
  printf("%.10g\n", sum("iLiLiLiLdi", 1, 1LL << 40, 2, 3LL, 4, -5LL, 6, 7LL, 0.5, 9));
  printf("%g\n", sum("pbfsDlpdf", p, b, f, "A", 2.25L, -17L, p, 1e3, f));
  printf("%d\n", twice(9, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  forward(text, sizeof text, "%d %s %lld %g %c", 5, "five", 5000000000LL, 5.5, '5');
  printf("%s\n", text);
  printf("%.17g\n", many(1, 2, 3, 4, -5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 200, 20.5L));
  b = build(p, f, 9);
  printf("%g %g %g %d\n", b.d[0], b.d[1], b.d[2], b.c);
  return 0;
}
