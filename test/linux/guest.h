/* What the programs of guests/ have in common: they say what each of their calls gave. */
#ifndef GUEST_H
#define GUEST_H
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static const char *why(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }
/* With the result, and without it where that is not the same in every run. */
#define SAY(name, call) do { errno = 0; long r_ = (call); printf("%s: %ld %s\n", name, r_, why(r_)); fflush(stdout); } while (0)
#define DID(name, call) do { errno = 0; long r_ = (call); printf("%s: %s\n", name, why(r_)); fflush(stdout); } while (0)

static void nap(int ms) { struct timespec t = {0, ms * 1000000L}; nanosleep(&t, NULL); }
/* The status of the next child that ends; 100 and its signal where it was killed. */
static int quit(void) { int s; wait(&s); return WIFEXITED(s) ? WEXITSTATUS(s) : 100 + WTERMSIG(s); }

#endif
