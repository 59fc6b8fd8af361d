/*
 * What the kernel's work costs: `system CASE COUNT [PROGRAM ARGUMENT...]` does one of the cases COUNT times and prints how many a second (pipe:
 * megabytes). `execs` executes the program, by default this one, for which a COUNT of 0 is nothing to do.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIECE 65536

static void check(int good, const char *what) {
  if (!good) {
    perror(what);
    exit(125);
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

/* System calls that do next to nothing. */
static void calls(long count) {
  while (count-- > 0) syscall(SYS_getppid);
}

/* COUNT pieces of 64 KiB from one process to another. */
static void pipes(long count) {
  static char piece[PIECE];
  int ends[2];
  check(pipe(ends) == 0, "pipe");
  pid_t child = fork();
  check(child >= 0, "fork");
  if (child == 0) {
    close(ends[0]);
    memset(piece, 'x', PIECE);
    while (count-- > 0)
      for (long done = 0; done < PIECE;) {
        long n = write(ends[1], piece + done, PIECE - done);
        check(n > 0, "write");
        done += n;
      }
    _exit(0);
  }
  close(ends[1]);
  long long sum = 0;
  for (long n; (n = read(ends[0], piece, PIECE)) > 0;) sum += n;
  int status;
  check(waitpid(child, &status, 0) == child && status == 0, "waitpid");
  check(sum == (long long)count * PIECE, "bytes");
  close(ends[0]);
}

static int turn;

static void wait_for(int mine) {
  for (int seen; (seen = __atomic_load_n(&turn, __ATOMIC_SEQ_CST)) != mine;)
    syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void give(int to) {
  __atomic_store_n(&turn, to, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *partner(void *count) {
  for (long n = (long)count; n > 0; n--) {
    wait_for(1);
    give(0);
  }
  return NULL;
}

/* Two threads that wake each other; a switch is half a round. */
static void switches(long count) {
  pthread_t thread;
  check(pthread_create(&thread, NULL, partner, (void *)(count / 2)) == 0, "pthread_create");
  for (long n = count / 2; n > 0; n--) {
    give(1);
    wait_for(0);
  }
  pthread_join(thread, NULL);
}

/* Two processes that pass a byte to and fro through two pipes. */
static void passes(long count) {
  int there[2], back[2];
  char byte = 0;
  check(pipe(there) == 0 && pipe(back) == 0, "pipe");
  pid_t child = fork();
  check(child >= 0, "fork");
  if (child == 0) {
    for (long n = count / 2; n > 0; n--)
      check(read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1, "passing");
    _exit(0);
  }
  for (long n = count / 2; n > 0; n--)
    check(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "passing");
  int status;
  check(waitpid(child, &status, 0) == child && status == 0, "waitpid");
}

/* Asks for the status of a file. */
static void stats(long count, const char *path) {
  struct stat status;
  while (count-- > 0) check(stat(path, &status) == 0, "stat");
}

/* Opens a file, reads its first 4 KiB and closes it. */
static void opens(long count, const char *path) {
  static char piece[4096];
  while (count-- > 0) {
    int file = open(path, O_RDONLY);
    check(file >= 0 && read(file, piece, sizeof piece) > 0 && close(file) == 0, "open, read or close");
  }
}

static volatile sig_atomic_t taken;

static void take(int signo) {
  taken += signo == SIGUSR1;
}

/* Sends signals to the program itself, which has a handler for them. */
static void signals(long count) {
  signal(SIGUSR1, take);
  for (long n = count; n > 0; n--) check(raise(SIGUSR1) == 0, "raise");
  check(taken == count, "signals");
}

static void forks(long count, char **program) {
  while (count-- > 0) {
    pid_t child = fork();
    check(child >= 0, "fork");
    if (child == 0) {
      if (program != NULL) execvp(program[0], program);
      _exit(program != NULL ? 125 : 0);
    }
    int status;
    check(waitpid(child, &status, 0) == child && status == 0, "waitpid");
  }
}

int main(int argc, char **argv) {
  check(argc >= 3, "usage: system CASE COUNT [PROGRAM ARGUMENT...]");
  long count = atol(argv[2]);
  if (count == 0) return 0;
  double start = now(), scale = 1;
  if (strcmp(argv[1], "calls") == 0) calls(count);
  else if (strcmp(argv[1], "pipe") == 0) pipes(count), scale = PIECE / 1e6;
  else if (strcmp(argv[1], "switches") == 0) switches(count);
  else if (strcmp(argv[1], "passes") == 0) passes(count);
  else if (strcmp(argv[1], "stats") == 0) stats(count, argv[0]);
  else if (strcmp(argv[1], "opens") == 0) opens(count, argv[0]);
  else if (strcmp(argv[1], "signals") == 0) signals(count);
  else if (strcmp(argv[1], "forks") == 0) forks(count, NULL);
  else if (strcmp(argv[1], "execs") == 0) forks(count, argc > 3 ? argv + 3 : (char *[]){argv[0], "calls", "0", NULL});
  else check(0, argv[1]);
  printf("%.1f\n", count * scale / (now() - start));
  return 0;
}
