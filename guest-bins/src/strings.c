/* The C library's string and memory functions at every alignment and many lengths, and number parsing. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "guest.h"

static int sign(int n) { return (n > 0) - (n < 0); }

/* Every pair of alignments within 16 bytes, so that each path of an optimised routine is taken. */
static uint32_t alignments(void) {
  uint32_t sum = FNV_START;
  static char from[256], to[256];
  for (int i = 0; i < 256; i++) from[i] = i * 7 + 1;
  for (int a = 0; a < 16; a++)
    for (int b = 0; b < 16; b += 3)
      for (int n = 0; n < 100; n = n * 2 + 1) {
        memset(to, 0x55, sizeof to);
        memcpy(to + b, from + a, n);
        CHECK(memcmp(to + b, from + a, n) == 0 && to[b + n] == 0x55);
        memmove(to + b + 5, to + b, n);
        memmove(to + b, to + b + 3, n);
        memset(to + 150 + a, n, b + 1);
        sum = fnv1a(sum, to, sizeof to);
      }
  return sum;
}

static void lengths(void) {
  char text[80], other[80];
  for (int n = 0; n < 40; n += 3)
    for (int a = 0; a < 8; a++) {
      memset(text, 'x', sizeof text);
      text[a + n] = 0;
      strcpy(other, text + a);
      CHECK(strlen(text + a) == (size_t)n && strnlen(text + a, 20) == (size_t)(n < 20 ? n : 20));
      CHECK(memchr(text, 0, sizeof text) == text + a + n && strcmp(other, text + a) == 0);
    }
}

static void parsing(void) {
  static const char *numbers[] = {"0", "-17", "0x7fffffff", "0777", "99999999999999999999", "  +12abc", "zz", "-0x80000000"};
  for (unsigned i = 0; i < COUNT(numbers); i++) {
    char *end;
    errno = 0;
    long long value = strtoll(numbers[i], &end, 0);
    int error = errno;
    printf("strtoll(\"%s\") = %lld rest \"%s\" errno %d; base 36: %llu\n", numbers[i], value, end, error,
           strtoull(numbers[i], NULL, 36));
  }
  static const char *reals[] = {"1.5", "-2.5e-3", "1e400", "0x1.8p3", "inf", "nan", ".5.5", "4.9e-324", "179769313486231570e291"};
  for (unsigned i = 0; i < COUNT(reals); i++) {
    char *end;
    double value = strtod(reals[i], &end);
    printf("strtod(\"%s\") = %a rest \"%s\"; float %a\n", reals[i], value, end, strtof(reals[i], NULL));
  }
}

int main(void) {
  char list[] = "alpha, beta,,gamma;delta", buffer[64] = "start", *rest = NULL;
  printf("alignments %08x\n", alignments());
  lengths();
  for (char *word = strtok_r(list, ", ;", &rest); word; word = strtok_r(NULL, ", ;", &rest)) printf("[%s]", word);
  strncat(strcat(buffer, "-middle"), "-endless", 4);
  printf("\n%s %s %s %s\n", buffer, strstr(buffer, "mid"), strrchr(buffer, '-'), strpbrk(buffer, "xyzd"));
  printf("spans %zu %zu\n", strspn(buffer, "rats"), strcspn(buffer, "-"));
  printf("compare %d %d %d %d %d\n", sign(strcmp("abc", "abd")), sign(strncmp("abc", "abd", 2)),
         sign(strcasecmp("HeLLo", "hEllO")), sign(strcmp("\xff", "a")), sign(memcmp("ab\0c", "ab\0d", 4)));
  for (int c = 0; c < 128; c++)
    if (ispunct(c) && !strchr("!\"#$%&'()*+,-./", c)) putchar(c);
  printf("\n%c%c %d%d%d\n", toupper('q'), tolower('Q'), !!isxdigit('g'), !!isspace('\t'), !!iscntrl(127));
  parsing();
  char *copy = strdup("duplicate");
  printf("%s %s\n", copy, strerror(ENOENT));
  free(copy);
  return 3;
}
