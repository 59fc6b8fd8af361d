/* Neither number of /proc/uptime goes back, however closely it is read. */
#include <fcntl.h>
#include <unistd.h>

#include "../../guest.h"

int main(void) {
  int f = open("/proc/uptime", O_RDONLY), back = 0;
  double up = 0, idle = 0;
  for (int i = 0; i < 400; i++) {
    char b[100] = "";
    double now, rest;
    pread(f, b, sizeof b - 1, 0);
    sscanf(b, "%lf %lf", &now, &rest);
    if (now < up || rest < idle) back++;
    up = now;
    idle = rest;
    for (volatile int spin = 0; spin < 5000; spin++) continue;
  }
  printf("%d\n", back);
  return 0;
}
