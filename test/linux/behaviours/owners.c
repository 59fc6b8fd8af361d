/* What owners of descriptions are told by signals: that they are ready, what happens in a directory, that a lease is wanted. */
#include "behaviour.h"
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define TOLD (SIGRTMIN + 3)
static void block(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, TOLD);
  sigaddset(&set, SIGIO);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}
/* The code of the next of these signals, of which `info` has all; 0 where none has come. */
static int told(siginfo_t *info) {
  sigset_t set;
  struct timespec none = {0, 0};
  sigemptyset(&set);
  sigaddset(&set, TOLD);
  sigaddset(&set, SIGIO);
  return sigtimedwait(&set, info, &none) < 0 ? 0 : info->si_code;
}
static void asks(int fd) {
  CHECK(fcntl(fd, F_SETOWN, getpid()) == 0 && fcntl(fd, F_SETSIG, TOLD) == 0);
  CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC) == 0);
}

BEHAVIOUR(readiness_is_told) {
  siginfo_t info;
  int ends[2], sockets[2];
  block();
  CHECK(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  asks(ends[0]);
  asks(sockets[0]);
  CHECK(told(&info) == 0);
  CHECK(write(ends[1], "a", 1) == 1 && told(&info) == POLL_IN);
  CHECK(info.si_signo == TOLD && info.si_fd == ends[0] && info.si_band == 0x41 && told(&info) == 0);
  CHECK(write(sockets[1], "a", 1) == 1 && told(&info) == POLL_IN && info.si_fd == sockets[0]);
  CHECK(write(sockets[1], "b", 1) == 1 && told(&info) == POLL_IN);
  /* The descriptor that asked is named, whatever another one changes besides. */
  int twin = dup(sockets[0]), none = 0, yes = 1;
  CHECK(fcntl(twin, F_SETFL, fcntl(twin, F_GETFL) | O_NONBLOCK) == 0 && ioctl(twin, FIOASYNC, &yes) == 0);
  CHECK(write(sockets[1], "c", 1) == 1 && told(&info) == POLL_IN && info.si_fd == sockets[0]);
  CHECK(ioctl(twin, FIOASYNC, &none) == 0 && write(sockets[1], "d", 1) == 1 && told(&info) == 0);
  CHECK(ioctl(twin, FIOASYNC, &yes) == 0 && write(sockets[1], "e", 1) == 1 && told(&info) == POLL_IN);
  CHECK(info.si_fd == twin);
  CHECK(fcntl(ends[0], F_SETSIG, 0) == 0 && read(ends[0], &info, 1) == 1 && told(&info) == 0);
  CHECK(write(ends[1], "b", 1) == 1 && told(&info) == SI_KERNEL && info.si_signo == SIGIO);
  CHECK(fcntl(ends[0], F_SETFL, 0) == 0 && read(ends[0], &info, 1) == 1);
  CHECK(write(ends[1], "c", 1) == 1 && told(&info) == 0);
}

BEHAVIOUR(what_happens_in_a_directory_is_told) {
  siginfo_t info;
  block();
  CHECK(mkdir("d", 0755) == 0);
  int fd = open("d", O_RDONLY), file;
  CHECK(fcntl(fd, F_SETSIG, TOLD) == 0 && fcntl(fd, F_NOTIFY, DN_CREATE | DN_DELETE | DN_MULTISHOT) == 0);
  CHECK((file = open("d/a", O_CREAT | O_RDWR, 0644)) >= 0 && told(&info) == POLL_MSG && info.si_fd == fd);
  CHECK(write(file, "x", 1) == 1 && told(&info) == 0);
  CHECK(unlink("d/a") == 0 && told(&info) == POLL_MSG && told(&info) == 0);
  CHECK(fcntl(fd, F_NOTIFY, 0) == 0 && mkdir("d/b", 0755) == 0 && told(&info) == 0);
  CHECK(fcntl(fd, F_NOTIFY, DN_CREATE) == 0 && mkdir("d/c", 0755) == 0 && told(&info) == POLL_MSG);
  CHECK(mkdir("d/e", 0755) == 0 && told(&info) == 0);
  FAILS(fcntl(file, F_NOTIFY, DN_CREATE), ENOTDIR);
}

BEHAVIOUR(leases_are_asked_back) {
  siginfo_t info;
  block();
  int writes = file_with("f", "text"), fd = open("f", O_RDONLY);
  CHECK(fcntl(fd, F_GETLEASE) == F_UNLCK);
  FAILS(fcntl(fd, F_SETLEASE, F_UNLCK), EAGAIN);
  FAILS(fcntl(fd, F_SETLEASE, F_RDLCK), EAGAIN);
  close(writes);
  CHECK(fcntl(fd, F_SETSIG, TOLD) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && fcntl(fd, F_GETLEASE) == F_RDLCK);
  CHECK(close(open("f", O_RDONLY)) == 0 && told(&info) == 0);
  FAILS(open("f", O_WRONLY | O_NONBLOCK), EAGAIN);
  CHECK(told(&info) == POLL_MSG && info.si_fd == fd && fcntl(fd, F_GETLEASE) == F_UNLCK);
  pid_t child = fork();
  if (child == 0) _exit(open("f", O_WRONLY) < 0);
  CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
  reap(child, 0);
  CHECK(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
  FAILS(open("f", O_RDONLY | O_NONBLOCK), EAGAIN);
  /* With the lease before its owner went, and the signal that it had asked for. */
  CHECK(told(&info) == SI_KERNEL && fcntl(fd, F_GETLEASE) == F_RDLCK && fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
  CHECK(close(open("f", O_RDONLY | O_NONBLOCK)) == 0 && told(&info) == 0);
  CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0 && close(open("f", O_RDWR)) == 0);
}

BEHAVIOUR(leases_and_ways_to_open) {
  siginfo_t info;
  block();
  close(file_with("f", "text"));
  int fd = open("f", O_RDONLY);
  CHECK(fcntl(fd, F_SETSIG, TOLD) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
  FAILS(open("f", O_CREAT | O_EXCL | O_WRONLY | O_NONBLOCK, 0644), EEXIST);
  CHECK(close(open("f", O_PATH)) == 0 && told(&info) == 0 && fcntl(fd, F_GETLEASE) == F_RDLCK);
  struct open_how how = {.flags = O_WRONLY | O_NONBLOCK};
  FAILS(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof how), EAGAIN);
  CHECK(told(&info) == POLL_MSG && info.si_fd == fd);
}
