/* Computes until there is a file of the name in its argument, and then says whether what it has computed is sound. */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
  volatile uint64_t count = 0, sum = 0;
  setvbuf(stdout, NULL, _IONBF, 0);
  printf("computing\n");
  while (access(argv[argc - 1], F_OK) != 0)
    for (int i = 0; i < 100000; i++) count++, sum += count;
  puts(2 * sum == count * (count + 1) ? "sound" : "not sound");
  return 3;
}
