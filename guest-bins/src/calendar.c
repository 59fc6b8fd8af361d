/* Time: calendar arithmetic in UTC, formatting and parsing, and clocks that never go back. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static void never_back(const char *name, clockid_t clock) {
  struct timespec before, after, step;
  int back = 0;
  clock_gettime(clock, &before);
  for (int i = 0; i < 200; i++) {
    clock_gettime(clock, &after);
    back += after.tv_sec < before.tv_sec || (after.tv_sec == before.tv_sec && after.tv_nsec < before.tv_nsec);
    CHECK(after.tv_nsec >= 0 && after.tv_nsec < 1000000000);
    before = after;
  }
  printf("%s went back %d times, resolution %d\n", name, back, clock_getres(clock, &step) == 0 && step.tv_sec == 0);
}

int main(void) {
  static const long long moments[] = {0, 86399, 951782400, 1078012800, 1234567890, 1582979696, 2147483647, -1, -2147483648LL};
  char text[100];
  struct tm parts;
  setenv("TZ", "UTC", 1);
  tzset();
  for (unsigned i = 0; i < COUNT(moments); i++) {
    time_t moment = moments[i];
    gmtime_r(&moment, &parts);
    CHECK(timegm(&parts) == moment && mktime(&parts) == moment);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %a %j %U %G-W%V %p %y %e", &parts);
    printf("%11lld %s\n", moments[i], text);
  }
  memset(&parts, 0, sizeof parts);
  parts.tm_year = 123, parts.tm_mon = 13, parts.tm_mday = 35, parts.tm_hour = -5; /* mktime puts it right */
  printf("normalised %lld %s", (long long)timegm(&parts), asctime(&parts));
  memset(&parts, 0, sizeof parts);
  const char *rest = strptime("17 Mar 2009 23:59:58 tail", "%d %b %Y %H:%M:%S", &parts);
  printf("parsed %d %d %d,%s; %g\n", parts.tm_mday, parts.tm_mon, parts.tm_year, rest, difftime(100, 42));

  never_back("realtime", CLOCK_REALTIME);
  never_back("monotonic", CLOCK_MONOTONIC);
  never_back("cpu time", CLOCK_PROCESS_CPUTIME_ID);
  struct timeval tv;
  struct rusage usage;
  struct tms used;
  time_t seconds = time(NULL);
  gettimeofday(&tv, NULL);
  printf("same second %d, year %d\n", tv.tv_sec - seconds <= 1, seconds > 1500000000);
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && times(&used) != (clock_t)-1);
  printf("usage %d, clock %d, bad clock %d\n", usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_usec < 1000000, clock() >= 0,
         clock_gettime(12345, &(struct timespec){0, 0}) == -1);
  return 0;
}
