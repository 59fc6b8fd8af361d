/* Processes: how they come, what they inherit, how they end and who is told. */
#include "behaviour.h"
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

extern char **environ;

/* What this program does when it is executed by one of the behaviours; before main. */
__attribute__((constructor)) static void as_a_child(int argc, char **argv) {
  if (argc < 2 || strncmp(argv[1], "--child-", 8) != 0) return;
  const char *what = argv[1] + 8;
  if (strcmp(what, "exit") == 0) _exit(atoi(argv[2]));
  if (strcmp(what, "arguments") == 0) {
    for (int i = 2; i < argc; i++) printf("[%s]", argv[i]);
    for (char **each = environ; *each; each++) printf("{%s}", *each);
    fflush(stdout);
  }
  if (strcmp(what, "descriptors") == 0) {
    int open = 0;
    for (int fd = 3; fd < 20; fd++) open += fcntl(fd, F_GETFD) >= 0;
    _exit(open);
  }
  if (strcmp(what, "signals") == 0) {
    struct sigaction one, two;
    sigset_t mask;
    sigaction(SIGUSR1, NULL, &one);
    sigaction(SIGUSR2, NULL, &two);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    _exit((one.sa_handler == SIG_DFL) + 2 * (two.sa_handler == SIG_IGN) + 4 * sigismember(&mask, SIGTERM));
  }
  _exit(0);
}

static char self[PATH_MAX];
static void run_self(const char *what, const char *argument, char **environment) {
  char option[64];
  sprintf(option, "--child-%s", what);
  char *argv[] = {"child", option, (char *)argument, NULL};
  execve(self, argv, environment);
  _exit(127);
}
static void find_self(void) {
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  CHECK(n > 0);
  self[n] = 0;
}

BEHAVIOUR(a_child_has_copies) {
  int value = 1;
  static int kept = 5;
  char *heap = malloc(100000);
  memset(heap, 1, 100000);
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    CHECK(getppid() == parent && getpid() != parent && value == 1 && kept == 5 && heap[99999] == 1);
    value = kept = 9;
    memset(heap, 2, 100000);
    _exit(0);
  }
  heap[5] = 7;
  reap(child, 0);
  CHECK(value == 1 && kept == 5 && heap[5] == 7 && heap[6] == 1);
}

BEHAVIOUR(statuses) {
  int codes[] = {0, 1, 77, 255};
  for (int i = 0; i < 4; i++) {
    pid_t child = fork();
    if (child == 0) exit(codes[i]);
    reap(child, codes[i]);
  }
  FAILS(waitpid(-1, NULL, 0), ECHILD);
  FAILS(waitpid(getpid(), NULL, 0), ECHILD);
}

BEHAVIOUR(waiting_for_one_of_many) {
  pid_t children[10];
  for (int i = 0; i < 10; i++)
    if ((children[i] = fork()) == 0) _exit(i);
  for (int i = 9; i >= 0; i--) reap(children[i], i);
}

BEHAVIOUR(waitid_leaves_what_it_is_told_to) {
  pid_t child = fork();
  if (child == 0) _exit(3);
  siginfo_t info = {0};
  for (int i = 0; i < 2; i++) {
    CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == child && info.si_status == 3);
  }
  CHECK(info.si_code == CLD_EXITED && waitid(P_ALL, 0, &info, WEXITED) == 0);
  FAILS(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
  FAILS(waitid(P_ALL, 0, &info, 0), EINVAL);
}

BEHAVIOUR(directories_of_proc_mean_their_processes) {
  pid_t child = fork();
  if (child == 0)
    for (;;) pause();
  char path[40];
  sprintf(path, "/proc/%d", child);
  int fd = open(path, O_RDONLY | O_DIRECTORY), other = open("/proc", O_RDONLY | O_DIRECTORY);
  FAILS(syscall(SYS_pidfd_send_signal, other, SIGKILL, NULL, 0), EBADF);
  CHECK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0);
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  FAILS(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
}

BEHAVIOUR(killed_children) {
  pid_t child = fork();
  if (child == 0)
    for (;;) pause();
  siginfo_t info;
  CHECK(waitpid(child, NULL, WNOHANG) == 0 && kill(child, SIGKILL) == 0);
  CHECK(waitid(P_PID, child, &info, WEXITED) == 0 && info.si_code == CLD_KILLED && info.si_status == SIGKILL);
  FAILS(kill(child, 0), ESRCH);
  /* The first process is someone else's; who asks is told. */
  CHECK(getpgid(1) >= 0 && getsid(1) == getpgid(1));
  CHECK(sched_getscheduler(1) == SCHED_OTHER && getpriority(PRIO_PROCESS, 1) == 0);
  struct timespec quantum;
  cpu_set_t where;
  CHECK(sched_rr_get_interval(1, &quantum) == 0 && sched_getaffinity(1, sizeof where, &where) == 0);
  struct sched_param told = {7};
  CHECK(sched_getparam(1, &told) == 0 && told.sched_priority == 0 && CPU_ISSET(0, &where));
  struct {
    unsigned version;
    int pid;
  } header = {0x20080522, 1};
  struct {
    unsigned effective, permitted, inheritable;
  } sets[2];
  CHECK(syscall(SYS_capget, &header, sets) == 0 && (sets[0].permitted & 1 << 7) != 0);
  FAILS(waitpid(1, NULL, WNOHANG), ECHILD);
  FAILS(setpgid(1, 0), ESRCH);
  if (geteuid() != 0) {
    void *head;
    size_t length;
    FAILS(syscall(SYS_get_robust_list, 1, &head, &length), EPERM);
    struct sched_param none = {0};
    FAILS(kill(1, 0), EPERM);
    FAILS(sched_setparam(1, &none), EPERM);
    FAILS(setpriority(PRIO_PROCESS, 1, 1), EPERM);
    cpu_set_t all;
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    FAILS(sched_setaffinity(1, sizeof all, &all), EPERM);
  }
}

BEHAVIOUR(exec_replaces_the_program) {
  find_self();
  pid_t child = fork();
  if (child == 0) run_self("exit", "42", environ);
  reap(child, 42);
  FAILS(execl("none", "none", NULL), ENOENT);
  close(file_with("data", "no program"));
  CHECK(chmod("data", 0755) == 0);
  FAILS(execl("./data", "data", NULL), ENOEXEC);
  CHECK(chmod("data", 0644) == 0);
  FAILS(execl("./data", "data", NULL), EACCES);
}

BEHAVIOUR(exec_passes_arguments_and_environment) {
  find_self();
  int ends[2];
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 1);
    char *environment[] = {"A=1", "EMPTY=", "SPACE=a b", NULL};
    run_self("arguments", "one two", environment);
  }
  close(ends[1]);
  char got[256];
  int at = 0, n;
  while ((n = read(ends[0], got + at, sizeof got - at - 1)) > 0) at += n;
  got[at] = 0;
  CHECK(strcmp(got, "[one two]{A=1}{EMPTY=}{SPACE=a b}") == 0);
  reap(child, 0);
}

BEHAVIOUR(exec_closes_what_is_marked) {
  find_self();
  CHECK(syscall(SYS_close_range, 3, ~0u, 0) == 0);
  CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) == 3 && open("/dev/null", O_RDONLY) == 4);
  pid_t child = fork();
  if (child == 0) run_self("descriptors", "", environ);
  reap(child, 1);
}

static void nothing(int signo) { (void)signo; }
BEHAVIOUR(exec_keeps_masks_and_ignored_signals) {
  find_self();
  signal(SIGUSR1, nothing);
  signal(SIGUSR2, SIG_IGN);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  pid_t child = fork();
  if (child == 0) run_self("signals", "", environ);
  reap(child, 7);
}

static void *execs(void *argument) {
  (void)argument;
  run_self("exit", "21", environ);
  return NULL;
}
BEHAVIOUR(exec_by_a_thread) {
  find_self();
  pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, execs, NULL);
    for (;;) pause();
  }
  reap(child, 21);
}

BEHAVIOUR(spawned_programs) {
  find_self();
  char *argv[] = {"child", "--child-exit", "5", NULL};
  pid_t child;
  CHECK(posix_spawn(&child, self, NULL, NULL, argv, environ) == 0);
  reap(child, 5);
  CHECK(posix_spawn(&child, "none", NULL, NULL, argv, environ) == ENOENT);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT, 0600);
  argv[1] = "--child-arguments";
  CHECK(posix_spawn(&child, self, &actions, NULL, argv, (char *[]){NULL}) == 0);
  reap(child, 0);
  int fd = open("out", O_RDONLY);
  CHECK(holds(fd, 0, "[5]"));
}

BEHAVIOUR(vfork_stops_the_parent) {
  find_self();
  volatile int stage = 0;
  pid_t child = vfork();
  if (child == 0) {
    stage = 1;
    execl(self, "child", "--child-exit", "8", NULL);
    _exit(127);
  }
  CHECK(stage == 1);
  reap(child, 8);
}

BEHAVIOUR(orphans_go_to_a_subreaper) {
  int ends[2];
  pid_t orphan;
  CHECK(pipe(ends) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  pid_t child = fork();
  if (child == 0) {
    pid_t parent = getpid(), grandchild = fork();
    if (grandchild == 0) {
      while (getppid() == parent) sched_yield();
      grandchild = getpid();
      write(ends[1], &grandchild, sizeof grandchild);
      _exit(11);
    }
    _exit(0);
  }
  reap(child, 0);
  CHECK(read(ends[0], &orphan, sizeof orphan) == sizeof orphan);
  reap(orphan, 11);
}

BEHAVIOUR(groups_and_sessions) {
  pid_t child = fork();
  if (child == 0) {
    CHECK(setpgid(0, 0) == 0 && getpgrp() == getpid() && getpgid(0) == getpid() && getsid(0) == getsid(getppid()));
    FAILS(setsid(), EPERM);
    pid_t grandchild = fork();
    if (grandchild == 0) {
      CHECK(getpgrp() == getppid() && setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid());
      FAILS(setpgid(0, 0), EPERM);
      _exit(0);
    }
    reap(grandchild, 0);
    FAILS(setpgid(0, 999999), EPERM);
    _exit(0);
  }
  reap(child, 0);
}

BEHAVIOUR(waiting_for_a_group) {
  pid_t one = fork();
  if (one == 0) {
    setpgid(0, 0);
    for (;;) pause();
  }
  setpgid(one, one);
  pid_t two = fork();
  if (two == 0) {
    setpgid(0, one);
    _exit(5);
  }
  setpgid(two, one);
  int status;
  CHECK(waitpid(-one, &status, 0) == two && WEXITSTATUS(status) == 5);
  CHECK(kill(-one, SIGTERM) == 0 && waitpid(-one, &status, 0) == one && WTERMSIG(status) == SIGTERM);
  FAILS(waitpid(-one, &status, 0), ECHILD);
}

BEHAVIOUR(ignored_children_are_not_kept) {
  signal(SIGCHLD, SIG_IGN);
  pid_t child = fork();
  if (child == 0) _exit(0);
  FAILS(waitpid(child, NULL, 0), ECHILD);
}

BEHAVIOUR(death_of_the_parent) {
  int ends[2];
  char c;
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    int ready[2];
    pipe(ready);
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      write(ready[1], "x", 1);
      for (;;) pause();
    }
    read(ready[0], &c, 1);
    _exit(0);
  }
  close(ends[1]);
  reap(child, 0);
  /* The grandchild holds the other end until it dies. */
  CHECK(read(ends[0], &c, 1) == 0);
}

static int on_exit_ends;
static void says(void) { write(on_exit_ends, "bye", 3); }
BEHAVIOUR(exit_handlers) {
  int ends[2];
  char got[16];
  CHECK(pipe(ends) == 0);
  on_exit_ends = ends[1];
  pid_t child = fork();
  if (child == 0) {
    atexit(says);
    exit(0);
  }
  reap(child, 0);
  child = fork();
  if (child == 0) {
    atexit(says);
    _exit(0);
  }
  reap(child, 0);
  close(ends[1]);
  CHECK(read(ends[0], got, 16) == 3 && memcmp(got, "bye", 3) == 0);
}

BEHAVIOUR(limits) {
  struct rlimit limit, old;
  CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
  limit = (struct rlimit){10, old.rlim_max};
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  int fd, last = -1;
  while ((fd = open("/dev/null", O_RDONLY)) >= 0) last = fd;
  CHECK(errno == EMFILE && last == 9);
  /* Descriptors above a limit that is lowered leave those below it free. */
  limit.rlim_cur = 4;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0 && close(3) == 0);
  CHECK(open("/dev/null", O_RDONLY) == 3);
  FAILS(open("/dev/null", O_RDONLY), EMFILE);
  FAILS(pipe((int[2]){0}), EMFILE);
  FAILS(socket(AF_UNIX, SOCK_STREAM, 0), EMFILE);
  limit.rlim_cur = 10;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = 1000;
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0 && signal(SIGXFSZ, SIG_IGN) != SIG_ERR && close(last) == 0);
  fd = open("f", O_CREAT | O_WRONLY, 0600);
  char block[600] = {0};
  CHECK(write(fd, block, 600) == 600 && write(fd, block, 600) == 400);
  FAILS(write(fd, block, 1), EFBIG);
  limit = (struct rlimit){5, 4};
  FAILS(setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
}

BEHAVIOUR(many_children_one_after_another) {
  for (int i = 0; i < 12; i++) {
    pid_t child = fork();
    if (child == 0) _exit(i);
    reap(child, i);
  }
}

BEHAVIOUR(a_long_line_of_children) {
  int depth = 0;
  pid_t child = fork();
  while (child == 0 && depth < 8) {
    depth++;
    child = fork();
  }
  if (child == 0) _exit(1);
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
  if (depth > 0) _exit(WEXITSTATUS(status) + 1);
  CHECK(WEXITSTATUS(status) == 9);
}

BEHAVIOUR(accounts_of_children) {
  struct rusage of;
  pid_t child = fork();
  if (child == 0) {
    clock_t end = clock() + CLOCKS_PER_SEC / 200;
    while (clock() < end) {}
    _exit(0);
  }
  int status;
  CHECK(wait4(child, &status, 0, &of) == child && status == 0);
  CHECK(of.ru_utime.tv_usec + of.ru_stime.tv_usec >= 3000);
  CHECK(getrusage(RUSAGE_CHILDREN, &of) == 0 && of.ru_utime.tv_usec + of.ru_stime.tv_usec >= 3000);
}

static volatile sig_atomic_t heard;
static void hear(int signo) { heard++; }

BEHAVIOUR(waiting_for_children_that_leave_nothing) {
  struct sigaction action = {.sa_handler = hear, .sa_flags = SA_NOCLDWAIT};
  for (int ignored = 0; ignored < 2; ignored++) {
    if (ignored) action.sa_handler = SIG_IGN;
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    heard = 0;
    for (int how = 0; how < 4; how++) {
      siginfo_t info;
      pid_t child = fork();
      if (child == 0) {
        if (how == 3) setpgid(0, 0);
        sched_yield();
        _exit(3);
      }
      if (how == 3) setpgid(child, child);
      if (how == 0) FAILS(wait(NULL), ECHILD);
      if (how == 1) FAILS(waitpid(child, NULL, 0), ECHILD);
      if (how == 2) FAILS(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
      if (how == 3) FAILS(waitid(P_PGID, child, &info, WEXITED), ECHILD);
    }
    CHECK(heard == (ignored ? 0 : 4));
  }
}

BEHAVIOUR(a_child_that_has_ended_counts_more_than_its_signal) {
  struct sigaction action = {.sa_handler = hear};
  CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
  heard = 0;
  for (int i = 0; i < 5; i++) {
    pid_t child = fork();
    if (child == 0) _exit(i);
    reap(child, i);
  }
  CHECK(heard == 5);
}

static pid_t clone_as(const void *ids, size_t count) {
  struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; } how = {
      .exit_signal = SIGCHLD, .set_tid = (uintptr_t)ids, .set_tid_size = count};
  pid_t child = syscall(SYS_clone3, &how, sizeof how);
  if (child == 0) _exit(getpid() == *(const pid_t *)ids ? 7 : 8);
  return child;
}

BEHAVIOUR(a_child_may_have_the_id_that_root_asks_for) {
  pid_t ids[40] = {0};
  FAILS(clone_as(ids, 33), EINVAL);
  FAILS(clone_as(ids, 0), EINVAL);
  FAILS(clone_as(NULL, 1), EINVAL);
  FAILS(clone_as((void *)16, 1), EFAULT);
  for (pid_t bad = -1; bad < 1; bad++) {
    ids[0] = bad;
    FAILS(clone_as(ids, 1), EINVAL);
  }
  ids[0] = 1 << 22;
  FAILS(clone_as(ids, 1), EINVAL);
  ids[0] = getpid();
  if (geteuid() != 0) {
    FAILS(clone_as(ids, 1), EPERM);
    return;
  }
  FAILS(clone_as(ids, 1), EEXIST);
  pid_t child = fork();
  if (child == 0) _exit(0);
  reap(child, 0);
  ids[0] = child;
  CHECK(clone_as(ids, 1) == child);
  reap(child, 7);
}

static long spent_by_children(void) {
  struct rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  return used.ru_utime.tv_sec * 1000000L + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static void work(void) {
  struct timespec now;
  do
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  while (now.tv_sec == 0 && now.tv_nsec < 30000000);
  _exit(0);
}

BEHAVIOUR(time_of_children_counts_when_they_are_waited_for) {
  signal(SIGCHLD, SIG_IGN);
  if (fork() == 0) work();
  FAILS(wait(NULL), ECHILD);
  CHECK(spent_by_children() == 0);
  signal(SIGCHLD, SIG_DFL);
  if (fork() == 0) work();
  CHECK(wait(NULL) > 0 && spent_by_children() >= 20000);
}

/* A number of /proc/self/io, or of another of its files. */
static long long counted(const char *name) {
  const char *at = strstr(contents("/proc/self/io"), name);
  CHECK(at != NULL);
  return strtoll(at + strlen(name), NULL, 10);
}

BEHAVIOUR(what_calls_move_is_counted) {
  char room[1000];
  int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), ends[2];
  struct iovec two[2] = {{room, 10}, {room, 20}};
  long long before = counted("wchar: "), calls = counted("syscw: "), reads = counted("syscr: ");
  for (int i = 0; i < 10; i++) CHECK(write(null, room, 1000) == 1000);
  CHECK(writev(null, two, 2) == 30 && pwrite(null, room, 5, 0) == 5);
  CHECK(counted("wchar: ") == before + 10035 && counted("syscw: ") == calls + 12);
  /* The text itself is read by two calls. */
  long long a = counted("syscr: "), b = counted("syscr: ");
  CHECK(b == a + 2 && a > reads);
  CHECK(read(zero, room, 1000) == 1000 && readv(zero, two, 2) == 30);
  CHECK(counted("syscr: ") == b + 4);
  /* Messages of sockets are not counted, and children when they are waited for. */
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
  before = counted("wchar: ");
  CHECK(send(ends[0], room, 100, 0) == 100 && recv(ends[1], room, 100, 0) == 100 && counted("wchar: ") == before);
  if (fork() == 0) {
    CHECK(write(null, room, 700) == 700);
    _exit(0);
  }
  CHECK(wait(NULL) > 0 && counted("wchar: ") == before + 700);
}

static void touch_pages(void) {
  char *pages = mmap(NULL, 100 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 100; i++) pages[i * 4096] = 1;
}

BEHAVIOUR(pages_that_are_touched_are_counted) {
  struct rusage before, after, of_child;
  CHECK(getrusage(RUSAGE_SELF, &before) == 0 && before.ru_minflt > 0);
  touch_pages();
  CHECK(getrusage(RUSAGE_SELF, &after) == 0);
  CHECK(after.ru_minflt - before.ru_minflt >= 100 && after.ru_minflt - before.ru_minflt < 200);
  CHECK(getrusage(RUSAGE_CHILDREN, &after) == 0 && after.ru_minflt == 0);
  pid_t child = fork();
  if (child == 0) {
    touch_pages();
    _exit(0);
  }
  CHECK(wait4(child, NULL, 0, &of_child) == child && of_child.ru_minflt >= 100);
  CHECK(getrusage(RUSAGE_CHILDREN, &after) == 0 && after.ru_minflt == of_child.ru_minflt);
  unsigned long own, childs;
  const char *status = strrchr(contents("/proc/self/stat"), ')');
  CHECK(sscanf(status + 2, "%*c %*d %*d %*d %*d %*d %*u %lu %lu", &own, &childs) == 2);
  CHECK((long)own >= before.ru_minflt + 100 && (long)childs == after.ru_minflt);
}
static int told;
static void tells(int signo, siginfo_t *info, void *context) {
  (void)context;
  int words[3] = {signo, info->si_code, info->si_pid};
  (void)!write(told, words, sizeof words);
}
BEHAVIOUR(the_kernel_wakes_who_is_left_stopped) {
  int ends[2], words[3];
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    pid_t stopped = fork();
    if (stopped == 0) {
      told = ends[1];
      struct sigaction action = {.sa_sigaction = tells, .sa_flags = SA_SIGINFO};
      sigaction(SIGHUP, &action, NULL);
      sigaction(SIGCONT, &action, NULL);
      raise(SIGSTOP);
      usleep(1000);
      _exit(0);
    }
    waitpid(stopped, NULL, WUNTRACED);
    _exit(0);
  }
  close(ends[1]);
  int seen = 0;
  while (read(ends[0], words, sizeof words) == sizeof words) {
    CHECK(words[1] == SI_KERNEL && words[2] == 0);
    seen |= words[0] == SIGHUP ? 1 : words[0] == SIGCONT ? 2 : 4;
  }
  CHECK(seen == 3 && waitpid(child, NULL, 0) == child);
  close(ends[0]);
}
