/* Ways to end: atexit order, exit from a nested call, buffered output written at the end, a status beyond eight bits. */
#include <unistd.h>

#include "guest.h"

static void first(void) { printf("registered first, runs last\n"); }
static void second(void) {
  printf("registered second, registers another\n");
  atexit(first);
}
static void with_status(int status, void *argument) { printf("on_exit %d %s\n", status, (char *)argument); }
int on_exit(void (*)(int, void *), void *);

static void nested(int depth) {
  if (depth == 0) exit(0x1234); /* only the low eight bits are seen outside */
  nested(depth - 1);
}

__attribute__((constructor)) static void before_main(void) { printf("constructor\n"); }
__attribute__((destructor)) static void after_main(void) { printf("destructor\n"); }

int main(void) {
  atexit(first);
  atexit(second);
  on_exit(with_status, "argument");
  write(STDERR_FILENO, "to standard error\n", 18);
  printf("no newline at the end, flushed by exit: ");
  nested(20);
}
