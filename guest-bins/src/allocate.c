/* malloc patterns: random lives, growth by realloc, alignment, big blocks that are mapped, lists and trees. */
#include <malloc.h>
#include <string.h>

#include "guest.h"

enum { SLOTS = 400 };

struct node {
  struct node *left, *right;
  uint32_t key;
};

static struct node *insert(struct node *root, uint32_t key) {
  if (root == NULL) {
    root = calloc(1, sizeof *root);
    root->key = key;
  } else if (key < root->key) root->left = insert(root->left, key);
  else if (key > root->key) root->right = insert(root->right, key);
  return root;
}

static int height(const struct node *n) {
  if (n == NULL) return 0;
  int l = height(n->left), r = height(n->right);
  return 1 + (l > r ? l : r);
}

static uint32_t release(struct node *n, uint32_t sum) {
  if (n == NULL) return sum;
  sum = release(n->left, sum);
  sum = fnv1a_u64(sum, n->key);
  sum = release(n->right, sum);
  free(n);
  return sum;
}

int main(void) {
  static unsigned char *blocks[SLOTS];
  static size_t sizes[SLOTS];
  uint32_t random = 2024, sum = FNV_START;
  for (int i = 0; i < 8000; i++) {
    unsigned slot = next_random(&random) % SLOTS;
    size_t size = next_random(&random) % (i % 50 == 0 ? 200000 : 900) + 1;
    for (size_t k = 0; k < sizes[slot]; k += 97) CHECK(blocks[slot][k] == (unsigned char)slot);
    if (next_random(&random) % 3 == 0) {
      free(blocks[slot]);
      blocks[slot] = NULL, sizes[slot] = 0;
    } else {
      unsigned char *grown = realloc(blocks[slot], size);
      CHECK(grown != NULL && (uintptr_t)grown % 8 == 0);
      memset(grown, (int)slot, size);
      blocks[slot] = grown, sizes[slot] = size;
      sum = fnv1a_u64(sum, size);
    }
  }
  for (int i = 0; i < SLOTS; i++) free(blocks[i]);
  printf("random lives %08x\n", sum);

  for (size_t alignment = 16; alignment <= 65536; alignment *= 4) {
    void *p = NULL;
    CHECK(posix_memalign(&p, alignment, 100) == 0 && (uintptr_t)p % alignment == 0);
    free(p);
  }
  char *big = malloc(40 << 20), *zero = calloc(1000, 1000);
  CHECK(big != NULL && zero != NULL && zero[999999] == 0);
  big[0] = 1, big[(40 << 20) - 1] = 2;
  big = realloc(big, 50 << 20);
  printf("big %d %d, usable %d, too big %d\n", big[0], big[(40 << 20) - 1], malloc_usable_size(zero) >= 1000000,
         malloc((size_t)-1 / 4) == NULL);
  free(big), free(zero);

  struct node *root = NULL;
  for (int i = 0; i < 3000; i++) root = insert(root, next_random(&random) % 100000);
  printf("tree height %d", height(root));
  printf(", contents %08x\n", release(root, FNV_START));
  printf("trimmed %d\n", malloc_trim(0) >= 0);
  return 0;
}
