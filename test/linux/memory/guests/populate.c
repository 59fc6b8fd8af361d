/* Pages of a private mapping follow the file until they are copied: by a store, or at once with MAP_POPULATE and MAP_LOCKED. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../guest.h"

int main(void) {
  char name[] = "/tmp/populateXXXXXX";
  int f = mkstemp(name);
  unlink(name);
  long size = sysconf(_SC_PAGESIZE);
  const struct { const char *name; int prot, flags; } kinds[] = {
      {"plain", PROT_READ | PROT_WRITE, 0},
      {"populated", PROT_READ | PROT_WRITE, MAP_POPULATE},
      {"perhaps populated", PROT_READ | PROT_WRITE, MAP_POPULATE | MAP_NONBLOCK},
      {"read only", PROT_READ, MAP_POPULATE},
      {"locked", PROT_READ | PROT_WRITE, MAP_LOCKED},
  };
  char *maps[5];
  ftruncate(f, 2 * size);
  pwrite(f, "old", 3, 0);
  pwrite(f, "old", 3, size);
  /* One page more than the file has. */
  for (int i = 0; i < 5; i++) maps[i] = mmap(NULL, 3 * size, kinds[i].prot, MAP_PRIVATE | kinds[i].flags, f, 0);
  pwrite(f, "new", 3, 0);
  pwrite(f, "new", 3, size);
  for (int i = 0; i < 5; i++) printf("%s: %s %s\n", kinds[i].name, maps[i], maps[i] + size);
  fflush(stdout);
  for (int i = 0; i < 5; i++) SAY("gone", munmap(maps[i], 3 * size));
  return 0;
}
