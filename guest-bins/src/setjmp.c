/* setjmp and longjmp: over many frames, out of recursion, with values, registers and FP registers kept, and as a generator. */
#include <setjmp.h>
#include <signal.h>

#include "guest.h"

static jmp_buf home;
static int depth_reached;

__attribute__((noinline)) static int dive(int depth, int target) {
  char pad[64] = {(char)depth};
  depth_reached = depth;
  if (depth == target) longjmp(home, depth);
  return dive(depth + 1, target) + pad[0];
}

/* Values in call-saved registers must survive the jump if they do not change after setjmp. */
__attribute__((noinline)) static double keep_registers(int n) {
  int a = n + 1, b = n * 2, c = n - 3, d = n ^ 5;
  double x = n * 0.5, y = n * 1.5, z = n / 7.0;
  jmp_buf here;
  volatile int rounds = 0;
  if (setjmp(here) < 3) {
    rounds++;
    longjmp(here, rounds);
  }
  return rounds * 1000 + a + b + c + d + x + y + z;
}

static const char *attempt(int error) {
  static const char *names[] = {"fine", "first error", "second error"};
  jmp_buf catch;
  int code = setjmp(catch);
  if (code != 0) return names[code];
  for (int i = 0; i < 10; i++)
    if (i == 5 && error) longjmp(catch, error);
  return names[0];
}

static void masks(void) {
  sigjmp_buf with, without;
  sigset_t set, now;
  volatile int kept = 0, changed = 0;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  if (sigsetjmp(with, 1) == 0) {
    sigprocmask(SIG_BLOCK, &set, NULL);
    siglongjmp(with, 1);
  }
  sigprocmask(SIG_SETMASK, NULL, &now);
  kept = sigismember(&now, SIGUSR1);
  if (sigsetjmp(without, 0) == 0) {
    sigprocmask(SIG_BLOCK, &set, NULL);
    siglongjmp(without, 1);
  }
  sigprocmask(SIG_SETMASK, NULL, &now);
  changed = sigismember(&now, SIGUSR1);
  printf("mask kept %d, changed %d\n", !kept, changed);
}

int main(void) {
  volatile int total = 0;
  for (volatile int target = 1; target < 2000; target = target * 3) {
    int value = setjmp(home);
    if (value == 0) dive(0, target);
    total = total + value;
    printf("back from %d (%d)\n", value, depth_reached);
  }
  if (setjmp(home) == 0) longjmp(home, 0);
  else printf("zero becomes one\n");
  for (int n = 0; n < 5; n++) printf("%.9f\n", keep_registers(n * 17));
  for (int error = 0; error < 3; error++) printf("%s\n", attempt(error));
  masks();
  return total % 256;
}
