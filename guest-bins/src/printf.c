/* printf: every conversion, flag, width, precision and length, positional arguments, %n, and wide characters. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <wchar.h>

#include "guest.h"

static void integers(void) {
  static const char *formats[] = {"%d", "%5d", "%-8d", "%08d", "%+d", "% d", "%.4d", "%12.6d", "%'d", "%u", "%o", "%#o",
                                  "%x", "%#X", "%#12x", "%-#12x", "%012X", "%.0d"};
  static const int values[] = {0, 1, -1, 42, -98765, INT_MAX, INT_MIN};
  for (unsigned f = 0; f < COUNT(formats); f++) {
    printf("%-7s", formats[f]);
    for (unsigned v = 0; v < COUNT(values); v++) {
      putchar('|');
      printf(formats[f], values[v]);
    }
    printf("|\n");
  }
  printf("%hhd %hhu %hd %hu %ld %lu %lld %llu\n", -129, 511, 70000, -1, LONG_MAX / 4 * 0 - 5L, 5UL, LLONG_MIN, ULLONG_MAX);
  printf("%jd %zu %td %llx %llo\n", (intmax_t)-7, sizeof(int), (ptrdiff_t)-3, 0xfeedfacecafebeefull, 0777ull << 40);
}

static void reals(void) {
  static const char *formats[] = {"%f", "%.0f", "%#.0f", "%10.3f", "%-12.1f", "%+e", "%.10E", "%g", "%#g", "%G", "%.3g", "%a", "%.2A", "% 020f"};
  static const double values[] = {0.0, -0.0, 1.0, -2.5, 0.1, 1e10, 123456789.125, 1e-5, DBL_MAX, DBL_MIN, 4.9e-324, INFINITY, -INFINITY, NAN};
  for (unsigned f = 0; f < COUNT(formats); f++) {
    printf("%-8s", formats[f]);
    for (unsigned v = 0; v < COUNT(values); v++) {
      putchar('|');
      printf(formats[f], values[v]);
    }
    printf("|\n");
  }
  for (double x = 0.5; x < 10; x += 1) printf("%.0f ", x);
  printf("%.60f\n", 0.1);
}

static void long_reals(void) {
  long double third = 1.0L / 3, big = 1e30L + 1, tiny = LDBL_MIN;
  printf("%Lf %.33Lf %Le %.36Lg %La\n", third, third, big, big, third);
  printf("%.0Lf %Lg %LG %La %Lf\n", big, tiny, -tiny, big, (long double)INFINITY);
  printf("%.40Lg\n", 3.14159265358979323846264338327950288L);
}

int main(void) {
  int before = 0, after = 0;
  char short_buffer[8];
  integers();
  reals();
  long_reals();
  printf("[%s] [%10s] [%-10s] [%.3s] [%*.*s] [%c] [%5c] [%%]\n", "text", "right", "left", "truncated", 8, 2, "stars", 'c', 'd');
  printf("%2$s %1$s %2$5.2s %3$*4$d\n", "world", "hello", 7, 5);
  printf("%ls %lc [%6.3ls]\n", L"wide", (wint_t)L'w', L"string");
  printf("count%n these%n\n", &before, &after);
  printf("%d %d %p %s\n", before, after, NULL, (char *)NULL);
  int wanted = snprintf(short_buffer, sizeof short_buffer, "%s-%d", "overflow", 12345);
  printf("snprintf %d \"%s\"\n", wanted, short_buffer);
  return 0;
}
