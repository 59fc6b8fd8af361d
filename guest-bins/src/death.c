/* Ends by a signal: the status a caller sees is that of an uncaught SIGABRT after the atexit handlers did not run. */
#include <signal.h>
#include <string.h>

#include "guest.h"

static void at_exit(void) { printf("atexit must not run\n"); }

static void on_abort(int number) {
  printf("handler for %d returns, abort insists\n", number);
  fflush(stdout);
}

int main(int argc, char **argv) {
  atexit(at_exit);
  if (argc > 1) { /* any other signal by number */
    printf("default action of signal %s\n", argv[1]);
    fflush(stdout);
    signal(atoi(argv[1]), SIG_DFL);
    raise(atoi(argv[1]));
    printf("survived signal %s\n", argv[1]);
    _Exit(7);
  }
  signal(SIGABRT, on_abort);
  printf("before\n");
  fflush(stdout);
  abort();
}
