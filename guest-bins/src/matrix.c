/* Matrices: integer product and powers, determinant modulo a prime, and the double product with its fmadd loop. */
#include "guest.h"

enum { N = 32, PRIME = 1000003 };

static int32_t ia[N][N], ib[N][N], ic[N][N];
static double da[N][N], db[N][N], dc[N][N];

static void multiply(int32_t a[N][N], int32_t b[N][N], int32_t c[N][N]) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      int64_t sum = 0;
      for (int k = 0; k < N; k++) sum += (int64_t)a[i][k] * b[k][j];
      c[i][j] = sum % PRIME;
    }
}

static int64_t power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  for (; exponent > 0; exponent >>= 1, base = base * base % PRIME)
    if (exponent & 1) result = result * base % PRIME;
  return result;
}

/* Gaussian elimination over the integers modulo PRIME. */
static int64_t determinant(int32_t m[N][N]) {
  int64_t result = 1;
  for (int c = 0; c < N; c++) {
    int pivot = c;
    while (pivot < N && m[pivot][c] == 0) pivot++;
    if (pivot == N) return 0;
    if (pivot != c) {
      for (int k = 0; k < N; k++) {
        int32_t swap = m[c][k];
        m[c][k] = m[pivot][k];
        m[pivot][k] = swap;
      }
      result = PRIME - result;
    }
    result = result * m[c][c] % PRIME;
    int64_t inverse = power(m[c][c], PRIME - 2);
    for (int r = c + 1; r < N; r++) {
      int64_t factor = m[r][c] * inverse % PRIME;
      for (int k = c; k < N; k++) m[r][k] = (m[r][k] + (PRIME - factor) * m[c][k]) % PRIME;
    }
  }
  return result;
}

int main(void) {
  uint32_t random = 7, sum = FNV_START;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      ia[i][j] = next_random(&random) % PRIME;
      ib[i][j] = next_random(&random) % PRIME;
      da[i][j] = (double)ia[i][j] / (i + 1);
      db[i][j] = (double)ib[i][j] / (j + 3);
    }
  multiply(ia, ib, ic);
  multiply(ic, ic, ib);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) sum = fnv1a_u64(sum, ib[i][j]);
  printf("integer product %08x, trace", sum);
  for (int i = 0; i < N; i += 8) printf(" %d", ib[i][i]);
  int64_t left = determinant(ia), product = determinant(ic);
  printf("\ndeterminants %lld %lld\n", (long long)left, (long long)product);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < N; k++) dc[i][j] += da[i][k] * db[k][j];
  for (int i = 0; i < N; i += 7) printf("double product %a %.6f\n", dc[i][N - 1 - i], dc[i][i]);
  return 0;
}
