/*
 * Fills memory (as many MiB as its first argument says, 1 without it) with something different in every page, says "resident" and computes a
 * little; with a second argument it waits for SIGUSR1. Then it says whether the memory is intact. For freezing something big.
 */
#include <signal.h>
#include <stdint.h>

#include "guest.h"

int main(int argc, char **argv) {
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  sigprocmask(SIG_BLOCK, &usr1, NULL);
  size_t count = (size_t)(argc > 1 ? atol(argv[1]) : 1) * (1 << 20) / sizeof(uint32_t);
  uint32_t *words = malloc(count * sizeof *words);
  uint32_t state = 1;
  CHECK(words != NULL);
  for (size_t i = 0; i < count; i += 64) words[i] = next_random(&state);
  printf("resident\n");
  fflush(stdout);
  for (volatile int i = 0; i < 1000; i++) continue;
  int number = 0;
  if (argc > 2) CHECK(sigwait(&usr1, &number) == 0);
  state = 1;
  for (size_t i = 0; i < count; i += 64) CHECK(words[i] == next_random(&state));
  printf("intact\n");
  return 0;
}
