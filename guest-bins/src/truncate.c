/*
 * Mappings of a file that shrinks and grows: what is beyond the end goes, written or not, and is SIGBUS; growing
 * again shows zeros; mremap goes on at the right place of the file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define PAGE 4096

static sigjmp_buf back;
static volatile int code;

static void on_bus(int signo, siginfo_t *info, void *context) {
  (void)signo;
  (void)context;
  code = info->si_code;
  siglongjmp(back, 1);
}

/* What is there: a character, or the code of the SIGBUS that a look at it gets. */
static void look(const char *what, volatile char *p) {
  code = 0;
  if (sigsetjmp(back, 1) == 0) {
    char c = *p;
    printf("%s: %c (%d)\n", what, c ? c : '0', c);
  } else {
    printf("%s: SIGBUS %d\n", what, code);
  }
}

static char *map(int fd, int pages, int flags, int first) {
  return mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, first * PAGE);
}

int main(void) {
  struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
  sigaction(SIGBUS, &action, 0);

  int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (int i = 0; i < 8; i++) {
    char page[PAGE];
    memset(page, 'a' + i, PAGE);
    CHECK(write(fd, page, PAGE) == PAGE);
  }

  char *copy = map(fd, 8, MAP_PRIVATE, 0), *shared = map(fd, 8, MAP_SHARED, 0);
  copy[PAGE] = copy[3 * PAGE] = copy[5 * PAGE] = 'P';
  shared[2 * PAGE] = shared[6 * PAGE] = 'S';
  look("private sees shared", copy + 2 * PAGE);
  look("private page not touched", copy + 4 * PAGE);

  printf("shrink %d\n", ftruncate(fd, 3 * PAGE + 100));
  look("private inside", copy + PAGE);
  look("private at the end", copy + 3 * PAGE);
  look("private written, beyond", copy + 5 * PAGE);
  look("private read, beyond", copy + 4 * PAGE);
  look("shared at the end", shared + 3 * PAGE + 99);
  look("shared after the end", shared + 3 * PAGE + 100);
  look("shared beyond", shared + 6 * PAGE);

  printf("grow %d\n", ftruncate(fd, 8 * PAGE));
  look("private grown", copy + 5 * PAGE);
  look("shared grown", shared + 6 * PAGE);
  copy[5 * PAGE] = 'Q';
  shared[6 * PAGE + 1] = 'T';
  look("private written again", copy + 5 * PAGE);
  look("private sees shared again", copy + 6 * PAGE + 1);

  int again = open("data", O_RDWR | O_TRUNC);
  look("private of nothing", copy);
  look("shared of nothing", shared);
  CHECK(pwrite(again, "xyz", 3, PAGE) == 3);
  look("private, page of a hole", copy);
  look("private, new page", copy + PAGE + 1);

  for (int i = 0; i < 8; i++) {
    char page[PAGE];
    memset(page, 'A' + i, PAGE);
    CHECK(pwrite(fd, page, PAGE, i * PAGE) == PAGE);
  }
  char *part = map(fd, 2, MAP_PRIVATE, 2);
  munmap(part + PAGE, PAGE);
  part = mremap(part, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
  look("grown, first", part);
  look("grown, last", part + 2 * PAGE);
  char *whole = map(fd, 4, MAP_SHARED, 1);
  char *middle = mremap(whole + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
  look("moved, first", middle);
  look("moved, last", middle + PAGE);
  look("left, after it", whole + 2 * PAGE);
  middle[PAGE] = 'M';
  look("left, seen through", whole + 2 * PAGE);
  unlink("data");
  return 0;
}
