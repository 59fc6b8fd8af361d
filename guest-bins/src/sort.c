/* Sorting: qsort and bsearch of the C library, and heap, merge, shell and radix sort, on four kinds of input. */
#include <string.h>

#include "guest.h"

enum { N = 3000 };
static int32_t scratch[N];

static int compare(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static void library_sort(int32_t *a, int n) { qsort(a, n, sizeof *a, compare); }

static void heap_sort(int32_t *a, int n) {
  for (int start = n / 2, end = n; end > 1;) {
    int root, child;
    int32_t value;
    if (start > 0) value = a[--start];
    else value = a[--end], a[end] = a[0];
    for (root = start; (child = 2 * root + 1) < end; root = child) {
      if (child + 1 < end && a[child] < a[child + 1]) child++;
      if (value >= a[child]) break;
      a[root] = a[child];
    }
    a[root] = value;
  }
}

static void merge_sort(int32_t *a, int n) {
  if (n < 2) return;
  int half = n / 2, i = 0, j = half, k = 0;
  merge_sort(a, half);
  merge_sort(a + half, n - half);
  while (i < half && j < n) scratch[k++] = a[j] < a[i] ? a[j++] : a[i++];
  while (i < half) scratch[k++] = a[i++];
  memcpy(a, scratch, k * sizeof *a);
}

static void shell_sort(int32_t *a, int n) {
  for (int gap = n / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
    for (int i = gap; i < n; i++) {
      int32_t value = a[i];
      int j = i;
      for (; j >= gap && a[j - gap] > value; j -= gap) a[j] = a[j - gap];
      a[j] = value;
    }
}

static void radix_sort(int32_t *a, int n) {
  for (int shift = 0; shift < 32; shift += 8) {
    int place[257] = {0};
    uint32_t flip = shift == 24 ? 0x80 : 0; /* the sign sorts the other way round */
    for (int i = 0; i < n; i++) place[(((uint32_t)a[i] >> shift & 0xff) ^ flip) + 1]++;
    for (int d = 0; d < 256; d++) place[d + 1] += place[d];
    for (int i = 0; i < n; i++) scratch[place[((uint32_t)a[i] >> shift & 0xff) ^ flip]++] = a[i];
    memcpy(a, scratch, n * sizeof *a);
  }
}

static void fill(int32_t *a, int kind) {
  uint32_t random = 12345;
  for (int i = 0; i < N; i++) {
    int32_t value = (int32_t)next_random(&random);
    a[i] = kind == 0 ? value : kind == 1 ? i - N / 2 : kind == 2 ? N - i : value % 10;
  }
}

int main(void) {
  static const struct {
    const char *name;
    void (*sort)(int32_t *, int);
  } sorts[] = {{"qsort", library_sort}, {"heap", heap_sort}, {"merge", merge_sort}, {"shell", shell_sort}, {"radix", radix_sort}};
  static const char *kinds[] = {"random", "rising", "falling", "few"};
  static int32_t a[N];
  for (unsigned s = 0; s < COUNT(sorts); s++)
    for (unsigned kind = 0; kind < COUNT(kinds); kind++) {
      uint32_t sum = FNV_START;
      fill(a, kind);
      int32_t wanted = a[N / 3];
      sorts[s].sort(a, N);
      for (int i = 0; i < N; i++) {
        CHECK(i == 0 || a[i - 1] <= a[i]);
        sum = fnv1a_u64(sum, (uint32_t)a[i]);
      }
      int32_t *found = bsearch(&wanted, a, N, sizeof *a, compare);
      CHECK(found != NULL && *found == wanted);
      printf("%-5s %-7s %08x median %d\n", sorts[s].name, kinds[kind], sum, a[N / 2]);
    }
  return 0;
}
