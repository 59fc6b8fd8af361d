/* Pipes within a process: capacity, non-blocking ends, end of file, SIGPIPE and EPIPE, poll and select, readiness. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

static volatile sig_atomic_t broken;
static void on_pipe(int number) { broken += number == SIGPIPE; }

static void show_poll(const char *what, int reader, int writer) {
  struct pollfd fds[3] = {{reader, POLLIN, 0}, {writer, POLLOUT, 0}, {-1, POLLIN, 0}};
  int ready = poll(fds, 3, 0);
  printf("%s: poll %d reader %x writer %x\n", what, ready, fds[0].revents, fds[1].revents);
}

static int show_select(int reader, int writer) {
  fd_set in, out;
  struct timeval zero = {0, 0};
  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_SET(reader, &in);
  FD_SET(writer, &out);
  int ready = select((reader > writer ? reader : writer) + 1, &in, &out, NULL, &zero);
  return ready * 100 + !!FD_ISSET(reader, &in) * 10 + !!FD_ISSET(writer, &out);
}

int main(void) {
  static char block[4096];
  char buffer[32] = "";
  int ends[2], waiting = -1;
  struct stat s;
  long total = 0, got;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_pipe;
  sigaction(SIGPIPE, &action, NULL);
  CHECK(pipe2(ends, O_NONBLOCK) == 0 && fstat(ends[0], &s) == 0 && S_ISFIFO(s.st_mode));
  show_poll("empty", ends[0], ends[1]);
  printf("read of empty %d\n", read(ends[0], buffer, 1) == -1 && errno == EAGAIN);
  CHECK(write(ends[1], "hello pipe", 10) == 10 && ioctl(ends[0], FIONREAD, &waiting) == 0);
  printf("%d waiting, select %d\n", waiting, show_select(ends[0], ends[1]));
  show_poll("some", ends[0], ends[1]);
  CHECK(read(ends[0], buffer, 5) == 5 && read(ends[0], buffer + 5, 20) == 5);
  printf("read %s\n", buffer);
  for (got = 0; got >= 0; total += got > 0 ? got : 0) got = write(ends[1], block, sizeof block);
  printf("full after %ld, EAGAIN %d, select %d\n", total, errno == EAGAIN, show_select(ends[0], ends[1]));
  show_poll("full", ends[0], ends[1]);
  while ((got = read(ends[0], block, sizeof block)) > 0) total -= got;
  printf("left %ld, seek %d\n", total, lseek(ends[0], 0, SEEK_SET) == -1 && errno == ESPIPE);
  CHECK(write(ends[1], "last", 4) == 4 && close(ends[1]) == 0);
  show_poll("hung up", ends[0], -1);
  printf("then %zd, end %zd\n", read(ends[0], buffer, 30), read(ends[0], buffer, 30));
  close(ends[0]);

  CHECK(pipe(ends) == 0 && !(fcntl(ends[0], F_GETFL) & O_NONBLOCK));
  close(ends[0]);
  printf("broken %d", write(ends[1], "x", 1) == -1 && errno == EPIPE);
  printf(", signals %d\n", (int)broken);
  show_poll("no reader", -1, ends[1]);
  struct pollfd bad = {77, POLLIN, 0};
  printf("bad descriptor %d %x\n", poll(&bad, 1, 0), bad.revents);
  printf("waited %d, ppoll %d\n", poll(NULL, 0, 5), ppoll(NULL, 0, &(struct timespec){0, 1000000}, NULL));
  signal(SIGPIPE, SIG_DFL);
  fflush(stdout);
  write(ends[1], "x", 1); /* dies of SIGPIPE */
  return 0;
}
