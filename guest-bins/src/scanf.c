/* scanf on strings and on standard input: numbers in all bases and sizes, sets, counts, suppression, failures. */
#include <string.h>

#include "guest.h"

static void integers(void) {
  int d = -1, i = -1, n = -1, fields;
  unsigned o = 0, x = 0;
  short h = 0;
  signed char hh = 0;
  long long ll = 0;
  fields = sscanf("12 0x1F 17 ff -5 300 -9000000000 tail", "%d %i %o %x %hd %hhd %lld%n", &d, &i, &o, &x, &h, &hh, &ll, &n);
  printf("%d: %d %d %u %u %hd %hhd %lld, %d read\n", fields, d, i, o, x, h, hh, ll, n);
  fields = sscanf("123456", "%2d%3d%d", &d, &i, &n);
  printf("%d: %d %d %d\n", fields, d, i, n);
  printf("failures %d %d %d\n", sscanf("x", "%d", &d), sscanf("", "%d", &d), sscanf("5,6", "%d;%d", &d, &i));
}

static void reals(void) {
  static const char *texts[] = {"3.25", "-1e3", "0x1p-3", "infinity", ".5", "1e-320", "1.7976931348623157e308", "0.1"};
  for (unsigned i = 0; i < COUNT(texts); i++) {
    float f = 0;
    double d = 0;
    long double l = 0;
    int fields = sscanf(texts[i], "%f", &f) + sscanf(texts[i], "%lf", &d) + sscanf(texts[i], "%Lf", &l);
    printf("%d: %a %a %.20Lg\n", fields, f, d, l);
  }
}

static void texts(void) {
  char a[32] = "", b[32] = "", c[4] = "";
  int skipped = 0;
  int fields = sscanf("key = some value; 99", "%31[a-z] = %31[^;];%*d%n", a, b, &skipped);
  printf("%d: [%s] [%s] %d\n", fields, a, b, skipped);
  fields = sscanf("abcdef ghi", "%3c%*c%s %31s", c, a, b);
  printf("%d: [%.3s] [%s] [%s]\n", fields, c, a, b);
  char *made = NULL;
  fields = sscanf("allocated word", "%ms", &made);
  printf("%d: [%s]\n", fields, made);
  free(made);
}

/* Adds up whatever standard input has: words and the numbers among them. */
static void standard_input(void) {
  char word[64];
  int words = 0, numbers = 0;
  long total = 0;
  uint32_t sum = FNV_START;
  while (scanf("%63s", word) == 1) {
    int value, length = 0;
    words++;
    if (sscanf(word, "%d%n", &value, &length) == 1 && word[length] == 0) numbers++, total += value;
    sum = fnv1a(sum, word, strlen(word));
  }
  printf("stdin: %d words, %d numbers adding up to %ld, %08x, end %d\n", words, numbers, total, sum, !!feof(stdin));
}

int main(void) {
  integers();
  reals();
  texts();
  standard_input();
  return 0;
}
