/* Mappings: private and shared, of files and of nothing, fixed, moved, grown, protected, discarded, and their errors. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

static size_t page;

static char *map(void *at, size_t pages, int protection, int flags, int fd, off_t offset) {
  char *p = mmap(at, pages * page, protection, flags, fd, offset);
  CHECK(p != MAP_FAILED);
  return p;
}

static void anonymous(void) {
  char *p = map(NULL, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (size_t i = 0; i < 16; i++) {
    CHECK(p[i * page] == 0);
    p[i * page + i] = i + 1;
  }
  CHECK(munmap(p + 4 * page, 2 * page) == 0); /* a hole in the middle */
  char *q = map(p + 4 * page, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  CHECK(q == p + 4 * page && q[4] == 0 && p[3 * page + 3] == 4 && p[6 * page + 6] == 7);
  map(p, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("fixed over old: %d\n", p[0]);
  CHECK(mprotect(p + page, 2 * page, PROT_READ) == 0 && p[page + 1] == 2);
  printf("protecting a hole fails: %d\n", mprotect(p + 5 * page, page, PROT_READ) == -1 && errno == ENOMEM);
  CHECK(madvise(p + 8 * page, page, MADV_DONTNEED) == 0);
  printf("discarded %d, next %d\n", p[8 * page + 8], p[9 * page + 9]);
  CHECK(munmap(p, 16 * page) == 0);
}

static void moving(void) {
  char *p = map(NULL, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(p, 'm', 2 * page);
  p = mremap(p, 2 * page, 40 * page, MREMAP_MAYMOVE);
  CHECK(p != MAP_FAILED && p[2 * page - 1] == 'm' && p[2 * page] == 0);
  p[39 * page] = 'e';
  CHECK(mremap(p, 40 * page, page, 0) == p && p[5] == 'm');
  char *target = map(NULL, 3, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(mremap(p, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, target + page) == target + page && target[page + 9] == 'm');
  printf("bad remap %d\n", mremap(p, 0x10 * page, page, 0) == MAP_FAILED);
  munmap(target, 3 * page);
}

static void files(void) {
  char buffer[16];
  int fd = open("mapped", O_CREAT | O_RDWR | O_TRUNC, 0600);
  CHECK(fd >= 0 && ftruncate(fd, 3 * page) == 0 && pwrite(fd, "second page", 11, page) == 11);
  char *shared = map(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *copy = map(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, page);
  char *again = map(NULL, 1, PROT_READ, MAP_SHARED, fd, page);
  printf("private sees %.11s\n", copy);
  memcpy(shared + page, "SHARED", 6);
  CHECK(memcmp(again, "SHARED", 6) == 0);
  memcpy(copy, "mine only", 9);
  CHECK(memcmp(again, "SHARED", 6) == 0 && pread(fd, buffer, 6, page) == 6 && memcmp(buffer, "SHARED", 6) == 0);
  CHECK(pwrite(fd, "written", 7, 2 * page) == 7);
  printf("written to the file, seen in memory: %.7s; synced %d\n", shared + 2 * page, msync(shared, 3 * page, MS_SYNC));
  close(fd);
  shared[10] = 'k'; /* the mapping outlives the descriptor */
  CHECK(munmap(shared, 3 * page) == 0 && munmap(again, page) == 0 && memcmp(copy, "mine only", 9) == 0);
  fd = open("mapped", O_RDONLY);
  CHECK(pread(fd, buffer, 1, 10) == 1 && buffer[0] == 'k');
  printf("write mapping of a read-only file %d\n",
         mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
  munmap(copy, page);
  close(fd), unlink("mapped");
}

int main(void) {
  page = getpagesize();
  anonymous();
  moving();
  files();
  char *shared = map(NULL, 2, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  strcpy(shared + page - 3, "across pages");
  printf("%s\n", shared + page - 3);
  printf("errors %d %d %d\n", mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL,
         mmap(NULL, page, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED && errno == EBADF,
         munmap(shared + 1, page) == -1 && errno == EINVAL);
  char *low = sbrk(0);
  CHECK(sbrk(100000) == low && brk(low) == 0 && sbrk(0) == low);
  return 0;
}
