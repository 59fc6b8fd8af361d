/* What a program can find out about itself and the machine, mostly from /proc, /sys and /dev. */
#include "behaviour.h"
#include <ctype.h>
#include <dirent.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <netinet/in.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/utsname.h>

BEHAVIOUR(identity) {
  CHECK(getuid() == geteuid() && getgid() == getegid());
  CHECK(field("/proc/self/status", "Pid") == getpid() && field("/proc/self/status", "PPid") == getppid());
  CHECK(field("/proc/self/status", "Uid") == (long)getuid() && field("/proc/self/status", "Gid") == (long)getgid());
  CHECK(field("/proc/self/status", "Threads") == 1);
}

BEHAVIOUR(owners_and_groups_that_are_nobody) {
  struct f_owner_ex owner = {F_OWNER_PID, 0};
  FAILS(fcntl(0, F_SETOWN, 0x3ffffe), ESRCH);
  CHECK(fcntl(0, F_SETOWN, getpid()) == 0 && fcntl(0, F_GETOWN) == getpid());
  CHECK(fcntl(0, F_SETOWN_EX, &owner) == 0 && fcntl(0, F_GETOWN) == 0);
  FAILS(setpgid(-1, 0), EINVAL);
  FAILS(setpgid(0x3ffffe, 0), ESRCH);
}

/*
 * A process must say first that it will ask for barriers among its own threads, for those that code is read anew behind apart from
 * others, and a new program says so again.
 */
BEHAVIOUR(random_numbers_up_to_where_memory_ends) {
  size_t page = sysconf(_SC_PAGESIZE);
  char *at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED && munmap(at + page, page) == 0);
  CHECK(syscall(SYS_getrandom, at + page - 12, 16, 0) == 12);
  FAILS(syscall(SYS_getrandom, at + page, 16, 0), EFAULT);
  CHECK(syscall(SYS_getrandom, at + page, 0, 0) == 0);
}

BEHAVIOUR(memory_barriers) {
  enum { QUERY, PRIVATE = 8, REGISTERED = 16, PRIVATE_CODE = 32, CODE_REGISTERED = 64, ALL = 127 };
  CHECK((syscall(SYS_membarrier, QUERY, 0, 0) & ALL) == ALL);
  FAILS(syscall(SYS_membarrier, PRIVATE, 0, 0), EPERM);
  FAILS(syscall(SYS_membarrier, PRIVATE_CODE, 0, 0), EPERM);
  CHECK(syscall(SYS_membarrier, CODE_REGISTERED, 0, 0) == 0 && syscall(SYS_membarrier, PRIVATE_CODE, 0, 0) == 0);
  FAILS(syscall(SYS_membarrier, PRIVATE, 0, 0), EPERM);
  CHECK(syscall(SYS_membarrier, REGISTERED, 0, 0) == 0 && syscall(SYS_membarrier, PRIVATE, 0, 0) == 0);
  FAILS(syscall(SYS_membarrier, PRIVATE | REGISTERED, 0, 0), EINVAL);
}

BEHAVIOUR(stat_of_a_process) {
  int pid, ppid, group, session;
  char comm[32], state;
  CHECK(sscanf(contents("/proc/self/stat"), "%d (%31[^)]) %c %d %d %d", &pid, comm, &state, &ppid, &group, &session) == 6);
  CHECK(pid == getpid() && ppid == getppid() && group == getpgrp() && session == getsid(0) && state == 'R');
  int words = 0;
  for (char *at = strtok(contents("/proc/self/stat"), " \n"); at; at = strtok(NULL, " \n")) words++;
  CHECK(words >= 52);
  long long start = 0;
  struct timespec now;
  char *after = strrchr(contents("/proc/self/stat"), ')');
  CHECK(sscanf(after + 2, "%*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld", &start) == 1);
  CHECK(clock_gettime(CLOCK_BOOTTIME, &now) == 0 && start > 0 && start <= now.tv_sec * 100 + now.tv_nsec / 10000000);
}

/* The rest of the line behind `before` in a table that has `inode` as a word; NULL where there is none. */
static char *row(const char *table, unsigned long inode) {
  char word[32];
  sprintf(word, " %lu", inode);
  for (char *line = strtok(contents(table), "\n"); line; line = strtok(NULL, "\n")) {
    char *at = strstr(line, word);
    if (at && (at[strlen(word)] == ' ' || at[strlen(word)] == 0)) return line;
  }
  return NULL;
}

static unsigned long inode_of(int fd) {
  struct stat st;
  CHECK(fstat(fd, &st) == 0);
  return st.st_ino;
}

BEHAVIOUR(tables_of_sockets) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, from;
  struct sockaddr_un name = {AF_UNIX, "a socket"};
  socklen_t length = sizeof at;
  char expected[128], *line;
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = socket(AF_INET, SOCK_STREAM, 0), two;
  CHECK(bind(listener, (void *)&at, sizeof at) == 0 && row("/proc/net/tcp", inode_of(listener)) == NULL);
  CHECK(listen(listener, 5) == 0 && getsockname(listener, (void *)&at, &length) == 0);
  CHECK(connect(one, (void *)&at, sizeof at) == 0 && getsockname(one, (void *)&from, &length) == 0);
  sprintf(expected, ": %08X:%04X 00000000:0000 0A 00000000:00000001 ", at.sin_addr.s_addr, ntohs(at.sin_port));
  CHECK((line = row("/proc/net/tcp", inode_of(listener))) && strstr(line, expected) && strlen(line) == 149);
  CHECK((two = accept(listener, NULL, NULL)) >= 0 && write(one, "three", 5) == 5);
  sprintf(expected, ": %08X:%04X %08X:%04X 01 00000000:00000005 ", at.sin_addr.s_addr, ntohs(at.sin_port),
          from.sin_addr.s_addr, ntohs(from.sin_port));
  CHECK((line = row("/proc/self/net/tcp", inode_of(two))) && strstr(line, expected));
  CHECK(close(one) == 0 && (line = row("/proc/net/tcp", inode_of(two))) && strstr(line, " 08 "));
  int six = socket(AF_INET6, SOCK_DGRAM, 0);
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  CHECK(row("/proc/net/udp6", inode_of(six)) == NULL && bind(six, (void *)&any, sizeof any) == 0);
  sprintf(expected, ": 0000000000000000%08X%08X:", 0, htonl(1));
  CHECK((line = row("/proc/net/udp6", inode_of(six))) && strstr(line, expected) && strstr(line, " 07 "));
  int here = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
  CHECK(bind(here, (void *)&name, sizeof name) == 0 && listen(here, 1) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
  CHECK((line = row("/proc/net/unix", inode_of(here))) && strstr(line, ": 00000002 00000000 00010000 0001 01 "));
  CHECK(strcmp(line + strlen(line) - 9, " a socket") == 0);
  CHECK((line = row("/proc/net/unix", inode_of(pair[0]))) && strstr(line, ": 00000003 00000000 00000000 0002 03 "));
  CHECK(close(pair[0]) == 0 && close(pair[1]) == 0 && strstr(contents("/proc/net/sockstat"), "sockets: used "));
}

BEHAVIOUR(stat_of_a_child) {
  int ends[2];
  char c, path[64], state;
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NAME, "a (b) c");
    write(ends[1], "x", 1);
    for (;;) pause();
  }
  CHECK(read(ends[0], &c, 1) == 1);
  sprintf(path, "/proc/%d/stat", child);
  CHECK(sscanf(contents(path), "%*d (a (b) c) %c", &state) == 1);
  sprintf(path, "/proc/%d/comm", child);
  CHECK(strcmp(contents(path), "a (b) c\n") == 0 && kill(child, SIGKILL) == 0);
  siginfo_t info;
  CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
  sprintf(path, "/proc/%d/stat", child);
  CHECK(sscanf(contents(path), "%*d (a (b) c) %c", &state) == 1 && state == 'Z');
  CHECK(waitpid(child, NULL, 0) == child);
  FAILS(open(path, O_RDONLY), ENOENT);
}

BEHAVIOUR(command_line_and_environment) {
  char *line = contents("/proc/self/cmdline");
  CHECK(strlen(line) > 0);
  setenv("ADDED", "later", 1);
  CHECK(strstr(contents("/proc/self/environ"), "ADDED") == NULL);
}

BEHAVIOUR(links_of_a_process) {
  char path[PATH_MAX], here[PATH_MAX];
  struct stat one, two;
  CHECK(stat("/proc/self/exe", &one) == 0 && S_ISREG(one.st_mode));
  ssize_t n = readlink("/proc/self/cwd", path, sizeof path - 1);
  CHECK(n > 0 && getcwd(here, sizeof here));
  path[n] = 0;
  CHECK(strcmp(path, here) == 0);
  int fd = file_with("a", "x");
  sprintf(path, "/proc/self/fd/%d", fd);
  CHECK(stat(path, &one) == 0 && fstat(fd, &two) == 0 && one.st_ino == two.st_ino);
  n = readlink(path, path, sizeof path - 1);
  path[n] = 0;
  strcat(here, "/a");
  CHECK(strcmp(path, here) == 0);
  n = readlink("/proc/self", path, sizeof path - 1);
  path[n] = 0;
  CHECK(atoi(path) == getpid());
}

/* Its links say by their modes what the descriptions are good for. */
BEHAVIOUR(modes_of_descriptors_in_proc) {
  int opened[] = {open("a", O_RDWR | O_CREAT, 0600), open("a", O_RDONLY), open("a", O_WRONLY), open("a", O_PATH)};
  int expected[] = {0700, 0500, 0300, 0}, ends[2];
  char path[64];
  struct stat st;
  for (int i = 0; i < 4; i++) {
    sprintf(path, "/proc/self/fd/%d", opened[i]);
    CHECK(lstat(path, &st) == 0 && st.st_mode == (S_IFLNK | expected[i]) && st.st_size == 64);
  }
  CHECK(pipe(ends) == 0);
  sprintf(path, "/proc/self/fd/%d", ends[1]);
  CHECK(lstat(path, &st) == 0 && st.st_mode == (S_IFLNK | 0300));
  CHECK(lstat("/proc/self/exe", &st) == 0 && st.st_mode == (S_IFLNK | 0777) && st.st_size == 0);
}

BEHAVIOUR(descriptors_in_proc) {
  int fd = file_with("a", "0123456789");
  char path[64];
  CHECK(lseek(fd, 7, SEEK_SET) == 7 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
  sprintf(path, "/proc/self/fdinfo/%d", fd);
  CHECK(field(path, "pos") == 7);
  CHECK((field(path, "flags") & (O_ACCMODE | O_CLOEXEC)) == (O_RDWR | O_CLOEXEC));
  DIR *folder = opendir("/proc/self/fd");
  struct dirent *entry;
  int found = 0;
  while ((entry = readdir(folder))) found += isdigit(entry->d_name[0]) && atoi(entry->d_name) == fd;
  CHECK(found == 1);
}

BEHAVIOUR(auxiliary_vector) {
  unsigned long pairs[128];
  int fd = open("/proc/self/auxv", O_RDONLY), found = 0;
  ssize_t n = read(fd, pairs, sizeof pairs);
  CHECK(n > 0 && n % (2 * sizeof(long)) == 0);
  for (unsigned i = 0; i < n / sizeof(long); i += 2) {
    if (pairs[i] == AT_PAGESZ) found += pairs[i + 1] == (unsigned long)sysconf(_SC_PAGESIZE);
    if (pairs[i] == AT_PHDR) found += pairs[i + 1] == getauxval(AT_PHDR);
  }
  CHECK(found == 2);
}

BEHAVIOUR(names_of_the_system) {
  struct utsname names;
  CHECK(uname(&names) == 0 && strcmp(names.sysname, "Linux") == 0);
  CHECK(strncmp(contents("/proc/sys/kernel/osrelease"), names.release, strlen(names.release)) == 0);
  CHECK(strncmp(contents("/proc/sys/kernel/ostype"), "Linux\n", 6) == 0);
  CHECK(strncmp(contents("/proc/sys/kernel/hostname"), names.nodename, strlen(names.nodename)) == 0);
  CHECK(strncmp(contents("/proc/version"), "Linux version ", 14) == 0);
}

BEHAVIOUR(memory_in_numbers) {
  struct sysinfo info;
  CHECK(sysinfo(&info) == 0 && info.totalram > 0 && info.mem_unit > 0);
  CHECK(field("/proc/meminfo", "MemTotal") > 0 && field("/proc/meminfo", "MemFree") > 0);
  CHECK(field("/proc/meminfo", "MemAvailable") > 0);
  long before = field("/proc/self/status", "VmRSS"), size;
  char *at = malloc(8 << 20);
  memset(at, 1, 8 << 20);
  CHECK(field("/proc/self/status", "VmRSS") >= before + 8000 && field("/proc/self/status", "VmSize") >= before + 8192);
  long resident, rest = sscanf(contents("/proc/self/statm"), "%ld %ld", &size, &resident);
  CHECK(rest == 2 && size >= resident && resident * (sysconf(_SC_PAGESIZE) / 1024) >= before + 8000);
  CHECK(field("/proc/self/smaps_rollup", "Rss") >= before + 8000);
}

/* What the lines of /proc/self/maps add up to is the size that /proc/self/status and statm tell. */
BEHAVIOUR(size_is_that_of_the_mappings) {
  unsigned long from, to, all = 0, pages;
  long size = field("/proc/self/status", "VmSize");
  for (char *line = contents("/proc/self/maps"); line && *line; line = strchr(line, '\n'), line += line != NULL) {
    char *name = strchr(line, '['), *end = strchr(line, '\n');
    CHECK(sscanf(line, "%lx-%lx", &from, &to) == 2);
    if (!name || name > end || strncmp(name, "[vsyscall]", 10) != 0) all += to - from;
  }
  CHECK(all == (unsigned long)size * 1024 && field("/proc/self/status", "VmPeak") >= size);
  CHECK(sscanf(contents("/proc/self/statm"), "%lu", &pages) == 1 && pages * sysconf(_SC_PAGESIZE) == all);
  CHECK(field("/proc/meminfo", "MemFree") <= field("/proc/meminfo", "MemTotal"));
  CHECK(field("/proc/meminfo", "SwapFree") <= field("/proc/meminfo", "SwapTotal"));
}

/* The set of signals behind `name:`. */
static unsigned long long signals_of(const char *name) {
  char line[16];
  sprintf(line, "\n%s:\t", name);
  char *at = strstr(contents("/proc/self/status"), line);
  CHECK(at != NULL);
  return strtoull(at + strlen(line), NULL, 16);
}
static void hear(int signo) {}

BEHAVIOUR(signals_of_a_process) {
#define BIT(signo) (1ull << ((signo)-1))
  for (int signo = 1; signo < 32; signo++) signal(signo, SIG_DFL);
  CHECK(signals_of("SigIgn") == 0 && signals_of("SigCgt") == 0);
  signal(SIGHUP, SIG_IGN), signal(SIGUSR1, SIG_IGN), signal(SIGUSR2, hear), signal(SIGRTMAX, hear);
  CHECK(signals_of("SigIgn") == (BIT(SIGHUP) | BIT(SIGUSR1)));
  CHECK(signals_of("SigCgt") == (BIT(SIGUSR2) | BIT(SIGRTMAX)));
  sigset_t set;
  sigemptyset(&set), sigaddset(&set, SIGUSR2), sigaddset(&set, SIGRTMAX);
  CHECK(sigprocmask(SIG_SETMASK, &set, NULL) == 0 && kill(getpid(), SIGRTMAX) == 0);
  CHECK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2) == 0);
  CHECK(signals_of("SigBlk") == (BIT(SIGUSR2) | BIT(SIGRTMAX)));
  CHECK(signals_of("SigPnd") == BIT(SIGUSR2) && signals_of("ShdPnd") == BIT(SIGRTMAX));
}

BEHAVIOUR(processors) {
  char *online = contents("/sys/devices/system/cpu/online");
  CHECK(isdigit(online[0]) && strchr(online, '\n'));
  CHECK(isdigit(contents("/sys/devices/system/cpu/possible")[0]));
  CHECK(isdigit(contents("/sys/devices/system/cpu/present")[0]));
  CHECK(get_nprocs() >= 1 && get_nprocs_conf() >= get_nprocs() && sysconf(_SC_NPROCESSORS_ONLN) == get_nprocs());
  int count = 0;
  for (char *at = contents("/proc/cpuinfo"); (at = strstr(at, "processor\t:")); at++) count++;
  CHECK(count == get_nprocs());
  // Of powerpc, that of 64-bit processors.
  char *summary = strstr(contents("/proc/cpuinfo"), "timebase\t:");
  CHECK(!summary || (strstr(summary, "\nMMU\t\t: Radix\n") || strstr(summary, "\nMMU\t\t: Hash\n")));
  cpu_set_t set;
  CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) >= 1);
  char *text = contents("/proc/stat");
  CHECK(strncmp(text, "cpu ", 4) == 0 && strstr(text, "\nbtime ") && strstr(text, "\nctxt ") && strstr(text, "\ncpu0 "));
}

/* The first CPU of a thread's list in /proc, which has no other then; -1 where it has more. */
static int only_cpu(const char *status) {
  char *end, *at = strstr(contents(status), "Cpus_allowed_list:\t");
  CHECK(at);
  long cpu = strtol(at + 19, &end, 10);
  return *end == '\n' ? cpu : -1;
}

static void *find_cpu(void *result) {
  cpu_set_t set;
  CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1);
  *(int *)result = only_cpu("/proc/thread-self/status");
  CHECK(CPU_ISSET(*(int *)result, &set));
  return NULL;
}

#ifdef __powerpc64__
static unsigned long dscr(void) {
  unsigned long value;
  __asm__ volatile("mfspr %0,3" : "=r"(value));
  return value;
}
static void set_dscr(unsigned long value) { __asm__ volatile("mtspr 3,%0" : : "r"(value)); }
#endif
BEHAVIOUR(a_default_of_the_dscr) {
#ifdef __powerpc64__
  int fd = open("/sys/devices/system/cpu/dscr_default", O_RDWR), ready[2];
  char text[16] = "", end;
  CHECK(read(fd, text, 15) == 2 && strcmp(text, "0\n") == 0 && dscr() == 0);
  CHECK(pipe(ready) == 0);
  pid_t child = fork();
  if (child == 0) {
    close(ready[1]);
    read(ready[0], &end, 1);
    _exit(dscr());
  }
  CHECK(write(fd, "0x1f\n", 5) == 5 && dscr() == 31);
  CHECK(strcmp(contents("/sys/devices/system/cpu/cpu0/dscr"), "1f\n") == 0);
  close(ready[1]);
  reap(child, 31);
  /* One that has set its own keeps it. */
  set_dscr(9);
  CHECK(write(fd, " 3", 2) == 2 && dscr() == 9);
  FAILS(write(fd, "x", 1), EINVAL);
  CHECK(write(fd, "0", 1) == 1);
#endif
}
BEHAVIOUR(the_dscr_stays_over_exec) {
#ifdef __powerpc64__
  if (getenv("DSCR")) {
    CHECK(dscr() == 11);
    return;
  }
  set_dscr(11);
  CHECK(setenv("DSCR", "set", 1) == 0);
  execl("/proc/self/exe", "behaviours", "system/the_dscr_stays_over_exec", NULL);
  CHECK(0);
#endif
}

BEHAVIOUR(affinity_is_kept) {
  cpu_set_t all, one, set;
  int cpu = CPU_SETSIZE - 1, found = -1;
  CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
  while (!CPU_ISSET(cpu, &all)) cpu--;
  CPU_ZERO(&one);
  FAILS(sched_setaffinity(0, sizeof one, &one), EINVAL);
  CPU_SET(cpu, &one);
  pid_t child = fork();
  if (child == 0)
    for (;;) pause();
  CHECK(sched_setaffinity(child, sizeof one, &one) == 0);
  CHECK(sched_getaffinity(child, sizeof set, &set) == 0 && CPU_EQUAL(&set, &one));
  CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_EQUAL(&set, &all));
  CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
  CHECK(sched_setaffinity(0, sizeof one, &one) == 0 && sched_getcpu() == cpu);
  CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_EQUAL(&set, &one));
  CHECK(only_cpu("/proc/self/status") == cpu);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, find_cpu, &found) == 0 && pthread_join(thread, NULL) == 0 && found == cpu);
  child = fork();
  if (child == 0) _exit(sched_getcpu() == cpu && only_cpu("/proc/self/status") == cpu ? 7 : 1);
  reap(child, 7);
  CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
  FAILS(sched_getaffinity(-1, sizeof set, &set), ESRCH);
  FAILS(sched_setaffinity(-1, sizeof set, &set), ESRCH);
  FAILS(sched_getscheduler(-1), EINVAL);
  FAILS(syscall(SYS_sched_getaffinity, 0, 0, &set), EINVAL);
}

BEHAVIOUR(uptime_and_load) {
  double up, idle, one, five, fifteen;
  int running, tasks;
  CHECK(sscanf(contents("/proc/uptime"), "%lf %lf", &up, &idle) == 2 && up > 0);
  CHECK(sscanf(contents("/proc/loadavg"), "%lf %lf %lf %d/%d", &one, &five, &fifteen, &running, &tasks) == 5);
  CHECK(tasks >= running && running >= 1);
}

BEHAVIOUR(limits_in_proc) {
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  char *line = strstr(contents("/proc/self/limits"), "Max open files");
  CHECK(line && (rlim_t)atol(line + 26) == limit.rlim_cur);
}

BEHAVIOUR(mounts_in_proc) {
  char *text = contents("/proc/self/mounts");
  CHECK(strstr(text, " / ") && strstr(text, "proc /proc proc "));
  CHECK(strstr(contents("/proc/self/mountinfo"), " / "));
  CHECK(strstr(contents("/proc/filesystems"), "proc"));
  struct statvfs fs;
  CHECK(statvfs(".", &fs) == 0 && fs.f_bsize > 0);
}

BEHAVIOUR(a_name_can_be_written) {
  int fd = open("/proc/self/comm", O_WRONLY);
  CHECK(fd >= 0 && write(fd, "renamed", 7) == 7);
  close(fd);
  char name[16];
  CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "renamed") == 0);
  CHECK(strcmp(contents("/proc/self/comm"), "renamed\n") == 0);
  fd = open("/proc/self/oom_score_adj", O_RDWR);
  CHECK(fd >= 0 && write(fd, "500", 3) == 3 && atoi(contents("/proc/self/oom_score_adj")) == 500);
}

BEHAVIOUR(own_memory_as_a_file) {
  static volatile char here[16] = "find me";
  char got[8];
  int fd = open("/proc/self/mem", O_RDWR);
  CHECK(fd >= 0 && pread(fd, got, 8, (off_t)(uintptr_t)here) == 8 && strcmp(got, "find me") == 0);
  CHECK(pwrite(fd, "F", 1, (off_t)(uintptr_t)here) == 1 && here[0] == 'F');
  /* As debuggers write breakpoints: where the program itself may only read. */
  volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pwrite64(fd, "P", 1, (uintptr_t)page) == 1 && page[0] == 'P');
  FAILS(pread(fd, got, 8, 16), EIO);
}

BEHAVIOUR(devices) {
  char b[64];
  memset(b, 1, sizeof b);
  int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY), full = open("/dev/full", O_WRONLY);
  int random = open("/dev/urandom", O_RDONLY), any = 0;
  CHECK(read(null, b, 1) == 0 && write(null, b, 64) == 64);
  CHECK(read(zero, b, 64) == 64 && b[0] == 0 && b[63] == 0);
  FAILS(write(full, b, 1), ENOSPC);
  CHECK(read(random, b, 64) == 64);
  for (int i = 0; i < 64; i++) any |= b[i];
  struct stat st;
  CHECK(any && fstat(null, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0x103);
  FAILS(open("/dev/no-such-device", O_RDONLY), ENOENT);
}

BEHAVIOUR(threads_in_proc) {
  DIR *folder = opendir("/proc/self/task");
  struct dirent *entry;
  int threads = 0;
  while ((entry = readdir(folder))) threads += isdigit(entry->d_name[0]) && atoi(entry->d_name) == getpid();
  CHECK(threads == 1 && access("/proc/thread-self/status", R_OK) == 0);
  FAILS(open("/proc/self/task/999999/comm", O_RDONLY), ENOENT);
}

BEHAVIOUR(system_settings) {
  CHECK(atol(contents("/proc/sys/kernel/pid_max")) >= 32768 && atol(contents("/proc/sys/fs/file-max")) > 0);
  CHECK(atol(contents("/proc/sys/vm/max_map_count")) >= 65530);
  CHECK(strlen(contents("/proc/sys/kernel/random/boot_id")) == 37);
  CHECK(strlen(contents("/proc/sys/kernel/random/uuid")) == 37);
  CHECK(atoi(contents("/proc/sys/vm/overcommit_memory")) <= 2);
}

BEHAVIOUR(settings_of_the_network) {
  CHECK(atoi(contents("/proc/sys/net/core/somaxconn")) == 4096);
  CHECK(atoi(contents("/proc/sys/net/ipv4/ip_default_ttl")) == 64);
  CHECK(atoi(contents("/proc/sys/net/ipv4/ip_unprivileged_port_start")) <= 1024);
  CHECK(atoi(contents("/proc/sys/net/ipv6/conf/lo/disable_ipv6")) == 0);
  CHECK(atoi(contents("/proc/sys/kernel/overflowuid")) == 65534 && atoi(contents("/proc/sys/fs/aio-nr")) >= 0);
  CHECK(atoi(contents("/proc/sys/user/max_user_namespaces")) >= 0 && atoi(contents("/proc/sys/kernel/pty/nr")) >= 0);
  CHECK(geteuid() == 0 || (open("/proc/sys/net/core/somaxconn", O_WRONLY) == -1 && errno == EACCES));
}

/* A counter of /proc/net/snmp. */
static long counter(const char *protocol, const char *name) {
  char head[80], *line, *names, *values;
  sprintf(head, "%s: ", protocol);
  line = strstr(contents("/proc/net/snmp"), head);
  CHECK(line && (names = line + strlen(head)) && (values = strstr(names, head)));
  values += strlen(head);
  for (char *at = names; at < values; at += strcspn(at, " \n") + 1) {
    if (strncmp(at, name, strlen(name)) == 0 && strchr(" \n", at[strlen(name)])) return atol(values);
    values += strcspn(values, " ") + 1;
  }
  CHECK(0);
}

BEHAVIOUR(connections_are_counted) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (void *)&name, length) == 0 && listen(listener, 1) == 0);
  CHECK(getsockname(listener, (void *)&name, &length) == 0);
  CHECK(connect(fd, (void *)&name, length) == 0);
  CHECK(counter("Ip", "DefaultTTL") == 64 && counter("Tcp", "RtoMin") == 200 && counter("Tcp", "CurrEstab") >= 2);
  CHECK(counter("Udp", "NoPorts") >= 0);
}

BEHAVIOUR(idle_time_never_falls) {
  double last = 0;
  for (int i = 0; i < 40; i++) {
    double all, idle;
    CHECK(sscanf(contents("/proc/uptime"), "%lf %lf", &all, &idle) == 2 && idle >= last);
    last = idle;
    for (volatile int spin = 0; spin < 20000; spin++) continue;
  }
}

BEHAVIOUR(descriptors_tell_of_themselves) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  int event = eventfd(5, 0), epoll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0), fds[7];
  struct epoll_event interest = {.events = EPOLLIN, .data.u64 = 0xabc};
  struct itimerspec every = {{7, 0}, {1000, 0}};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &interest) == 0 && timerfd_settime(timer, 0, &every, NULL) == 0);
  int posix = file_with("posix", "0123456789"), whole = file_with("whole", ""), ofd = file_with("ofd", "0123456789");
  struct flock lock = {.l_type = F_WRLCK, .l_start = 2, .l_len = 3}, rest = {.l_type = F_RDLCK, .l_start = 5};
  CHECK(fcntl(posix, F_SETLK, &lock) == 0 && flock(whole, LOCK_SH) == 0 && fcntl(ofd, F_OFD_SETLK, &rest) == 0);
  struct {
    int fd;
    const char *text;
  } told[] = {
      {event, "eventfd-count:                5\n"},
      {signalfd(-1, &set, 0), "sigmask:\t0000000000000200\n"},
      {timer, "it_interval: (7, 0)\n"},
      {epoll, "data:              abc"},
      {posix, "POSIX  ADVISORY  WRITE"},
      {posix, " 2 4\n"},
      {whole, "FLOCK  ADVISORY  READ"},
      {ofd, "OFDLCK ADVISORY  READ -1"},
      {ofd, " 5 EOF\n"},
  };
  for (unsigned i = 0; i < sizeof told / sizeof *told; i++) {
    char path[64];
    sprintf(path, "/proc/self/fdinfo/%d", told[i].fd);
    CHECK(strstr(contents(path), told[i].text));
  }
  CHECK(strstr(contents("/proc/locks"), "POSIX  ADVISORY  WRITE"));
}

BEHAVIOUR(what_is_left_of_a_process_that_has_gone) {
  char path[64], b[PATH_MAX];
  struct stat st;
  pid_t child = fork();
  if (child == 0)
    for (;;) pause();
  sprintf(path, "/proc/%d", child);
  CHECK(chdir(path) == 0);
  int folder = open(path, O_RDONLY | O_DIRECTORY), status = openat(folder, "status", O_RDONLY);
  CHECK(read(status, b, 5) == 5 && kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
  FAILS(pread(status, b, 5, 0), ESRCH);
  CHECK(fstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && openat(folder, "status", O_RDONLY) == -1);
  FAILS(syscall(SYS_getcwd, b, sizeof b), ENOENT);
}

BEHAVIOUR(namespaces_as_descriptors) {
  struct stat status, again;
  char target[64] = {0}, expected[64];
  CHECK(stat("/proc/self/ns/net", &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0777) == 0444);
  CHECK(readlink("/proc/self/ns/net", target, sizeof target - 1) > 0);
  sprintf(expected, "net:[%lu]", (unsigned long)status.st_ino);
  CHECK(strcmp(target, expected) == 0);
  CHECK(stat("/proc/self/ns/pid_for_children", &again) == 0 && again.st_ino != status.st_ino);
  int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0 && fstat(fd, &again) == 0 && again.st_ino == status.st_ino && again.st_dev == status.st_dev);
  FAILS(read(fd, target, 1), EINVAL);
  sprintf(target, "/proc/self/fd/%d", fd);
  CHECK(readlink(target, expected, 64) > 0 && memcmp(expected, "net:[", 5) == 0);
  CHECK(ioctl(fd, _IO(0xb7, 3)) == 0x40000000);
  FAILS(ioctl(fd, _IO(0xb7, 2)), EINVAL);
  FAILS(ioctl(fd, _IO(0xb7, 4), &status), EINVAL);
  int users = ioctl(fd, _IO(0xb7, 1));
  CHECK(users >= 0 && fstat(users, &again) == 0 && stat("/proc/self/ns/user", &status) == 0);
  CHECK(again.st_ino == status.st_ino);
  FAILS(ioctl(users, _IO(0xb7, 1)), EPERM);
  FAILS(ioctl(0, _IO(0xb7, 3)), ENOTTY);
}

BEHAVIOUR(proc_tells_of_pages) {
  int fd = open("/proc/self/pagemap", O_RDONLY);
  char *map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t entries[4];
  CHECK(fd >= 0 && map != MAP_FAILED);
  map[4096] = 1;
  off_t at = (off_t)((uintptr_t)map / 4096 * 8);
  CHECK(pread(fd, entries, 24, at) == 24);
  CHECK(!(entries[0] >> 63) && entries[1] >> 63 && !(entries[2] >> 63) && !(entries[1] >> 61 & 1));
  FAILS(pread(fd, entries, 12, at), EINVAL);
  FAILS(pread(fd, entries, 8, at + 4), EINVAL);
  CHECK(lseek(fd, at + 8, SEEK_SET) == at + 8 && read(fd, entries, 8) == 8 && entries[0] >> 63);
  char line[64];
  sprintf(line, "%08lx default anon=1 dirty=1 active=0 N0=1 kernelpagesize_kB=4\n", (long)map);
  CHECK(munmap(map + 8192, 4096) == 0 && munmap(map, 4096) == 0);
  sprintf(line, "%08lx default anon=1 dirty=1 ", (long)map + 4096);
  CHECK(strstr(contents("/proc/self/numa_maps"), line) != NULL);
  int file = file_with("mapped", "text");
  char name[60], path[PATH_MAX], link[PATH_MAX];
  map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
  sprintf(name, "/proc/self/map_files/%lx-%lx", (long)map, (long)map + 4096);
  ssize_t length = readlink(name, link, sizeof link);
  CHECK(realpath("mapped", path) != NULL && length == (ssize_t)strlen(path) && memcmp(link, path, length) == 0);
}

BEHAVIOUR(proc_tells_of_waits_and_timers) {
  struct sigevent told = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value = {.sival_int = 0}};
  timer_t timer;
  int ends[2];
  char path[60], line[120], byte;
  sprintf(line, "%d 0x", SYS_read);
  CHECK(strncmp(contents("/proc/self/syscall"), line, strlen(line)) == 0);
  CHECK(contents("/proc/self/timers")[0] == 0);
  CHECK(timer_create(CLOCK_MONOTONIC, &told, &timer) == 0);
  sprintf(line, "notify: signal/pid.%d\nClockID: 1\n", (int)getpid());
  char *text = contents("/proc/self/timers");
  CHECK(strncmp(text, "ID: 0\nsignal: 10/", 17) == 0 && strstr(text, line) != NULL);
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) _exit(read(ends[0], &byte, 1) == 1 ? 7 : 8);
  sprintf(path, "/proc/%d/syscall", (int)child);
  sprintf(line, "%d 0x%x 0x%lx 0x1 ", SYS_read, ends[0], (long)&byte);
  while (strncmp(contents(path), line, strlen(line)) != 0) sched_yield();
  CHECK(write(ends[1], "x", 1) == 1);
  reap(child, 7);
  long own[3], one;
  CHECK(sscanf(contents("/proc/self/schedstat"), "%ld %ld %ld", own, own + 1, own + 2) == 3 && own[0] >= 0);
  sprintf(line, "(%d, #threads: 1)\n-----", (int)getpid());
  text = contents("/proc/self/sched");
  CHECK(strstr(text, line) != NULL);
  CHECK((text = strstr(text, "\npolicy ")) != NULL && sscanf(text, " policy : %ld", &one) == 1 && one == 0);
}

BEHAVIOUR(proc_tells_of_system_v_objects) {
  char line[60], *text;
  int shm = shmget(IPC_PRIVATE, 5000, 0640), sem = semget(IPC_PRIVATE, 3, 0600), msg = msgget(IPC_PRIVATE, 0644);
  struct { long type; char text[5]; } message = {1, "text"};
  CHECK(shm >= 0 && sem >= 0 && msg >= 0 && msgsnd(msg, &message, 5, 0) == 0);
  sprintf(line, "\n         0 %10d   640 ", shm);
  CHECK((text = strstr(contents("/proc/sysvipc/shm"), line)) != NULL);
  long size, creator, last, attached;
  CHECK(sscanf(text + strlen(line), "%ld %ld %ld %ld", &size, &creator, &last, &attached) == 4);
  CHECK(size == 5000 && creator == getpid() && last == 0 && attached == 0);
  sprintf(line, "\n         0 %10d   600          3 %5d %5d", sem, (int)geteuid(), (int)getegid());
  CHECK(strstr(contents("/proc/sysvipc/sem"), line) != NULL);
  sprintf(line, "\n         0 %10d   644           5          1 %5d     0", msg, (int)getpid());
  CHECK(strstr(contents("/proc/sysvipc/msg"), line) != NULL);
  CHECK(shmctl(shm, IPC_RMID, NULL) == 0 && semctl(sem, 0, IPC_RMID) == 0 && msgctl(msg, IPC_RMID, NULL) == 0);
  sprintf(line, "\n         0 %10d   644 ", msg);
  CHECK(strstr(contents("/proc/sysvipc/msg"), line) == NULL);
  CHECK(strncmp(contents("/proc/pressure/memory"), "some avg10=", 11) == 0);
}

/* struct ustat as the kernel has it; the C library has none any more. */
struct free_of_a_file_system {
  int blocks;
  unsigned long files;
  char name[6], pack[6];
};

BEHAVIOUR(file_systems_by_number_and_by_device) {
  char name[64];
  int count = syscall(SYS_sysfs, 3), found = 0;
  CHECK(count > 0);
  for (int i = 0; i < count; i++) {
    CHECK(syscall(SYS_sysfs, 2, i, name) == 0 && syscall(SYS_sysfs, 1, name) == i);
    found += strcmp(name, "proc") == 0;
  }
  CHECK(found == 1);
  FAILS(syscall(SYS_sysfs, 1, "no such file system"), EINVAL);
  FAILS(syscall(SYS_sysfs, 1, (char *)8), EFAULT);
  FAILS(syscall(SYS_sysfs, 2, count, name), EINVAL);
  FAILS(syscall(SYS_sysfs, 2, 0, (char *)8), EFAULT);
  FAILS(syscall(SYS_sysfs, 4, 0, name), EINVAL);

  struct stat status;
  struct statfs all;
  struct free_of_a_file_system some;
  CHECK(stat("/proc", &status) == 0);
  memset(&some, 0x55, sizeof some);
  CHECK(syscall(SYS_ustat, (unsigned)status.st_dev, &some) == 0 && some.blocks == 0 && some.files == 0);
  CHECK(some.name[0] == 0 && some.pack[5] == 0);
  CHECK(stat(".", &status) == 0 && statfs(".", &all) == 0);
  CHECK(syscall(SYS_ustat, (unsigned)status.st_dev, &some) == 0 && (some.files > 0) == (all.f_ffree > 0));
  FAILS(syscall(SYS_ustat, (unsigned)status.st_dev, (void *)8), EFAULT);
  FAILS(syscall(SYS_ustat, 0x1234567, &some), EINVAL);
}

BEHAVIOUR(when_a_file_was_made) {
  struct timespec before, after;
  struct statx of;
  CHECK(clock_gettime(CLOCK_REALTIME_COARSE, &before) == 0);
  int fd = file_with("made", "a");
  CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &of) == 0);
  /* Where the file system tells, and the host knows. */
  if (of.stx_mask & STATX_BTIME) {
    long long made = of.stx_btime.tv_sec;
    CHECK(made != 0 && of.stx_btime.tv_nsec < 1000000000);
    CHECK(write(fd, "b", 1) == 1 && fchmod(fd, 0600) == 0);
    CHECK(statx(AT_FDCWD, "made", 0, STATX_BTIME | STATX_BASIC_STATS, &of) == 0 && of.stx_btime.tv_sec == made);
    CHECK(of.stx_ctime.tv_sec >= made);
  }
  CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &of) == 0);
  int ends[2];
  CHECK(pipe(ends) == 0 && statx(ends[0], "", AT_EMPTY_PATH, STATX_BTIME, &of) == 0);
  CHECK(!(of.stx_mask & STATX_BTIME) && of.stx_btime.tv_sec == 0);
  CHECK(statx(AT_FDCWD, "/proc/self/status", 0, STATX_BTIME, &of) == 0 && !(of.stx_mask & STATX_BTIME));
}

BEHAVIOUR(files_of_a_process_that_hold_nothing) {
  char byte;
  int fd = open("/proc/self/clear_refs", O_WRONLY);
  CHECK(fd >= 0 && write(fd, "1", 1) == 1 && write(fd, "4\n", 2) == 2);
  FAILS(write(fd, "6", 1), EINVAL);
  FAILS(write(fd, "x", 1), EINVAL);
  CHECK(close(fd) == 0);
  /* What a module of security would say; without one, nothing. */
  fd = open("/proc/self/attr/current", O_RDONLY);
  CHECK(fd >= 0 && (read(fd, &byte, 1) >= 0 || errno == EINVAL) && close(fd) == 0);
  CHECK(access("/proc/self/attr/exec", F_OK) == 0 && access("/proc/self/task/self", F_OK) == -1);
  CHECK(access("/proc/thread-self/attr/prev", F_OK) == 0);
  /* Where the kernel is in a call is told to the system's owner alone. */
  fd = open("/proc/self/stack", O_RDONLY);
  CHECK(fd >= 0 || errno == EACCES || errno == ENOENT);
  if (fd >= 0) CHECK(read(fd, &byte, 1) == 1 || errno == EACCES);
}

/* It is there, and root's; others see little of it. */
BEHAVIOUR(the_first_process_of_the_system) {
  struct stat status;
  char name[64];
  int found = 0, pid;
  CHECK(stat("/proc/1", &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == 0);
  CHECK(field("/proc/1/status", "Pid") == 1 && field("/proc/1/status", "PPid") == 0 && field("/proc/1/status", "Uid") == 0);
  int words = 0;
  for (char *at = strtok(contents("/proc/1/stat"), " \n"); at; at = strtok(NULL, " \n")) words++;
  CHECK(words >= 52 && sscanf(contents("/proc/1/stat"), "%d (%*[^)]) %*c %d", &words, &pid) == 2 && words == 1 && pid == 0);
  CHECK(strlen(contents("/proc/1/comm")) > 1 && strlen(contents("/proc/1/cgroup")) > 1 && strlen(contents("/proc/1/cmdline")) > 0);
  DIR *all = opendir("/proc");
  CHECK(all != NULL);
  for (struct dirent *entry; (entry = readdir(all));) found += strcmp(entry->d_name, "1") == 0;
  CHECK(found == 1 && closedir(all) == 0);
  CHECK(access("/proc/1/task/1/status", R_OK) == 0 && access("/proc/1/task/2/status", R_OK) == -1);
  CHECK(getpgid(1) >= 0 && getsid(1) >= 0);
  clockid_t clock;
  struct timespec time;
  CHECK(clock_getcpuclockid(1, &clock) == 0 && clock_gettime(clock, &time) == 0);

  int fd = syscall(SYS_pidfd_open, 1, 0);
  struct pollfd ended = {fd, POLLIN};
  CHECK(fd >= 0 && poll(&ended, 1, 0) == 0);
  sprintf(name, "/proc/self/fdinfo/%d", fd);
  CHECK(field(name, "Pid") == 1);
  siginfo_t info;
  FAILS(waitid(3 /* P_PIDFD */, fd, &info, WEXITED), ECHILD);
  if (getuid() == 0) return;
  FAILS(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), EPERM);
  FAILS(syscall(SYS_pidfd_getfd, fd, 0, 0), EPERM);
  FAILS(kill(1, 0), EPERM);
  FAILS(open("/proc/1/environ", O_RDONLY), EACCES);
  FAILS(open("/proc/1/maps", O_RDONLY), EACCES);
  FAILS(open("/proc/1/comm", O_WRONLY), EACCES);
  FAILS(readlink("/proc/1/exe", name, sizeof name), EACCES);
  FAILS(readlink("/proc/1/cwd", name, sizeof name), EACCES);
  FAILS(access("/proc/1/root/etc", F_OK), EACCES);
  FAILS(open("/proc/1/fd", O_RDONLY | O_DIRECTORY), EACCES);
  CHECK(stat("/proc/1/fd", &status) == 0 && (status.st_mode & 0777) == 0500);
}

BEHAVIOUR(numbers_of_what_has_no_name) {
  int fds[8], ends[2], sockets[2];
  struct stat first, status;
  ino_t numbers[8];
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
  CHECK(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  fds[0] = ends[0], fds[1] = sockets[0], fds[2] = sockets[1], fds[3] = socket(AF_INET, SOCK_DGRAM, 0);
  fds[4] = mq_open("/numbers", O_CREAT | O_RDWR, 0600, &attributes);
  CHECK(mq_unlink("/numbers") == 0);
  for (int i = 0; i < 5; i++) {
    CHECK(fstat(fds[i], &status) == 0);
    numbers[i] = status.st_ino;
    for (int j = 0; j < i; j++) CHECK(numbers[i] != numbers[j]);
  }
  CHECK(fstat(ends[1], &status) == 0 && status.st_ino == numbers[0]);
  /* They stay what they are, and nobody else gets them. */
  for (int turn = 0; turn < 3; turn++) {
    int another = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(fstat(another, &status) == 0);
    for (int i = 0; i < 5; i++) CHECK(numbers[i] != status.st_ino);
    for (int i = 0; i < 5; i++) CHECK(fstat(fds[i], &status) == 0 && status.st_ino == numbers[i]);
    close(another);
  }
  sigset_t none;
  sigemptyset(&none);
  int all_one[] = {eventfd(0, 0), epoll_create1(0), timerfd_create(CLOCK_MONOTONIC, 0), signalfd(-1, &none, 0), inotify_init()};
  CHECK(fstat(all_one[0], &first) == 0 && first.st_uid == 0 && first.st_mode == 0600);
  for (int i = 1; i < 5; i++)
    CHECK(fstat(all_one[i], &status) == 0 && status.st_ino == first.st_ino && status.st_dev == first.st_dev);
}
