/* Calls of which nothing comes but their result, made so often that translated code makes them: what comes of them all the same comes at once. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { TIMES = 400 };

static volatile int taken;
static volatile long after, trap, r3;
static void take(int signo, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
#ifdef __powerpc64__
  unsigned long *regs = (unsigned long *)uc->uc_mcontext.gp_regs;
#else
  unsigned long *regs = (unsigned long *)uc->uc_mcontext.uc_regs->gregs;
#endif
  trap = regs[40], r3 = regs[3];
  taken++;
}

static void handle(int signo) {
  struct sigaction action = {.sa_sigaction = take, .sa_flags = SA_SIGINFO};
  sigaction(signo, &action, NULL);
}

/* A file without a name, and a page for code. */
static int unnamed(void) {
  char name[] = "brief-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  return fd;
}
static uint32_t *code_page(void) {
  return mmap(NULL, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* A signal that a call lets through is taken before the next instruction, in the call's frame. */
static int unblocks(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  handle(SIGUSR1);
  for (int i = 0; i < TIMES; i++) {
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (i % 3 == 0) raise(SIGUSR1);
    int before = taken;
    trap = 0;
    if (sigprocmask(SIG_UNBLOCK, &set, NULL) != 0) return 1;
    if (taken - before != (i % 3 == 0)) return 2;
    if (i % 3 == 0 && (trap & ~0xfL) != 0xc00 && (trap & ~0xfL) != 0x3000) return 3;
    if (i % 3 == 0 && r3 != 0) return 4;
  }
  return 0;
}

/* Results and errors, in files and beside them. */
static int moves(void) {
  char name[] = "brief-XXXXXX", text[8];
  int fd = mkstemp(name);
  for (int i = 0; i < TIMES; i++) {
    if (write(fd, "text", 4) != 4 || lseek(fd, 0, SEEK_CUR) != 4 * (i + 1)) return 1;
    if (pread(fd, text, 8, 4 * i) != 4 || memcmp(text, "text", 4) != 0) return 2;
    if (read(fd, text, 8) != 0) return 3;
    errno = 0;
    if (read(fd + 100, text, 8) != -1 || errno != EBADF) return 4;
    errno = 0;
    if (write(fd, (void *)16, 4) != -1 || errno != EFAULT) return 5;
    if (lseek(fd, -1, SEEK_SET) != -1 || errno != EINVAL) return 6;
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size != 4 * (i + 1) || stat(name, &st) != 0) return 7;
    if (access("not there", R_OK) != -1 || errno != ENOENT) return 8;
  }
  unlink(name);
  return 0;
}

/* What goes through a pipe, which is full or empty at times. */
static int passes(void) {
  static char piece[3000], back[3000];
  int ends[2], sent = 0, got = 0;
  pipe2(ends, O_NONBLOCK);
  for (int i = 0; i < TIMES; i++) {
    memset(piece, i, sizeof piece);
    errno = 0;
    if (write(ends[1], piece, sizeof piece) == sizeof piece) sent++;
    else if (errno != EAGAIN) return 1;
    if (sent - got < 20 && i % 50 < 40) continue;
    while (i % 50 == 49 || sent - got > 10) {
      long count = read(ends[0], back, sizeof back);
      if (count == -1 && errno == EAGAIN) break;
      if (count != sizeof back || back[0] != back[sizeof back - 1]) return 2;
      got++;
    }
  }
  close(ends[0]);
  handle(SIGPIPE);
  int before = taken;
  if (write(ends[1], piece, 1) != -1 || errno != EPIPE || taken != before + 1) return 3;
  return sent - got > 20;
}

/* SIGXFSZ comes with the write that is too long. */
static int exceeds(void) {
  int fd = unnamed();
  handle(SIGXFSZ);
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = 4 * TIMES / 2;
  setrlimit(RLIMIT_FSIZE, &limit);
  for (int i = 0; i < TIMES; i++) {
    int before = taken, isOver = i >= TIMES / 2;
    errno = 0;
    long count = write(fd, "text", 4);
    if (taken - before != isOver || count != (isOver ? -1 : 4) || (isOver && errno != EFBIG)) return 1;
  }
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_FSIZE, &limit);
  close(fd);
  return 0;
}

/* A timer's signal comes between calls, however many there are. */
static int ticks(void) {
  handle(SIGALRM);
  struct itimerval timer = {{0, 0}, {0, 20000}};
  for (int i = 0; i < 3; i++) {
    int before = taken;
    setitimer(ITIMER_REAL, &timer, NULL);
    time_t end = time(NULL) + 20;
    while (taken == before)
      if (syscall(SYS_getppid) < 0 || time(NULL) > end) return 1;
  }
  handle(SIGPROF);
  for (int i = 0; i < 2; i++) {
    int before = taken;
    setitimer(ITIMER_PROF, &timer, NULL);
    time_t end = time(NULL) + 40;
    while (taken == before) {
      for (volatile int n = 0; n < 5000; n++) continue;
      if (syscall(SYS_getppid) < 0 || time(NULL) > end) return 2;
    }
  }
  return 0;
}

/* What brk has given back is not there, and what it has given is zero. */
static int shrinks(void) {
  char *start = (char *)(((uintptr_t)sbrk(0) + 0xffff) & ~0xffffUL);
  brk(start);
  for (int i = 0; i < TIMES; i++) {
    if (brk(start + 0x10000) != 0) return 1;
    for (int at = 0; at < 0x10000; at += 0x1000) {
      if (start[at] != 0) return 2;
      start[at] = 1;
    }
    if (brk(start) != 0) return 3;
    errno = 0;
    if (write(1, start, 1) != -1 || errno != EFAULT) return 4;
  }
  return 0;
}

/* Code that a call has read is what runs next. */
static int reads_code(void) {
  int fd = unnamed();
  uint32_t *code = code_page();
  for (int i = 0; i < TIMES; i++) {
    uint32_t words[] = {0x38600000 | i, 0x4e800020};
    pwrite(fd, words, sizeof words, 0);
    if (pread(fd, code, sizeof words, 0) != sizeof words) return 1;
    __asm__ volatile("dcbst 0,%0; sync; icbi 0,%0; isync" : : "r"(code) : "memory");
    long result;
    __asm__ volatile("mtctr %1; bctrl; mr %0,3" : "=r"(result) : "r"(code) : "ctr", "lr", "r3", "memory");
    if (result != i) return 2;
  }
  return 0;
}

/* So is the instruction after the call, which that has changed. */
static int reads_itself(void) {
  int fd = unnamed();
  uint32_t *code = code_page();
  uint32_t words[] = {0x38000000 | SYS_read, 0x44000002, 0x38600000, 0x4e800020};
  memcpy(code, words, sizeof words);
  for (int i = 0; i < TIMES; i++) {
    uint32_t word = 0x38600000 | i;
    pwrite(fd, &word, sizeof word, 4 * i);
    register long r3 __asm__("3") = fd, r4 __asm__("4") = (long)(code + 2), r5 __asm__("5") = sizeof word;
    __asm__ volatile("mtctr %3; bctrl" : "+r"(r3), "+r"(r4), "+r"(r5) : "r"(code)
                     : "ctr", "lr", "cr0", "r0", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "memory");
    if (r3 != i) return 1;
  }
  return 0;
}

/* Clocks go on, and are read where they are asked. */
static int clocks(void) {
  struct timespec last = {0, 0}, now, cpu = {0, 0};
  for (int i = 0; i < TIMES; i++) {
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    if (now.tv_sec < last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec < last.tv_nsec)) return 1;
    last = now;
    syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &now);
    if (now.tv_sec < cpu.tv_sec || (now.tv_sec == cpu.tv_sec && now.tv_nsec < cpu.tv_nsec)) return 2;
    cpu = now;
    errno = 0;
    if (syscall(SYS_clock_gettime, 99, &now) != -1 || errno != EINVAL) return 3;
  }
  return 0;
}

int main(void) {
  static const struct {
    const char *name;
    int (*run)(void);
  } parts[] = {{"unblocks", unblocks}, {"moves", moves},           {"passes", passes}, {"exceeds", exceeds}, {"ticks", ticks},
               {"shrinks", shrinks},   {"reads code", reads_code}, {"reads itself", reads_itself}, {"clocks", clocks}};
  for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) printf("%s: %d\n", parts[i].name, parts[i].run());
  return 0;
}
