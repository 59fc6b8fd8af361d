/*
 * Waits in the system call that its first argument names, for as many milliseconds as the second says where the call
 * takes a time, so that it can be frozen there, and says how the wait ended.
 * A SIGUSR1 is handled; it ends waits that have no other end. A sigsuspend or sigwait gets it however early it comes after
 * "waiting", since it is blocked from before that; the other waits miss one that comes between the line and their call.
 * Without an argument it does not wait at all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static volatile sig_atomic_t handled;
static void handler(int number) { handled += number; }

static const char *outcome(long result) {
  static char text[64];
  if (result < 0) return errno == EINTR ? "interrupted" : "failed";
  snprintf(text, sizeof text, "%ld", result);
  return text;
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t none, usr1;
  sigemptyset(&none);
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  long limit = argc > 2 ? atol(argv[2]) : 0;
  struct timespec wait = {limit / 1000, limit % 1000 * 1000000}, began, ended, left = {0, 0};
  clock_gettime(CLOCK_MONOTONIC, &began);
  char byte = '-';
  int ends[2];
  CHECK(pipe(ends) == 0);
  if (!strcmp(how, "sigsuspend") || !strcmp(how, "sigwait")) sigprocmask(SIG_BLOCK, &usr1, NULL);
  printf("waiting\n");
  fflush(stdout);
  long result = -2;
  if (!strcmp(how, "nanosleep")) result = nanosleep(&wait, &left);
  else if (!strcmp(how, "absolute")) {
    wait.tv_sec += began.tv_sec;
    wait.tv_nsec += began.tv_nsec;
    if (wait.tv_nsec >= 1000000000) wait.tv_sec++, wait.tv_nsec -= 1000000000;
    errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wait, NULL);
    result = errno == 0 ? 0 : -1;
  } else if (!strcmp(how, "pause")) result = pause();
  else if (!strcmp(how, "sigsuspend")) {
    result = sigsuspend(&none);
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    printf("%s afterwards\n", sigismember(&now, SIGUSR1) ? "blocked" : "not blocked");
  } else if (!strcmp(how, "read")) result = read(0, &byte, 1);
  else if (!strcmp(how, "pipe")) result = read(ends[0], &byte, 1);
  else if (!strcmp(how, "poll")) {
    struct pollfd ready = {.fd = 0, .events = POLLIN};
    result = poll(&ready, 1, limit);
  } else if (!strcmp(how, "select")) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(0, &set);
    result = select(1, &set, NULL, NULL, NULL);
  } else if (!strcmp(how, "sigwait")) {
    siginfo_t info;
    result = sigwaitinfo(&usr1, &info);
  } else printf("nothing to wait for\n");
  const char *ending = outcome(result);
  clock_gettime(CLOCK_MONOTONIC, &ended);
  long milliseconds = (ended.tv_sec - began.tv_sec) * 1000 + (ended.tv_nsec - began.tv_nsec) / 1000000;
  printf("%s: %s, read %c, handled %d, %s\n", how, ending, byte, (int)handled,
         milliseconds + 1 < limit ? "early" : "late");
  return 7;
}
