/* SCHED_RESET_ON_FORK: told, kept by who has it, and not by children. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../guest.h"

int main(void) {
  struct sched_param none = {0};
  struct { unsigned size, policy; unsigned long long flags; int nice; unsigned rest[8]; } attributes = {0};
  SAY("at first", sched_getscheduler(0));
  SAY("set", sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none));
  SAY("told", sched_getscheduler(0));
  SAY("not to be cleared", sched_setscheduler(0, SCHED_BATCH, &none));
  SAY("same parameters", sched_setparam(0, &none));
  SAY("another policy", sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none));
  SAY("attributes", syscall(SYS_sched_getattr, 0, &attributes, 48, 0));
  printf("policy %u flags %llu\n", attributes.policy, attributes.flags);
  attributes.flags = 0;
  SAY("not to be cleared", syscall(SYS_sched_setattr, 0, &attributes, 0));
  SAY("told", sched_getscheduler(0));
  if (fork() == 0) {
    SAY("child", sched_getscheduler(0));
    SAY("of its own", sched_setscheduler(0, SCHED_BATCH, &none));
    _exit(0);
  }
  SAY("end", quit());
  return 0;
}
