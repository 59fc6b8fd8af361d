/* memfd_create and its seals, and O_TMPFILE. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(const char *what, long result) {
  if (result < 0)
    printf("%s: %s\n", what, strerrorname_np(errno));
  else
    printf("%s: %ld\n", what, result);
}

int main(void) {
  char b[100] = "";
  struct stat s;
  int f = memfd_create("store", MFD_CLOEXEC | MFD_ALLOW_SEALING), plain = memfd_create("plain", 0);
  say("flags", memfd_create("x", 0x40000000));
  say("write", write(f, "hello", 5));
  say("size", ftruncate(f, 8192));
  char *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
  p[5000] = 'x';
  say("read", pread(f, b, 1, 5000));
  fstat(f, &s);
  printf("%c %o %d %ld\n", *b, s.st_mode, (int)s.st_nlink, (long)s.st_size);
  snprintf(b, sizeof b, "/proc/self/fd/%d", f);
  char name[100] = "";
  readlink(b, name, sizeof name - 1);
  puts(name);
  int again = open(b, O_RDONLY);
  say("again", pread(again, b, 5, 0));
  say("seals", fcntl(f, F_GET_SEALS));
  say("seals of plain", fcntl(plain, F_GET_SEALS));
  say("seal plain", fcntl(plain, F_ADD_SEALS, F_SEAL_GROW));
  say("seal a file", fcntl(open("/", O_RDONLY), F_GET_SEALS));
  say("seal what is mapped", fcntl(f, F_ADD_SEALS, F_SEAL_WRITE));
  say("seal sizes", fcntl(f, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
  say("shrink", ftruncate(f, 1));
  say("grow", ftruncate(f, 10000));
  say("write beyond", pwrite(f, "y", 1, 9000));
  say("write within", pwrite(f, "y", 1, 90));
  munmap(p, 8192);
  say("seal writes", fcntl(f, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
  say("write", pwrite(f, "y", 1, 90));
  say("map to write", (long)mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0));
  say("map a copy", mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 0) == MAP_FAILED);
  say("seal again", fcntl(f, F_ADD_SEALS, F_SEAL_GROW));
  say("seals", fcntl(again, F_GET_SEALS));
  int t = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640);
  say("tmpfile", write(t, "text", 4));
  fstat(t, &s);
  printf("%o %d %ld\n", s.st_mode, (int)s.st_nlink, (long)s.st_size);
  say("tmpfile of a file", open("/dev/null", O_TMPFILE | O_RDWR | O_EXCL, 0600));
  return 0;
}
