/*
 * Freezes itself with the checkpoint system call of linux-cr and says on which side of it it finds itself.
 * Arguments: the system call's number (319 unless given), and the file for the image ("self.image" unless given).
 * checkpoint(pid, fd, flags) gives a positive image number when the image is written and zero after a restart.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

int main(int argc, char **argv) {
  long number = argc > 1 ? atol(argv[1]) : 319;
  const char *path = argc > 2 ? argv[2] : "self.image";
  uint32_t sum = FNV_START;
  double real = 1.0;
  for (int i = 0; i < 1000; i++) sum = fnv1a_u64(sum, i), real = real * 1.001 + 0.125;
  printf("before: %08x %a\n", sum, real);
  fflush(stdout);
  int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
  if (fd < 0) {
    printf("no image file\n");
    return 2;
  }
  long result = syscall(number, getpid(), fd, 0);
  if (result > 0) {
    printf("checkpoint written, going on\n");
    close(fd);
  } else if (result == 0) printf("restarted from the image\n");
  else {
    printf("no checkpoint\n");
    close(fd);
    unlink(path);
  }
  for (int i = 0; i < 1000; i++) sum = fnv1a_u64(sum, i), real = real * 0.999 + 0.25;
  printf("after: %08x %a\n", sum, real);
  return result > 0 ? 10 : result == 0 ? 20 : 30;
}
