/* Trapping floating point: feenableexcept, SIGFPE with its code for each exception, and recovery by a jump. */
#define _GNU_SOURCE
#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "guest.h"

static sigjmp_buf recover;
static volatile double zero = 0, one = 1, three = 3, big = 1e308, tiny = 1e-308, sink;

static const char *code_name(int code) {
  switch (code) {
    case FPE_FLTDIV: return "FPE_FLTDIV";
    case FPE_FLTOVF: return "FPE_FLTOVF";
    case FPE_FLTUND: return "FPE_FLTUND";
    case FPE_FLTRES: return "FPE_FLTRES";
    case FPE_FLTINV: return "FPE_FLTINV";
    default: return "another code";
  }
}

static void handler(int number, siginfo_t *info, void *context) {
  (void)context;
  printf("  signal %d %s\n", number, code_name(info->si_code));
  siglongjmp(recover, 1);
}

static void divide(void) { sink = one / zero; }
static void invalid(void) { sink = zero / zero; }
static void overflow(void) { sink = big * big; }
static void underflow(void) { sink = tiny * tiny; }
static void inexact(void) { sink = one / three; }
static void exact(void) { sink = three * three; }
static void root(void) { sink = sqrt(-one * three); }

static void attempt(const char *what, int enabled, void (*act)(void)) {
  printf("%s\n", what);
  feclearexcept(FE_ALL_EXCEPT);
  if (sigsetjmp(recover, 1) == 0) {
    feenableexcept(enabled);
    act();
    printf("  no signal\n");
  }
  fedisableexcept(FE_ALL_EXCEPT);
}

int main(void) {
  struct sigaction action;
  setvbuf(stdout, NULL, _IONBF, 0);
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGFPE, &action, NULL);
  attempt("divide by zero", FE_DIVBYZERO, divide);
  attempt("invalid", FE_INVALID, invalid);
  attempt("overflow", FE_OVERFLOW, overflow);
  attempt("underflow", FE_UNDERFLOW, underflow);
  attempt("inexact", FE_INEXACT, inexact);
  attempt("inexact, exact result", FE_INEXACT, exact);
  attempt("divide with only overflow enabled", FE_OVERFLOW, divide);
  attempt("square root of a negative number", FE_INVALID, root);
  feenableexcept(FE_DIVBYZERO | FE_INVALID);
  printf("enabled %d %d %d\n", fegetexcept() == (FE_DIVBYZERO | FE_INVALID), fedisableexcept(FE_INVALID) != 0,
         fegetexcept() == FE_DIVBYZERO);
  fedisableexcept(FE_ALL_EXCEPT);
  signal(SIGFPE, SIG_DFL);
  printf("now without a handler\n");
  feenableexcept(FE_DIVBYZERO);
  divide();
  return 0;
}
