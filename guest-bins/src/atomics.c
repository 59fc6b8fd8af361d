/* Atomic operations of every size and order: on powerpc each is a loop of reservation and conditional store. */
#include <stdatomic.h>

#include "guest.h"

static _Atomic uint8_t byte;
static _Atomic uint16_t half;
static _Atomic uint32_t word;
static _Atomic(void *) pointer;
static atomic_flag flag = ATOMIC_FLAG_INIT;
#ifdef __powerpc64__
static _Atomic uint64_t twin;
#endif

/* Every read-modify-write on one variable, results folded together. */
#define EXERCISE(variable, type)                                                            \
  do {                                                                                      \
    for (uint32_t i = 0; i < 300; i++) {                                                    \
      type value = next_random(&random), expected = atomic_load(&variable);                 \
      sum = fnv1a_u64(sum, atomic_fetch_add(&variable, value));                             \
      sum = fnv1a_u64(sum, atomic_fetch_sub_explicit(&variable, (type)i, memory_order_relaxed)); \
      sum = fnv1a_u64(sum, atomic_fetch_xor(&variable, value));                             \
      sum = fnv1a_u64(sum, atomic_fetch_or_explicit(&variable, 1, memory_order_acquire));   \
      sum = fnv1a_u64(sum, atomic_fetch_and(&variable, (type)~i));                          \
      sum = fnv1a_u64(sum, atomic_compare_exchange_strong(&variable, &expected, value));    \
      expected = atomic_load_explicit(&variable, memory_order_acquire);                     \
      CHECK(atomic_compare_exchange_strong(&variable, &expected, (type)(value * 3)));       \
      sum = fnv1a_u64(sum, atomic_exchange_explicit(&variable, value, memory_order_acq_rel)); \
      atomic_store_explicit(&variable, (type)(value + i), memory_order_release);            \
    }                                                                                       \
    printf("%-8s %08x\n", #variable, sum);                                                  \
  } while (0)

struct node {
  struct node *next;
  int value;
};

static void push(struct node *node) {
  void *head = atomic_load(&pointer);
  do node->next = head;
  while (!atomic_compare_exchange_weak(&pointer, &head, node));
}

int main(void) {
  static struct node nodes[50];
  uint32_t random = 777, sum = FNV_START;
  EXERCISE(byte, uint8_t);
  EXERCISE(half, uint16_t);
  EXERCISE(word, uint32_t);
#ifdef __powerpc64__
  EXERCISE(twin, uint64_t);
#endif
  for (unsigned i = 0; i < COUNT(nodes); i++) nodes[i].value = i, push(&nodes[i]);
  int total = 0;
  for (struct node *n = atomic_load(&pointer); n != NULL; n = n->next) total = (total * 3 + n->value) % 65521;
  printf("stack %d\n", total);
  printf("flag %d", atomic_flag_test_and_set(&flag));
  printf(" %d", atomic_flag_test_and_set(&flag));
  atomic_flag_clear(&flag);
  printf(" %d\n", atomic_flag_test_and_set(&flag));
  atomic_thread_fence(memory_order_seq_cst);
  atomic_signal_fence(memory_order_seq_cst);
  return 0;
}
