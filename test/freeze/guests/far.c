/*
 * Exercises: addresses of 47 bits. Mappings at high addresses, reservations of terabytes, accesses across 64 KiB borders, faults and
 * their addresses, system calls, fork, mremap, shared memory, code.
 *
 * Targets: ppc64 ppc64le
 * Variants: O2
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(x)                                      \
  do {                                                \
    if (!(x)) {                                       \
      printf("FAIL line %d: %s\n", __LINE__, #x);     \
      exit(1);                                        \
    }                                                 \
  } while (0)

#define RW (PROT_READ | PROT_WRITE)
#define OWN (MAP_PRIVATE | MAP_ANONYMOUS)
#define PIECE 0x10000L
#define SIZE (4 * PIECE)

static sigjmp_buf back;
static void *fault;
static void on_fault(int signo, siginfo_t *info, void *context) {
  fault = info->si_addr;
  siglongjmp(back, 1);
}
#define FAULTS(access, at)                  \
  do {                                      \
    if (sigsetjmp(back, 1) == 0) {          \
      access;                               \
      CHECK(!"faults");                     \
    }                                       \
    CHECK(fault == (void *)(at));           \
  } while (0)

static char *map(unsigned long at, long size, int prot, int flags) {
  char *p = mmap((void *)at, size, prot, flags, -1, 0);
  CHECK(p != MAP_FAILED);
  return p;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);

  char *own = map(0x500000000000, SIZE, RW, OWN | MAP_FIXED);
  CHECK(own == (char *)0x500000000000);
  for (long i = 0; i < SIZE; i += 77) own[i] = i % 251;
  for (long i = 0; i < SIZE; i += 77) CHECK(own[i] == (char)(i % 251));

  // A reservation of two terabytes, of which the middle is used.
  char *reserved = map(0, 1L << 41, PROT_NONE, OWN | MAP_NORESERVE);
  char *used = (char *)(((unsigned long)reserved + (1L << 40)) & -PIECE);
  CHECK(mprotect(used, 16 * PIECE, RW) == 0);
  for (int k = 15; k > 0; k -= 2) used[k * PIECE + 9] = k;
  for (int k = 1; k < 16; k++) {
    volatile unsigned long *across = (unsigned long *)(used + k * PIECE - 3);
    *across = 0x0102030405060708 * k;
    CHECK(*across == 0x0102030405060708 * k);
  }

  FAULTS(*(volatile char *)0x600000001234, 0x600000001234);
  FAULTS(*(volatile char *)(used - 100) = 1, used - 100);
  FAULTS(*(volatile long *)(used + 16 * PIECE - 3) = 1, used + 16 * PIECE);
  FAULTS(*(volatile char *)0xffffffffffff0000 = 1, 0xffffffffffff0000);

  int ends[2];
  CHECK(pipe(ends) == 0);
  struct iovec out = {own + PIECE - 30, 100};
  struct iovec in = {used + 2 * PIECE - 50, 100};
  CHECK(writev(ends[1], &out, 1) == 100);
  CHECK(readv(ends[0], &in, 1) == 100);
  CHECK(memcmp(in.iov_base, out.iov_base, 100) == 0);

  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    own[77] = 1;
    _exit(own[77] == 1 && own[154] == (char)154 && used[2 * PIECE - 50] == own[PIECE - 30] ? 0 : 1);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(own[77] == 77);

  // Farther away, and near.
  own = mremap(own, SIZE, 2 * SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x123400000000);
  CHECK(own == (char *)0x123400000000);
  for (long i = 0; i < SIZE; i += 77) CHECK(own[i] == (char)(i % 251));
  own = mremap(own, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x50000000);
  CHECK(own == (char *)0x50000000);
  for (long i = 0; i < SIZE; i += 77) CHECK(own[i] == (char)(i % 251));

  char *shared = map(0x200000000000, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS);
  CHECK(shared == (char *)0x200000000000);
  child = fork();
  if (child == 0) {
    for (long i = 0; i < SIZE; i += 1000) shared[i] = i / 1000;
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  for (long i = 0; i < SIZE; i += 1000) CHECK(shared[i] == (char)(i / 1000));

  CHECK(madvise(used, 8 * PIECE, MADV_DONTNEED) == 0);
  CHECK(used[3 * PIECE + 9] == 0 && used[9 * PIECE + 9] == 9);
  CHECK(munmap(reserved, 1L << 41) == 0);
  FAULTS(*(volatile char *)used, used);

  // Code across a border: adds 3, and gives back where it was called from itself.
  unsigned *code = (unsigned *)map(0x6fffffff0000, 2 * PIECE, RW | PROT_EXEC, OWN | MAP_FIXED) + 0x3fff;
  static const unsigned words[] = {
      0x38630001,  // addi 3,3,1
      0x38630002,  // addi 3,3,2
      0x7cc802a6,  // mflr 6
      0x48000011,  // bl .+16
      0xf8640000,  // std 3,0(4)
      0x7cc803a6,  // mtlr 6
      0x4e800020,  // blr
      0x7ca802a6,  // mflr 5
      0xf8a40008,  // std 5,8(4)
      0x4e800020,  // blr
  };
  memcpy(code, words, sizeof words);
  long results[2];
#if defined(_CALL_ELF) && _CALL_ELF == 2
  void (*function)(long, long *) = (void (*)(long, long *))code;
#else
  void *descriptor[3] = {code};
  void (*function)(long, long *) = (void (*)(long, long *))descriptor;
#endif
  __builtin___clear_cache((char *)code, (char *)code + sizeof words);
  function(5, results);
  CHECK(results[0] == 8 && results[1] == (long)(code + 4));
  puts("PASS");
  return 0;
}
