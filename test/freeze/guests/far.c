/*
 * Exercises: addresses of 47 bits. Mappings at high addresses, reservations of terabytes, accesses across 64 KiB borders, faults and
 * their addresses, system calls, fork, mremap, shared memory, code.
 *
 * Targets: ppc64 ppc64le
 * Variants: O2
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

// Addresses that the kernel finds in registers and structures, in shared memory.
static void pointers(void) {
  int *words = (int *)map(0x300000000000, PIECE, RW, MAP_SHARED | MAP_ANONYMOUS);
  unsigned long flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID;
  unsigned long args[8] = {flags | CLONE_PIDFD, (long)words, (long)(words + 1), (long)(words + 2), SIGCHLD};
  int status;
  int child = syscall(SYS_clone3, args, sizeof args);
  if (child == 0) _exit(words[1] != getpid());
  CHECK(words[2] == child && waitpid(child, &status, 0) == child && status == 0);
  CHECK(close(words[0]) == 0);
  child = syscall(SYS_clone, flags | SIGCHLD, 0, words + 3, 0, words + 4);
  if (child == 0) {
    CHECK(words[4] == getpid());
    // Ends with a robust lock.
    long *head = (long *)(words + 16), *entry = head + 3;
    head[0] = (long)entry;
    head[1] = 16;
    entry[0] = (long)head;
    words[26] = getpid();
    CHECK(syscall(SYS_set_robust_list, head, 24) == 0);
    _exit(0);
  }
  CHECK(words[3] == child && waitpid(child, &status, 0) == child && status == 0);
  CHECK(words[26] == 0x40000000);
  // Nobody is told of ids that can't be written.
  child = syscall(SYS_clone, flags | SIGCHLD, 0, 1L << 63, 0, 1L << 63);
  if (child == 0) _exit(0);
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);

  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  struct msghdr *message = (struct msghdr *)(words + 32);
  struct iovec *part = (struct iovec *)(message + 1);
  *part = (struct iovec){words + 4, 4};
  struct cmsghdr *control = (struct cmsghdr *)(words + 64);
  *message = (struct msghdr){.msg_iov = part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(4)};
  *control = (struct cmsghdr){.cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  *(int *)CMSG_DATA(control) = pair[0];
  CHECK(sendmsg(pair[0], message, 0) == 4);
  *(int *)CMSG_DATA(control) = -1;
  CHECK(recvmsg(pair[1], message, 0) == 4 && message->msg_controllen == CMSG_SPACE(4));
  CHECK(close(*(int *)CMSG_DATA(control)) == 0 && close(pair[0]) == 0 && close(pair[1]) == 0);

  long mask[2] = {1L << 63, 8}, time[2] = {0, 0};
  CHECK(syscall(SYS_pselect6, 0, NULL, NULL, NULL, time, mask) == -1 && errno == EFAULT);
  CHECK(munmap(words, PIECE) == 0);
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

  char *shared = map(0x200000000000, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED);
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
  pointers();

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
