/* Processes: fork, vfork, posix_spawn, waiting in all its forms, groups, orphans. Its own group, so that it may send to it. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static volatile int got;
static void handler(int signo) { got = signo; }
static void show(const char *what, int result, siginfo_t *i) {
  printf("%s %d: signo %d code %d status %d\n", what, result, i->si_signo, i->si_code, i->si_status);
}
static void wait_for(const char *what) {
  int status;
  fflush(stdout);
  pid_t pid = wait(&status);
  if (WIFEXITED(status)) printf("%s %d exited %d\n", what, pid > 0, WEXITSTATUS(status));
  else printf("%s %d killed %d\n", what, pid > 0, WTERMSIG(status));
  fflush(stdout);
}

static void stops(void) {
  siginfo_t si;
  int go[2];
  char byte;
  pipe(go);
  pid_t child = fork();
  if (child == 0) {
    raise(SIGSTOP);
    read(go[0], &byte, 1);
    _exit(3);
  }
  memset(&si, 0, sizeof si);
  show("stopped", waitid(P_PID, child, &si, WSTOPPED), &si);
  memset(&si, 0, sizeof si);
  show("nothing new", waitid(P_PID, child, &si, WSTOPPED | WNOHANG), &si);
  kill(child, SIGCONT);
  memset(&si, 0, sizeof si);
  show("continued", waitid(P_PID, child, &si, WCONTINUED), &si);
  write(go[1], "g", 1);
  memset(&si, 0, sizeof si);
  show("looked at", waitid(P_PID, child, &si, WEXITED | WNOWAIT), &si);
  memset(&si, 0, sizeof si);
  show("exited", waitid(P_PID, child, &si, WEXITED), &si);
  int none = waitpid(-1, 0, 0);
  printf("no children: %d %s\n", none, strerrorname_np(errno));
}

static void programs(char **argv) {
  char *arguments[] = {argv[0], "5", 0};
  pid_t pid;
  fflush(stdout);
  int result = posix_spawn(&pid, argv[0], 0, 0, arguments, environ);
  wait_for("spawned");
  printf("posix_spawn %d\n", result);
  fflush(stdout);
  if (vfork() == 0) {
    execv(argv[0], arguments);
    _exit(127);
  }
  wait_for("vforked");
  printf("not there: %d\n", posix_spawn(&pid, "/nowhere", 0, 0, arguments, environ) == ENOENT);
}

static void groups(void) {
  volatile int *ready = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t other = 0;
  for (int i = 0; i < 3; i++) {
    pid_t child = fork();
    if (child == 0) {
      if (i == 0) setpgid(0, 0);
      __sync_fetch_and_add(ready, 1);
      for (;;) pause();
    }
    if (i == 0) other = child;
  }
  while (*ready < 3) usleep(1000);
  signal(SIGTERM, handler);
  kill(0, SIGTERM);
  wait_for("member");
  wait_for("member");
  printf("got %d, left %d\n", got, waitpid(-1, 0, WNOHANG));
  kill(-other, SIGKILL);
  wait_for("other group");
  int none = kill(-other, 0);
  printf("nobody there: %d %s\n", none, strerrorname_np(errno));
}

static void families(void) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (fork() == 0) {
    if (fork() == 0) {
      while (getppid() != getpgid(0)) usleep(1000);
      _exit(9);
    }
    _exit(1);
  }
  wait_for("child");
  wait_for("orphan");

  struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
  sigaction(SIGCHLD, &action, 0);
  if (fork() == 0) _exit(1);
  int result = wait(0);
  printf("SA_NOCLDWAIT %d %s\n", result, strerrorname_np(errno));
  action.sa_flags = 0;
  sigaction(SIGCHLD, &action, 0);

  int ready[2];
  char byte;
  pipe(ready);
  got = 0;
  fflush(stdout);
  if (fork() == 0) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGUSR1);
      signal(SIGUSR1, handler);
      sigset_t mask, old;
      sigemptyset(&mask);
      sigaddset(&mask, SIGUSR1);
      sigprocmask(SIG_BLOCK, &mask, &old);
      write(ready[1], "r", 1);
      while (got == 0) sigsuspend(&old);
      _exit(got);
    }
    read(ready[0], &byte, 1);
    _exit(0);
  }
  wait_for("parent");
  wait_for("told of its parent's death");
}

static void memory(void) {
  char *bytes = malloc(1 << 20);
  memset(bytes, 1, 1 << 20);
  fflush(stdout);
  if (fork() == 0) {
    memset(bytes, 2, 1 << 20);
    _exit(bytes[5]);
  }
  wait_for("with its own memory");
  printf("mine %d\n", bytes[5]);
  if (fork() == 0) _exit(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid());
  wait_for("session");
  struct rusage usage;
  printf("usage %d\n", getrusage(RUSAGE_CHILDREN, &usage));
}

static void pipeline(void) {
  int a[2], b[2];
  pipe(a);
  pipe(b);
  fflush(stdout);
  if (fork() == 0) {
    close(a[0]), close(b[0]), close(b[1]);
    for (int i = 0; i < 50000; i++) write(a[1], &i, sizeof i);
    _exit(0);
  }
  if (fork() == 0) {
    close(a[1]), close(b[0]);
    int i;
    while (read(a[0], &i, sizeof i) == sizeof i) {
      i *= 3;
      write(b[1], &i, sizeof i);
    }
    _exit(0);
  }
  close(a[0]), close(a[1]), close(b[1]);
  unsigned sum = 0;
  int i;
  while (read(b[0], &i, sizeof i) == sizeof i) sum += i;
  printf("sum %u\n", sum);
  wait_for("first");
  wait_for("second");
}

int main(int argc, char **argv) {
  if (argc > 1) {
    printf("child %s\n", argv[1]);
    return atoi(argv[1]);
  }
  setpgid(0, 0);
  if (getpgrp() != getpid()) return 1;
  stops();
  programs(argv);
  groups();
  families();
  memory();
  pipeline();
  return 0;
}
