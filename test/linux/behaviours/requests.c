/* What programs ask of memory and of themselves, and are told when they ask again. */
#include "behaviour.h"
#include <sys/resource.h>

#define PAGE 65536L
static char *pages(int n) {
  char *at = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED);
  return at;
}

BEHAVIOUR(locked_memory_counts_against_its_limit) {
  char *at = pages(4);
  struct rlimit limit = {2 * PAGE, 4 * PAGE};
  CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  CHECK(mlock(at, 2 * PAGE) == 0 && mlock(at, 2 * PAGE) == 0);
  CHECK(field("/proc/self/status", "VmLck") == 2 * PAGE / 1024);
  if (geteuid() != 0) FAILS(mlock(at + 2 * PAGE, PAGE), ENOMEM);
  pid_t child = fork();
  if (child == 0) _exit(field("/proc/self/status", "VmLck") != 0);
  reap(child, 0);
  CHECK(munlock(at, PAGE) == 0 && mlock(at + 2 * PAGE, PAGE) == 0);
  CHECK(munlockall() == 0 && field("/proc/self/status", "VmLck") == 0);
}

BEHAVIOUR(locked_memory_cannot_be_discarded) {
  int fd = file_with("f", "text");
  CHECK(ftruncate(fd, PAGE) == 0);
  char *own = pages(1), *of_file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  struct rlimit limit;
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_cur < 2 * PAGE) return;
  own[0] = 1;
  CHECK(mlock(own, PAGE) == 0 && mlock(of_file, PAGE) == 0);
  FAILS(madvise(own, PAGE, MADV_DONTNEED), EINVAL);
  FAILS(madvise(own, PAGE, MADV_FREE), EINVAL);
  FAILS(msync(of_file, PAGE, MS_INVALIDATE), EBUSY);
  CHECK(munlock(own, PAGE) == 0 && munlock(of_file, PAGE) == 0);
  CHECK(madvise(own, PAGE, MADV_DONTNEED) == 0 && own[0] == 0);
  CHECK(msync(of_file, PAGE, MS_INVALIDATE) == 0);
}

BEHAVIOUR(locked_private_pages_no_longer_follow_their_file) {
  int fd = file_with("f", "text");
  CHECK(ftruncate(fd, 3 * PAGE) == 0);
  char *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  CHECK(at != MAP_FAILED);
  if (mlock(at, PAGE) != 0 || syscall(SYS_mlock2, at + PAGE, PAGE, 1) != 0) return;
  for (int i = 0; i < 3; i++) CHECK(pwrite(fd, "new", 3, i * PAGE) == 3);
  CHECK(memcmp(at, "text", 4) == 0 && memcmp(at + PAGE, "new", 3) == 0 && memcmp(at + 2 * PAGE, "new", 3) == 0);
}

BEHAVIOUR(children_get_zeros_or_nothing_where_that_is_asked_for) {
  char *at = pages(3);
  memset(at, 7, 3 * PAGE);
  CHECK(madvise(at, PAGE, MADV_WIPEONFORK) == 0 && madvise(at + PAGE, PAGE, MADV_DONTFORK) == 0);
  for (int i = 0; i < 2; i++) {
    pid_t child = fork();
    if (child == 0) {
      CHECK(at[0] == 0 && at[PAGE - 1] == 0 && at[2 * PAGE] == 7);
      FAILS(msync(at + PAGE, PAGE, MS_ASYNC), ENOMEM);
      at[0] = 3;
      pid_t other = fork();
      if (other == 0) _exit(at[0]);
      reap(other, 0);
      _exit(0);
    }
    reap(child, 0);
  }
  CHECK(at[0] == 7 && at[PAGE] == 7);
  CHECK(madvise(at, PAGE, MADV_KEEPONFORK) == 0 && madvise(at + PAGE, PAGE, MADV_DOFORK) == 0);
  pid_t child = fork();
  if (child == 0) _exit(at[0] + at[PAGE]);
  reap(child, 14);
}

BEHAVIOUR(programs_that_run_are_not_written) {
  char program[65536];
  ssize_t length;
  int from = open("/proc/self/exe", O_RDONLY), to = open("program", O_CREAT | O_RDWR, 0755);
  while ((length = read(from, program, sizeof program)) > 0) CHECK(write(to, program, length) == length);
  char *none[] = {"program", NULL};
  FAILS(execv("program", none), ETXTBSY);
  close(to);
  int gate[2], ready[2];
  CHECK(pipe(gate) == 0 && pipe(ready) == 0);
  pid_t child = fork();
  if (child == 0) {
    char *arguments[] = {"program", "requests/waits_for_its_input_to_end", NULL};
    dup2(gate[0], 0);
    dup2(ready[1], 1);
    close(gate[1]);
    putenv("GATED=1");
    execv("program", arguments);
    _exit(1);
  }
  CHECK(read(ready[0], program, 1) == 1);
  FAILS(open("program", O_WRONLY), ETXTBSY);
  FAILS(truncate("program", 0), ETXTBSY);
  CHECK(open("program", O_RDONLY) >= 0);
  close(gate[1]);
  reap(child, 0);
  CHECK((to = open("program", O_WRONLY)) >= 0);
}
/* The other half of the one above; without it, nothing. */
BEHAVIOUR(waits_for_its_input_to_end) {
  char byte;
  if (getenv("GATED") == NULL) return;
  CHECK(write(1, "r", 1) == 1 && read(0, &byte, 1) == 0);
}

BEHAVIOUR(priorities_of_input_and_output_are_kept) {
  int best = 2 << 13 | 3;
  CHECK(syscall(SYS_ioprio_set, 1, 0, best) == 0 && syscall(SYS_ioprio_get, 1, 0) == best);
  pid_t child = fork();
  if (child == 0) _exit(syscall(SYS_ioprio_get, 1, getpid()) != best);
  reap(child, 0);
  FAILS(syscall(SYS_ioprio_set, 1, 0, 7 << 13), EINVAL);
  FAILS(syscall(SYS_ioprio_set, 9, 0, 0), EINVAL);
  FAILS(syscall(SYS_ioprio_get, 1, 4000000), ESRCH);
}

BEHAVIOUR(kcmp_tells_what_is_shared) {
  pid_t me = getpid();
  int fd = file_with("f", "text"), twin = dup(fd), other = open("f", O_RDONLY);
  CHECK(syscall(SYS_kcmp, me, me, 0, fd, twin) == 0);
  long order = syscall(SYS_kcmp, me, me, 0, fd, other), back = syscall(SYS_kcmp, me, me, 0, other, fd);
  CHECK(order + back == 3 && order > 0 && back > 0);
  FAILS(syscall(SYS_kcmp, me, me, 0, fd, 99), EBADF);
  FAILS(syscall(SYS_kcmp, me, me, 99, 0, 0), EINVAL);
  FAILS(syscall(SYS_kcmp, me, 4000000, 1, 0, 0), ESRCH);
  int gate[2];
  CHECK(pipe(gate) == 0);
  pid_t child = fork();
  if (child == 0) _exit(read(gate[0], &order, 1) != 1);
  CHECK(syscall(SYS_kcmp, me, child, 0, fd, fd) == 0);
  CHECK(syscall(SYS_kcmp, me, child, 1, 0, 0) > 0 && syscall(SYS_kcmp, me, child, 2, 0, 0) > 0);
  CHECK(syscall(SYS_kcmp, me, me, 0, fd, other) == order);
  CHECK(write(gate[1], "g", 1) == 1);
  reap(child, 0);
}

/* What of memory policies programs see where node 0 is the only one. */
#define STATIC_NODES 0x8000
#define RELATIVE_NODES 0x4000
enum { DEFAULT_POLICY, PREFERRED, BIND, INTERLEAVE, LOCAL, PREFERRED_MANY, UNKNOWN_POLICY };
static unsigned long nodes[4];
static long set_policy(int mode, unsigned long mask) {
  return syscall(SYS_set_mempolicy, mode, &mask, 8L * sizeof mask);
}
/* The mode of the thread, or of what is at an address; `nodes` are the nodes. */
static int policy_of(void *at) {
  int mode = -1;
  memset(nodes, 0xff, sizeof nodes);
  CHECK(syscall(SYS_get_mempolicy, &mode, nodes, 8L * sizeof nodes + 1, at, at ? 2L : 0L) == 0);
  for (unsigned i = 1; i < sizeof nodes / sizeof *nodes; i++) CHECK(nodes[i] == 0);
  return mode;
}
static long bind_to(void *at, long pages, int mode, unsigned long mask, unsigned flags) {
  return syscall(SYS_mbind, at, pages * PAGE, mode, &mask, 8L * sizeof mask, flags);
}

BEHAVIOUR(memory_policy_of_a_thread_is_kept_and_told) {
  CHECK(policy_of(NULL) == DEFAULT_POLICY && nodes[0] == 0);
  CHECK(set_policy(BIND, 1) == 0 && policy_of(NULL) == BIND && nodes[0] == 1);
  CHECK(set_policy(INTERLEAVE | STATIC_NODES, 3) == 0);
  CHECK(policy_of(NULL) == (INTERLEAVE | STATIC_NODES) && nodes[0] == 3);
  pid_t child = fork();
  if (child == 0) _exit(policy_of(NULL) == (INTERLEAVE | STATIC_NODES) ? 7 : 8);
  reap(child, 7);
  int node = -1;
  CHECK(syscall(SYS_get_mempolicy, &node, NULL, 0L, NULL, 1L) == 0 && node == 0);
  CHECK(set_policy(PREFERRED, 0) == 0 && policy_of(NULL) == LOCAL && nodes[0] == 0);
  FAILS(syscall(SYS_get_mempolicy, &node, NULL, 0L, NULL, 1L), EINVAL);
  FAILS(set_policy(BIND, 0), EINVAL);
  FAILS(set_policy(BIND, 2), EINVAL);
  FAILS(set_policy(DEFAULT_POLICY, 1), EINVAL);
  FAILS(set_policy(-1, 1), EINVAL);
  FAILS(set_policy(BIND | STATIC_NODES | RELATIVE_NODES, 1), EINVAL);
  FAILS(syscall(SYS_set_mempolicy, BIND, 8L, 64L), EFAULT);
  FAILS(syscall(SYS_get_mempolicy, NULL, NULL, 0L, nodes, 0L), EINVAL);
  FAILS(syscall(SYS_get_mempolicy, NULL, nodes, 0L, NULL, 0L), EINVAL);
  FAILS(syscall(SYS_get_mempolicy, NULL, NULL, 0L, NULL, 2L), EFAULT);
  CHECK(syscall(SYS_get_mempolicy, NULL, nodes, 65L, NULL, 4L) == 0 && nodes[0] == 1);
  CHECK(set_policy(DEFAULT_POLICY, 0) == 0 && policy_of(NULL) == DEFAULT_POLICY);
}

BEHAVIOUR(memory_policy_of_a_mapping_is_kept_and_told) {
  char *at = pages(4);
  CHECK(policy_of(at) == DEFAULT_POLICY && bind_to(at + PAGE, 2, BIND, 1, 0) == 0);
  CHECK(policy_of(at) == DEFAULT_POLICY && policy_of(at + PAGE) == BIND && nodes[0] == 1);
  CHECK(policy_of(at + 3 * PAGE) == DEFAULT_POLICY && policy_of(NULL) == DEFAULT_POLICY);
  at[PAGE] = 1;
  CHECK(bind_to(at, 2, PREFERRED, 1, 1) == 0 && policy_of(at + PAGE) == PREFERRED);
  CHECK(policy_of(at + 2 * PAGE) == BIND);
  int node = -1;
  CHECK(syscall(SYS_get_mempolicy, &node, NULL, 0L, at + PAGE, 3L) == 0 && node == 0);
  CHECK(munmap(at + 3 * PAGE, PAGE) == 0);
  FAILS(bind_to(at, 4, BIND, 1, 0), EFAULT);
  FAILS(bind_to(at + 1, 1, BIND, 1, 0), EINVAL);
  FAILS(bind_to(at, 1, BIND, 1, 1 << 10), EINVAL);
  CHECK(bind_to(at + 1, 0, BIND, 1, 0) == -1 && bind_to(at, 0, BIND, 1, 0) == 0);
  CHECK(bind_to(at, 4, DEFAULT_POLICY, 0, 0) == 0 && policy_of(at + 2 * PAGE) == DEFAULT_POLICY);
}

BEHAVIOUR(pages_are_on_the_only_node) {
  char *at = pages(2);
  at[0] = 1;
  void *places[2] = {at, at};
  int node[2] = {0, 0}, where[2] = {-1, -1};
  CHECK(syscall(SYS_move_pages, 0, 2L, places, NULL, where, 2) == 0 && where[0] == 0 && where[1] == 0);
  places[1] = (void *)4096;
  CHECK(syscall(SYS_move_pages, getpid(), 2L, places, node, where, 2) == 0);
  CHECK(where[0] == 0 && where[1] == -EFAULT);
  node[1] = 1;
  FAILS(syscall(SYS_move_pages, 0, 2L, places, node, where, 2), ENODEV);
  FAILS(syscall(SYS_move_pages, 0, 2L, places, node, where, 1), EINVAL);
  unsigned long mask = 1, other = 2;
  CHECK(syscall(SYS_migrate_pages, 0, 8L * sizeof mask, &other, &mask) == 0);
  FAILS(syscall(SYS_migrate_pages, 0, 8L * sizeof mask, &mask, &other), geteuid() == 0 ? EINVAL : EPERM);
  FAILS(syscall(SYS_migrate_pages, 4194303, 8L * sizeof mask, &mask, &mask), ESRCH);
  CHECK(strcmp(contents("/sys/devices/system/node/online"), "0\n") == 0);
  CHECK(strstr(contents("/sys/devices/system/node/node0/meminfo"), "Node 0 MemTotal:") != NULL);
}

#define GRAIN (32L << 20)
static long most(int who) {
  struct rusage usage;
  CHECK(getrusage(who, &usage) == 0);
  return usage.ru_maxrss;
}
static void fill_and_free(void) {
  char *at = mmap(NULL, GRAIN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED);
  memset(at, 1, GRAIN);
  CHECK(munmap(at, GRAIN) == 0);
}

BEHAVIOUR(the_most_that_was_used_is_remembered_and_told_by_who_has_waited) {
  long before = most(RUSAGE_SELF), of_children = most(RUSAGE_CHILDREN);
  pid_t child = fork();
  if (child == 0) {
    if (fork() == 0) {
      fill_and_free();
      _exit(0);
    }
    CHECK(wait(NULL) > 0 && most(RUSAGE_CHILDREN) >= GRAIN / 1024 && most(RUSAGE_SELF) < GRAIN / 1024);
    _exit(0);
  }
  CHECK(most(RUSAGE_CHILDREN) == of_children);
  struct rusage usage;
  int status;
  CHECK(wait4(child, &status, 0, &usage) == child && status == 0 && usage.ru_maxrss >= GRAIN / 1024);
  CHECK(most(RUSAGE_CHILDREN) >= GRAIN / 1024);
  fill_and_free();
  CHECK(most(RUSAGE_SELF) >= before + GRAIN / 1024 / 2);
  /* Whom nobody waits for counts for nobody. */
  of_children = most(RUSAGE_CHILDREN);
  signal(SIGCHLD, SIG_IGN);
  if (fork() == 0) {
    char *at = mmap(NULL, 3 * GRAIN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(at, 1, 3 * GRAIN);
    _exit(0);
  }
  CHECK(wait(NULL) == -1 && errno == ECHILD && most(RUSAGE_CHILDREN) == of_children);
}
