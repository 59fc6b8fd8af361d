/* A shell in little: a job in the foreground is stopped from the keyboard, waits in the background, goes on, and is interrupted. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void report(const char *what, pid_t job, int options) {
  int status;
  pid_t pid = waitpid(job, &status, options);
  if (pid != job) printf("%s: nothing\n", what);
  else if (WIFSTOPPED(status)) printf("%s: stopped by %s\n", what, sigabbrev_np(WSTOPSIG(status)));
  else if (WIFCONTINUED(status)) printf("%s: goes on\n", what);
  else if (WIFSIGNALED(status)) printf("%s: killed by %s\n", what, sigabbrev_np(WTERMSIG(status)));
  else printf("%s: exited %d\n", what, WEXITSTATUS(status));
  fflush(stdout);
}

static pid_t start(int reads) {
  pid_t job = fork();
  if (job == 0) {
    char line[80];
    setpgid(0, 0);
    if (reads) _exit(read(0, line, sizeof line));
    for (;;) pause();
  }
  setpgid(job, job);
  return job;
}

int main(void) {
  signal(SIGTTOU, SIG_IGN);
  pid_t self = getpgrp();
  printf("foreground is %s\n", tcgetpgrp(0) == self ? "mine" : "another's");

  pid_t job = start(0);
  tcsetpgrp(0, job);
  printf("foreground is %s\n", tcgetpgrp(0) == job ? "the job's" : "another's");
  fflush(stdout);
  report("^Z", job, WUNTRACED);
  tcsetpgrp(0, self);
  kill(-job, SIGCONT);
  report("bg", job, WCONTINUED);
  tcsetpgrp(0, job);
  printf("fg\n");
  fflush(stdout);
  report("^C", job, WUNTRACED);
  tcsetpgrp(0, self);

  job = start(1);
  report("reads in the background", job, WUNTRACED);
  tcsetpgrp(0, job);
  kill(-job, SIGCONT);
  printf("type\n");
  fflush(stdout);
  report("reads in the foreground", job, 0);
  tcsetpgrp(0, self);
  printf("done\n");
  return 0;
}
