/*
 * What stat(2) says of the streams the program inherited: kinds, and which are the same. The whole struct stays in memory, so that a run
 * which promises to repeat itself can be held to it.
 */
#include <sys/stat.h>

#include "guest.h"

static struct stat streams[3];

static const char *kind(mode_t mode) {
  if (S_ISREG(mode)) return "a file";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISCHR(mode)) return "a device";
  return S_ISSOCK(mode) ? "a socket" : "something else";
}

int main(void) {
  for (int fd = 0; fd < 3; fd++) {
    CHECK(fstat(fd, &streams[fd]) == 0);
    int same = 0;
    while (streams[same].st_dev != streams[fd].st_dev || streams[same].st_ino != streams[fd].st_ino) same++;
    printf("%d is %s, the same as %d\n", fd, kind(streams[fd].st_mode), same);
  }
  return 0;
}
