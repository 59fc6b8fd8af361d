/* makecontext and swapcontext: coroutines with their own stacks that keep integer, FP and condition state apart. */
#include <ucontext.h>

#include "guest.h"

enum { WORKERS = 3, STACK = 65536 };

static ucontext_t scheduler, workers[WORKERS];
static char stacks[WORKERS][STACK] __attribute__((aligned(16)));
static int alive = WORKERS, yielded;

static void yield(int self, int value) {
  yielded = value;
  swapcontext(&workers[self], &scheduler);
}

static void worker(int self, int limit) {
  double real = self + 0.5;
  int a = 1, b = 1, same = self * 100;
  for (int i = 0; i < limit; i++) {
    int next = a + b;
    a = b, b = next;
    real = real * 1.25 - self;
    yield(self, a);
    CHECK(same == self * 100);
  }
  printf("worker %d ends with %d %a\n", self, b, real);
  alive--;
}

static void nested(void) {
  static ucontext_t here;
  volatile int passes = 0;
  getcontext(&here);
  passes++;
  if (passes < 4) setcontext(&here);
  printf("getcontext returned %d times\n", passes);
}

int main(void) {
  for (int i = 0; i < WORKERS; i++) {
    getcontext(&workers[i]);
    workers[i].uc_stack.ss_sp = stacks[i];
    workers[i].uc_stack.ss_size = STACK;
    workers[i].uc_link = &scheduler;
    makecontext(&workers[i], (void (*)(void))worker, 2, i, 3 + i * 2);
  }
  for (int round = 0; alive > 0 && round < 50; round++)
    for (int i = 0; i < WORKERS; i++) {
      if (round > 3 + i * 2) continue;
      int before = alive;
      swapcontext(&scheduler, &workers[i]);
      if (before == alive) printf("%d:%d ", i, yielded);
    }
  nested();
  return 0;
}
