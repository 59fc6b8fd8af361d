/* Has a file of a tebibyte open that is one hole and has no name: it takes long to freeze. Waits for SIGUSR1. */
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
  sigset_t usr1;
  int got, fd = open(argv[argc - 1], O_RDWR | O_CREAT, 0600);
  if (fd < 0 || ftruncate(fd, 1LL << 40) != 0 || unlink(argv[argc - 1]) != 0) return 1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  sigprocmask(SIG_BLOCK, &usr1, NULL);
  puts("ready");
  fflush(stdout);
  sigwait(&usr1, &got);
  puts("goes on");
  return 4;
}
