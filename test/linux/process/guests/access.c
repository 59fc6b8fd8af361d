/* Who may look into another process: its own user, unless it said that it can't be dumped. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../guest.h"

static int value = 5;

static void look(pid_t other) {
  int got = 0;
  struct iovec here = {&got, sizeof got}, there = {&value, sizeof value};
  int pidfd = syscall(SYS_pidfd_open, other, 0);
  SAY("read", process_vm_readv(other, &here, 1, &there, 1, 0));
  SAY("write", process_vm_writev(other, &here, 1, &there, 1, 0));
  SAY("compare", syscall(SYS_kcmp, getpid(), other, 1, 0, 0));
  DID("descriptor", syscall(SYS_pidfd_getfd, pidfd, 1, 0));
  close(pidfd);
}

int main(void) {
  int up[2], down[2];
  char b;
  pipe(up);
  pipe(down);
  pid_t child = fork();
  if (child == 0) {
    for (int on = 1; read(down[0], &b, 1) == 1 && b != 'q'; on = !on) {
      prctl(PR_SET_DUMPABLE, !on);
      write(up[1], "", 1);
    }
    _exit(0);
  }
  look(child);
  for (int i = 0; i < 2; i++) {
    write(down[1], "n", 1);
    read(up[0], &b, 1);
    look(child);
  }
  prctl(PR_SET_DUMPABLE, 0);
  look(getpid());
  write(down[1], "q", 1);
  SAY("end", quit());
  return 0;
}
