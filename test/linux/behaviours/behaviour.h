/*
 * Behaviours that check themselves: each sets something up, works with it and sees whether it is as on Linux, where
 * all of them pass when they are built for the host. They wait for nothing that could come too early or too late.
 */
#ifndef BEHAVIOUR_H
#define BEHAVIOUR_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                                                      \
  do {                                                                                                        \
    if (!(condition)) {                                                                                       \
      printf("%s line %d: %s does not hold, errno %d\n", __func__, __LINE__, #condition, errno);              \
      fflush(stdout);                                                                                         \
      _exit(1);                                                                                               \
    }                                                                                                         \
  } while (0)
#define FAILS(call, number) CHECK((errno = 0, (call) == -1 && errno == (number)))

/* Has main know of a behaviour of the file it stands in. */
void add_behaviour(const char *file, const char *name, void (*run)(void));

#define BEHAVIOUR(name)                                                                                       \
  static void name(void);                                                                                     \
  __attribute__((constructor)) static void add_##name(void) { add_behaviour(__FILE__, #name, name); }         \
  static void name(void)

/* All that a file of /proc or /sys says, until the next one is asked. */
char *contents(const char *path);
/* The number behind `name:` in a file of such lines. */
long field(const char *path, const char *name);

/* Waits for a child that must exit with `status`. */
__attribute__((unused)) static void reap(pid_t child, int status) {
  int got;
  CHECK(waitpid(child, &got, 0) == child);
  CHECK(WIFEXITED(got) && WEXITSTATUS(got) == status);
}

/* A file with `text` in it, open to read and write. */
__attribute__((unused)) static int file_with(const char *name, const char *text) {
  int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  return fd;
}

/* Whether `length` bytes of a file at `at` are `text`. */
__attribute__((unused)) static int holds(int fd, off_t at, const char *text) {
  char got[4096];
  size_t length = strlen(text);
  return pread(fd, got, length, at) == (ssize_t)length && memcmp(got, text, length) == 0;
}

#endif
