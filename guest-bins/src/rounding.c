/* <fenv.h>: the four rounding modes on arithmetic and conversions, exception flags, saved environments. */
#include <fenv.h>
#include <math.h>

#include "guest.h"

static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD};
static const char *names[] = {"nearest", "zero", "up", "down"};

static void flags(const char *what) {
  printf("%-22s%s%s%s%s%s\n", what, fetestexcept(FE_INEXACT) ? " inexact" : "", fetestexcept(FE_OVERFLOW) ? " overflow" : "",
         fetestexcept(FE_UNDERFLOW) ? " underflow" : "", fetestexcept(FE_DIVBYZERO) ? " divbyzero" : "",
         fetestexcept(FE_INVALID) ? " invalid" : "");
  feclearexcept(FE_ALL_EXCEPT);
}

static void arithmetic(void) {
  volatile double one = 1, three = 3, tiny = 0x1p-1074, big = 0x1.fffffffffffffp1023, half = 2.5;
  volatile float single;
  printf("1/3 %a -1/3 %a ", one / three, -one / three);
  printf("max+max %a tiny/2 %a -tiny/2 %a ", big + big, tiny / 2, -tiny / 2);
  single = (float)(one / three);
  printf("float %a sqrt3 %a\n", (double)single, sqrt(three));
  printf("  rint %g %g %g %g", rint(half), rint(-half), nearbyint(3.5), rint(0.4999999));
  printf(" lrint %ld %ld %lld", lrint(half), lrint(-half), llrint(-3.5));
  printf(" trunc %d %d sum %a\n", (int)half, (int)-half, one - one);
}

static void conditions(void) {
  volatile double zero = 0, one = 1, big = 1e308, tiny = 0x1p-1022, nan = NAN, inf = INFINITY, sink;
  volatile int integer;
  feclearexcept(FE_ALL_EXCEPT);
  sink = one / zero, flags("1/0");
  sink = zero / zero, flags("0/0");
  sink = big * big, flags("big*big");
  sink = tiny * 0.3, flags("tiny*0.3");
  sink = one / 3, flags("1/3");
  sink = inf - inf, flags("inf-inf");
  sink = inf * zero, flags("inf*0");
  sink = sqrt(-one), flags("sqrt(-1)");
  sink = nan + one, flags("nan+1");
  sink = (nan < one), flags("nan<1");
  sink = isless(nan, one), flags("isless(nan,1)");
  integer = (int)big, flags("(int)1e308");
  integer = (int)1.5, flags("(int)1.5");
  sink = (float)big, flags("(float)1e308");
  sink = rint(1.5), flags("rint(1.5)");
  sink = nearbyint(1.5), flags("nearbyint(1.5)");
  sink = fma(big, big, -inf), flags("fma(big,big,-inf)");
  (void)sink, (void)integer;
}

int main(void) {
  fenv_t kept, held;
  for (unsigned m = 0; m < COUNT(modes); m++) {
    CHECK(fesetround(modes[m]) == 0 && fegetround() == modes[m]);
    printf("%s: ", names[m]);
    arithmetic();
  }
  CHECK(fegetenv(&kept) == 0);
  fesetround(FE_TONEAREST);
  conditions();
  feraiseexcept(FE_OVERFLOW | FE_INVALID), flags("raised");
  feraiseexcept(FE_DIVBYZERO);
  CHECK(feholdexcept(&held) == 0);
  flags("held");
  feraiseexcept(FE_UNDERFLOW);
  CHECK(feupdateenv(&held) == 0);
  flags("updated");
  CHECK(fesetenv(&kept) == 0 && fegetround() == FE_DOWNWARD);
  CHECK(fesetenv(FE_DFL_ENV) == 0 && fegetround() == FE_TONEAREST && fetestexcept(FE_ALL_EXCEPT) == 0);
  printf("invalid mode %d\n", fesetround(12345) != 0);
  return 0;
}
