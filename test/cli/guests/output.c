/*
 * Writes COUNT times SIZE bytes of a known sequence to stdout: output MODE SIZE COUNT. With the mode "full" it writes until
 * nothing more is taken, says how much that was, and dies of signal COUNT, or waits for one where that is 0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <unistd.h>

static unsigned char buffer[1 << 20];
static unsigned long at;

static void fill(size_t size) {
  for (size_t i = 0; i < size; i++, at++) buffer[i] = at ^ at >> 8 ^ at >> 16;
}

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static int ready(void) {
  struct pollfd p = {1, POLLOUT, 0};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(1, &set);
  struct timeval none = {0, 0};
  int polled = poll(&p, 1, 0);
  if (select(2, 0, &set, 0, &none) < polled) fail("select disagrees with poll");
  return polled;
}

/* Non-blocking: what poll promises, PIPE_BUF bytes, a write takes; where it says no, a write fails. */
static void push(size_t size) {
  for (size_t done = 0; done < size;) {
    struct pollfd p = {1, POLLOUT, 0};
    int before = ready();
    size_t piece = size - done;
    long n = write(1, buffer + done, piece);
    if (before && n < (long)(piece < 4096 ? piece : 4096)) fail("poll promised too much");
    if (n < 0 && errno != EAGAIN) fail("write");
    if (n > 0) done += n;
    else if (poll(&p, 1, -1) != 1) fail("poll");
  }
}

int main(int argc, char **argv) {
  const char *mode = argv[1];
  size_t size = atol(argv[2]);
  if (strcmp(mode, "write") && strcmp(mode, "writev")) fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
  if (!strcmp(mode, "full")) {
    for (long n; fill(size), (n = write(1, buffer, size)) > 0;) at -= size - n;
    fprintf(stderr, "%lu\n", at - size);
    if (atoi(argv[3])) raise(atoi(argv[3]));
    for (;;) pause();
  }
  for (long i = atol(argv[3]); i > 0; i--) {
    fill(size);
    if (!strcmp(mode, "poll")) push(size);
    else if (!strcmp(mode, "writev")) {
      struct iovec v[3] = {{buffer, size / 3}, {buffer + size / 3, 0}, {buffer + size / 3, size - size / 3}};
      if (writev(1, v, 3) != (long)size) fail("writev");
    } else if (write(1, buffer, size) != (long)size) fail("write");
  }
  fprintf(stderr, "wrote %lu\n", at);
  return 0;
}
