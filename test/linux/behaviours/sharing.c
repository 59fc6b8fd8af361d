/* What threads and processes share of their files, and how they part with it: clone(2), unshare(2), close_range(2). */
#include "behaviour.h"
#include <linux/close_range.h>
#include <linux/kcmp.h>
#include <pthread.h>
#include <sys/prctl.h>

#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID)
static char stack[4][16384] __attribute__((aligned(16)));
static volatile pid_t alive[4];

/* Starts a thread with flags of its own, which may call nothing of the C library but system calls. */
static pid_t starts(int number, int flags, int (*run)(void *)) {
  alive[number] = 1;
  pid_t tid = clone(run, stack[number] + sizeof stack[number] - 128, THREAD | flags, NULL, NULL, NULL,
                    (pid_t *)&alive[number]);
  CHECK(tid > 0);
  return tid;
}
static void joins(int number) {
  while (alive[number]) sched_yield();
}
static int raw(long number, long a, long b, long c) { return syscall(number, a, b, c); }

static int ends[2];
static volatile int done;

static int closes(void *argument) {
  (void)argument;
  done = raw(SYS_close, ends[1], 0, 0) == 0 && raw(SYS_chdir, (long)"/", 0, 0) == 0;
  raw(SYS_umask, 0123, 0, 0);
  return 0;
}

BEHAVIOUR(a_thread_without_clone_files_has_descriptors_of_its_own) {
  char before[PATH_MAX], after[PATH_MAX];
  CHECK(pipe(ends) == 0 && getcwd(before, sizeof before) && umask(022) >= 0);
  starts(0, CLONE_FS, closes);
  joins(0);
  CHECK(done && fcntl(ends[1], F_GETFD) >= 0);
  CHECK(getcwd(after, sizeof after) && strcmp(after, "/") == 0 && umask(022) == 0123 && chdir(before) == 0);
}

BEHAVIOUR(a_thread_without_clone_fs_has_a_folder_of_its_own) {
  char before[PATH_MAX], after[PATH_MAX];
  CHECK(pipe(ends) == 0 && getcwd(before, sizeof before) && umask(022) >= 0);
  starts(0, CLONE_FILES, closes);
  joins(0);
  CHECK(done && umask(022) == 022 && getcwd(after, sizeof after) && strcmp(before, after) == 0);
  FAILS(fcntl(ends[1], F_GETFD), EBADF);
}

static int waits_for_end(void *argument) {
  char byte;
  done = raw(SYS_close, ends[1], 0, 0) == 0 && raw(SYS_read, ends[0], (long)&byte, 1) == 0;
  return 0;
}

BEHAVIOUR(a_pipe_ends_when_the_last_table_that_has_it_lets_go) {
  CHECK(pipe(ends) == 0);
  done = 0;
  starts(0, 0, waits_for_end);
  for (int i = 0; i < 20; i++) sched_yield();
  CHECK(!done && close(ends[1]) == 0);
  joins(0);
  CHECK(done);
}

static pthread_barrier_t meeting;
static void *parts(void *argument) {
  int flags = *(int *)argument;
  CHECK(unshare(flags) == 0);
  pthread_barrier_wait(&meeting);
  CHECK(close(ends[0]) == 0 && chdir("/") == 0);
  pthread_barrier_wait(&meeting);
  pthread_barrier_wait(&meeting);
  return NULL;
}
static long compares(int what, pid_t one, pid_t other) { return syscall(SYS_kcmp, one, other, what, 0, 0); }

static pid_t tid_of_other(void) {
  for (pid_t tid = getpid() + 1; tid < getpid() + 64; tid++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d", tid);
    if (access(path, F_OK) == 0) return tid;
  }
  return 0;
}

static void parts_with(int flags) {
  pthread_t other;
  char path[64], here[PATH_MAX], there[PATH_MAX] = "";
  CHECK(pipe(ends) == 0 && getcwd(here, sizeof here) && pthread_barrier_init(&meeting, NULL, 2) == 0);
  CHECK(pthread_create(&other, NULL, parts, &flags) == 0);
  pthread_barrier_wait(&meeting);
  pid_t tid = tid_of_other();
  CHECK(tid > 0);
  CHECK((compares(KCMP_FILES, getpid(), tid) == 0) == !(flags & CLONE_FILES));
  CHECK((compares(KCMP_FS, getpid(), tid) == 0) == !(flags & CLONE_FS));
  CHECK(compares(KCMP_VM, getpid(), tid) == 0 && compares(KCMP_SIGHAND, getpid(), tid) == 0);
  CHECK(compares(KCMP_FILE, getpid(), tid) == 0);
  pthread_barrier_wait(&meeting);
  CHECK((fcntl(ends[0], F_GETFD) >= 0) == ((flags & CLONE_FILES) != 0));
  snprintf(path, sizeof path, "/proc/self/task/%d/fd/%d", tid, ends[0]);
  CHECK(access(path, F_OK) == -1);
  snprintf(path, sizeof path, "/proc/self/task/%d/fd/%d", tid, ends[1]);
  CHECK(access(path, F_OK) == 0);
  snprintf(path, sizeof path, "/proc/self/task/%d/cwd", tid);
  CHECK(readlink(path, there, sizeof there) == 1 && there[0] == '/');
  CHECK(readlink("/proc/self/cwd", there, sizeof there) > 0);
  CHECK((strncmp(here, there, strlen(here)) == 0) == ((flags & CLONE_FS) != 0));
  pthread_barrier_wait(&meeting);
  CHECK(pthread_join(other, NULL) == 0 && chdir(here) == 0);
}

BEHAVIOUR(unshare_of_descriptors) { parts_with(CLONE_FILES); }
BEHAVIOUR(unshare_of_the_working_directory) { parts_with(CLONE_FS); }
BEHAVIOUR(unshare_of_both) { parts_with(CLONE_FILES | CLONE_FS); }

static void *waits(void *argument) {
  pthread_barrier_wait(&meeting);
  return argument;
}

BEHAVIOUR(what_unshare_refuses) {
  pthread_t other;
  CHECK(unshare(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_FILES | CLONE_FS) == 0);
  FAILS(unshare(CLONE_SETTLS), EINVAL);
  CHECK(pthread_barrier_init(&meeting, NULL, 2) == 0 && pthread_create(&other, NULL, waits, NULL) == 0);
  FAILS(unshare(CLONE_VM), EINVAL);
  FAILS(unshare(CLONE_SIGHAND), EINVAL);
  FAILS(unshare(CLONE_THREAD | CLONE_FILES), EINVAL);
  FAILS(unshare(CLONE_NEWUSER), EINVAL);
  pthread_barrier_wait(&meeting);
  CHECK(pthread_join(other, NULL) == 0);
}

static int exits_soon(void *argument) {
  char byte;
  raw(SYS_read, *(int *)argument, (long)&byte, 1);
  return 0;
}

BEHAVIOUR(unshare_where_processes_share) {
  int gate[2];
  CHECK(pipe(gate) == 0);
  pid_t child = clone(exits_soon, stack[0] + sizeof stack[0] - 128, CLONE_VM | SIGCHLD, &gate[0]);
  CHECK(child > 0 && unshare(CLONE_SIGHAND | CLONE_THREAD) == 0);
  FAILS(unshare(CLONE_VM), EINVAL);
  CHECK(write(gate[1], "", 1) == 1);
  reap(child, 0);
  CHECK(unshare(CLONE_VM) == 0);
  child = clone(exits_soon, stack[0] + sizeof stack[0] - 128, CLONE_VM | CLONE_SIGHAND | CLONE_FILES | SIGCHLD,
                &gate[0]);
  CHECK(child > 0);
  FAILS(unshare(CLONE_SIGHAND), EINVAL);
  CHECK(compares(KCMP_FILES, getpid(), child) == 0 && unshare(CLONE_FILES) == 0);
  CHECK(compares(KCMP_FILES, getpid(), child) > 0 && write(gate[1], "", 1) == 1);
  reap(child, 0);
}

static void *closes_all_but_these(void *argument) {
  CHECK(syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_UNSHARE) == 0);
  FAILS(fcntl(ends[0], F_GETFD), EBADF);
  return argument;
}

BEHAVIOUR(close_range_with_a_table_of_its_own) {
  pthread_t other;
  CHECK(pipe(ends) == 0 && pthread_create(&other, NULL, closes_all_but_these, NULL) == 0);
  CHECK(pthread_join(other, NULL) == 0);
  CHECK(fcntl(ends[0], F_GETFD) >= 0 && write(ends[1], "x", 1) == 1);
  CHECK(syscall(SYS_close_range, ends[0], ends[0], CLOSE_RANGE_UNSHARE) == 0);
  FAILS(fcntl(ends[0], F_GETFD), EBADF);
  CHECK(fcntl(ends[1], F_GETFD) >= 0);
}

static struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
static void *locks(void *argument) {
  int fd = *(int *)argument;
  struct flock seen = whole;
  CHECK(unshare(CLONE_FILES) == 0);
  CHECK(fcntl(fd, F_GETLK, &seen) == 0 && seen.l_type == F_WRLCK && seen.l_pid == getpid());
  FAILS(fcntl(fd, F_SETLK, &whole), EAGAIN);
  CHECK(close(fd) == 0);
  return NULL;
}

BEHAVIOUR(locks_belong_to_a_table) {
  pthread_t other;
  int fd = file_with("locked", "text");
  CHECK(fcntl(fd, F_SETLK, &whole) == 0 && pthread_create(&other, NULL, locks, &fd) == 0);
  CHECK(pthread_join(other, NULL) == 0);
  pid_t child = fork();
  if (child == 0) _exit(fcntl(fd, F_SETLK, &whole) == -1 && errno == EAGAIN ? 7 : 8);
  reap(child, 7);
}

static void *executes(void *argument) {
  CHECK(unshare(CLONE_FILES | CLONE_FS) == 0 && dup2(ends[1], 77) == 77 && close(ends[1]) == 0);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%ld/fd/77", syscall(SYS_gettid));
  CHECK(access(path, F_OK) == 0);
  pid_t child = fork();
  if (child == 0) _exit(fcntl(77, F_GETFD) >= 0 && fcntl(ends[1], F_GETFD) == -1 ? 3 : 4);
  reap(child, 3);
  return argument;
}

BEHAVIOUR(a_child_of_a_thread_has_the_files_of_the_thread) {
  pthread_t other;
  CHECK(pipe(ends) == 0 && pthread_create(&other, NULL, executes, NULL) == 0);
  CHECK(pthread_join(other, NULL) == 0 && fcntl(ends[1], F_GETFD) >= 0);
  FAILS(fcntl(77, F_GETFD), EBADF);
}
