/*
 * Counts slowly and visibly: a line a step with a checksum over all work so far, so that a thaw can be seen to go on
 * where the freeze was. Argument: the number of steps (20 unless given); a step is about two million instructions.
 */
#include "guest.h"

enum { CELLS = 4096, PASSES = 20 };

static uint32_t cells[CELLS];

/* One step stirs the cells with integer and floating point work and adds them up. */
static uint32_t step(uint32_t *random, double *average) {
  uint32_t sum = FNV_START;
  for (int pass = 0; pass < PASSES; pass++)
    for (int i = 0; i < CELLS; i++) {
      cells[i] = (cells[i] << 5 | cells[i] >> 27) + next_random(random);
      sum = (sum ^ cells[i]) * 16777619u;
      *average += (cells[i] - *average) * 0.0009765625;
    }
  return sum;
}

int main(int argc, char **argv) {
  int steps = argc > 1 ? atoi(argv[1]) : 20;
  uint32_t random = 20090129;
  double average = 0;
  for (int i = 1; i <= steps; i++) {
    uint32_t sum = step(&random, &average);
    printf("step %2d of %d  sum %08x  average %.3f\n", i, steps, sum, average);
    fflush(stdout);
  }
  return 0;
}
