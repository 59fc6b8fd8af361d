/* Files: create, positioned and vectored I/O, append, holes, truncate, dup, status flags, stat fields, stdio. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest.h"

static void show_stat(const char *what, int fd) {
  struct stat s;
  CHECK(fstat(fd, &s) == 0);
  printf("%s: type %o mode %o size %lld links %d mine %d\n", what, s.st_mode & S_IFMT, s.st_mode & 07777, (long long)s.st_size,
         (int)s.st_nlink, s.st_uid == geteuid());
}

static void positioned(void) {
  char buffer[64] = "";
  int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0640);
  CHECK(fd >= 0 && write(fd, "0123456789", 10) == 10);
  CHECK(pwrite(fd, "AB", 2, 3) == 2 && lseek(fd, 0, SEEK_CUR) == 10);
  CHECK(pread(fd, buffer, 5, 2) == 5);
  printf("pread %s\n", buffer);
  struct iovec out[3] = {{"one-", 4}, {"", 0}, {"two", 3}}, in[2] = {{buffer, 6}, {buffer + 10, 20}};
  CHECK(writev(fd, out, 3) == 7 && lseek(fd, 0, SEEK_SET) == 0);
  memset(buffer, '.', sizeof buffer);
  printf("readv %zd %.20s\n", readv(fd, in, 2), buffer);
  CHECK(lseek(fd, 5000, SEEK_END) == 5017 && write(fd, "!", 1) == 1);
  show_stat("hole", fd);
  CHECK(pread(fd, buffer, 4, 100) == 4 && memcmp(buffer, "\0\0\0\0", 4) == 0);
  CHECK(ftruncate(fd, 6) == 0 && pread(fd, buffer, 10, 0) == 6);
  printf("truncated %.6s, beyond %zd, position %lld\n", buffer, read(fd, buffer, 5), (long long)lseek(fd, 0, SEEK_CUR));
  printf("negative seek %d %d\n", lseek(fd, -1, SEEK_SET) == -1, errno == EINVAL);
  close(fd);
}

static void descriptors(void) {
  char buffer[32] = "";
  int fd = open("data", O_RDWR | O_APPEND), other = dup(fd);
  CHECK(write(fd, "tail", 4) == 4 && lseek(other, 0, SEEK_CUR) == 10);
  CHECK(lseek(other, 0, SEEK_SET) == 0 && write(fd, "+", 1) == 1);
  CHECK(pread(fd, buffer, 20, 0) == 11);
  printf("appended %s, flags %d %d\n", buffer, !!(fcntl(fd, F_GETFL) & O_APPEND), fcntl(fd, F_GETFL) & O_ACCMODE);
  CHECK(fcntl(fd, F_SETFL, 0) == 0 && !(fcntl(other, F_GETFL) & O_APPEND));
  CHECK(dup2(fd, 40) == 40 && fcntl(40, F_GETFD) == 0 && dup3(fd, 41, O_CLOEXEC) == 41 && fcntl(41, F_GETFD) == FD_CLOEXEC);
  CHECK(fcntl(fd, F_DUPFD, 50) == 50 && close(50) == 0 && close(50) == -1 && errno == EBADF);
  close(fd), close(other), close(40), close(41);
  fd = open("data", O_RDONLY);
  printf("write to read-only: %d %d\n", write(fd, "x", 1) == -1, errno == EBADF);
  close(fd);
  printf("exclusive %d, missing %d, directory %d\n", open("data", O_CREAT | O_EXCL | O_RDWR, 0600) == -1 && errno == EEXIST,
         open("absent", O_RDONLY) == -1 && errno == ENOENT, open(".", O_RDWR) == -1 && errno == EISDIR);
}

static void modes(void) {
  umask(027);
  int fd = open("masked", O_CREAT | O_RDWR, 0666);
  show_stat("umask 027", fd);
  fchmod(fd, 0604);
  show_stat("fchmod", fd);
  printf("access %d %d %d\n", access("masked", R_OK), access("masked", F_OK), access("nothing", F_OK));
  unlink("masked");
  show_stat("unlinked", fd);
  CHECK(write(fd, "still there", 11) == 11);
  show_stat("written", fd);
  close(fd);
}

static void stdio(void) {
  char line[80];
  FILE *file = fopen("lines", "w+");
  for (int i = 0; i < 500; i++) fprintf(file, "line %d of the file\n", i);
  printf("at %ld", ftell(file));
  rewind(file);
  for (int i = 0; i < 100; i++) fgets(line, sizeof line, file);
  printf(", line %s", line);
  fseek(file, -20, SEEK_END);
  int c = fgetc(file);
  ungetc('~', file);
  printf("%c then %s", c, fgets(line, sizeof line, file));
  CHECK(fclose(file) == 0 && remove("lines") == 0);
}

int main(void) {
  positioned();
  descriptors();
  modes();
  stdio();
  struct timespec times[2] = {{1000000000, 500}, {1234567890, 250}};
  struct stat s;
  CHECK(utimensat(AT_FDCWD, "data", times, 0) == 0 && stat("data", &s) == 0);
  printf("times %lld %lld\n", (long long)s.st_atime, (long long)s.st_mtime);
  return unlink("data");
}
