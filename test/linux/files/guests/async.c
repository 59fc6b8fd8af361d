/* O_ASYNC where terminals and watches are concerned: who owns them is told. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

#include "../../guest.h"

static int told, from, band;
static void on(int signo, siginfo_t *info, void *context) {
  told++;
  from = info->si_fd;
  band = info->si_band;
}
static void state(const char *what, int fd) {
  printf("%s: told %d, of it %d, band %x\n", what, told, from == fd, band);
  told = 0;
}
static void watch(int fd) {
  fcntl(fd, F_SETOWN, getpid());
  fcntl(fd, F_SETSIG, SIGUSR1);
  SAY("O_ASYNC", fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC));
}

int main(void) {
  char bytes[4096];
  struct sigaction action = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, 0);
  int notes = inotify_init1(IN_NONBLOCK);
  inotify_add_watch(notes, ".", IN_CREATE);
  watch(notes);
  close(open("async-file", O_CREAT | O_WRONLY, 0600));
  state("a file", notes);
  DID("read", read(notes, bytes, sizeof bytes));
  fcntl(notes, F_SETFL, O_NONBLOCK);
  unlink("async-file");
  close(open("async-file", O_CREAT | O_WRONLY, 0600));
  state("not any more", notes);
  unlink("async-file");

  int master = posix_openpt(O_RDWR | O_NOCTTY);
  grantpt(master);
  unlockpt(master);
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  struct termios raw;
  tcgetattr(slave, &raw);
  cfmakeraw(&raw);
  tcsetattr(slave, TCSANOW, &raw);
  watch(slave);
  told = 0;
  DID("type", write(master, "abc", 3));
  state("typed", slave);
  SAY("read", read(slave, bytes, sizeof bytes));
  return 0;
}
