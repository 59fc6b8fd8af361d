/*
 * Goes on as another program with the restart system call of linux-cr. Arguments: the system call's number, and the image; with
 * the number of the checkpoint system call as a third, the errors of both calls come first. When it succeeds the
 * call never comes back: the image's program runs on.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

static const char *name(int error) {
  switch (error) {
    case EINVAL: return "EINVAL";
    case EBADF: return "EBADF";
    case ESRCH: return "ESRCH";
    case ENOSYS: return "ENOSYS";
    default: return "another error";
  }
}

int main(int argc, char **argv) {
  if (argc < 3) {
    printf("no image to go on from\n");
    return 3;
  }
  long number = atol(argv[1]);
  int fd = open(argv[2], O_RDONLY), writable = open("/dev/null", O_WRONLY);
  if (fd < 0) {
    printf("no image file\n");
    return 2;
  }
  if (argc > 3) {
    long checkpoint = atol(argv[3]);
    printf("checkpoint of a closed descriptor: %s\n", syscall(checkpoint, getpid(), 99, 0) < 0 ? name(errno) : "done");
    printf("checkpoint to a read-only file: %s\n", syscall(checkpoint, getpid(), fd, 0) < 0 ? name(errno) : "done");
    printf("checkpoint with flags: %s\n", syscall(checkpoint, getpid(), writable, 1) < 0 ? name(errno) : "done");
    printf("checkpoint of nobody: %s\n", syscall(checkpoint, 77777, writable, 0) < 0 ? name(errno) : "done");
    printf("restart with flags: %s\n", syscall(number, getpid(), fd, 1) < 0 ? name(errno) : "done");
    printf("restart of a closed descriptor: %s\n", syscall(number, getpid(), 99, 0) < 0 ? name(errno) : "done");
    printf("restart of no image: %s\n", syscall(number, getpid(), open(argv[0], O_RDONLY), 0) < 0 ? name(errno) : "done");
  }
  fflush(stdout);
  syscall(number, getpid(), fd, 0);
  printf("restart: %s\n", name(errno));
  return 4;
}
