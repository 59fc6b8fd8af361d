/* What threads may do: sets of capabilities, by thread, and what changes of ids and execve make of them. */
#include "behaviour.h"
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#endif
enum { IS_SET = 1, RAISE, LOWER, CLEAR_ALL };
enum { NOROOT = 1, NO_FIXUP = 4, NO_FIXUP_LOCKED = 8, KEEP_CAPS = 16, KEEP_CAPS_LOCKED = 32, NO_RAISE = 64 };
#define ONE(capability) (1ull << (capability))
#define FILES (ONE(CAP_CHOWN) | ONE(CAP_DAC_OVERRIDE) | ONE(CAP_DAC_READ_SEARCH) | ONE(CAP_FOWNER) | ONE(CAP_FSETID))

struct sets {
  unsigned long long effective, permitted, inheritable;
};
/* Sets of a thread, 0 being the caller. */
static struct sets sets_of(pid_t tid) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, tid};
  struct __user_cap_data_struct data[2];
  CHECK(syscall(SYS_capget, &head, data) == 0);
  struct sets all = {data[0].effective | (unsigned long long)data[1].effective << 32,
                     data[0].permitted | (unsigned long long)data[1].permitted << 32,
                     data[0].inheritable | (unsigned long long)data[1].inheritable << 32};
  return all;
}
static int set(unsigned long long effective, unsigned long long permitted, unsigned long long inheritable) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{effective, permitted, inheritable},
                                           {effective >> 32, permitted >> 32, inheritable >> 32}};
  return syscall(SYS_capset, &head, data);
}
static int drop(unsigned long long some) {
  struct sets now = sets_of(0);
  return set(now.effective & ~some, now.permitted & ~some, now.inheritable);
}
/* A set as /proc says. */
static unsigned long long told(const char *path, const char *name) {
  char *line = strstr(contents(path), name);
  CHECK(line != NULL);
  return strtoull(line + strlen(name) + 1, NULL, 16);
}
#define OWN(name) told("/proc/thread-self/status", name)

/* Executed, it says by its status whether it is whom its arguments tell of. */
__attribute__((constructor)) static void as_another_program(int argc, char **argv) {
  if (argc < 8 || strcmp(argv[1], "--capabilities") != 0) return;
  unsigned long long got[] = {OWN("CapPrm"), OWN("CapEff"), OWN("CapInh"), OWN("CapAmb"), getauxval(AT_SECURE)};
  for (int i = 0; i < 5; i++)
    if (got[i] != strtoull(argv[2 + i], NULL, 16)) _exit(10 + i);
  if (prctl(PR_GET_SECUREBITS) != strtol(argv[7], NULL, 16)) _exit(20);
  _exit(0);
}
/* A child that executes this program, and must be found so. */
static void becomes(int (*before)(void), unsigned long long permitted, unsigned long long effective,
                    unsigned long long inheritable, unsigned long long ambient, int secure, int bits) {
  unsigned long long all[] = {permitted, effective, inheritable, ambient, secure, bits};
  static char texts[6][20];
  char *argv[] = {"child", "--capabilities", texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], NULL};
  for (int i = 0; i < 6; i++) sprintf(texts[i], "%llx", all[i]);
  pid_t child = fork();
  if (child == 0) {
    CHECK(before() == 0);
    execv("/proc/self/exe", argv);
    _exit(127);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  if (status != 0) printf("%llx %llx %llx %llx %d %x: status %x\n", permitted, effective, inheritable, ambient, secure, bits, status);
  CHECK(status == 0);
}
#define AS_ROOT                                                                                               \
  if (geteuid() != 0) return

BEHAVIOUR(versions_of_capget_are_told_apart) {
  struct __user_cap_header_struct head = {0x19980330, 0};
  struct __user_cap_data_struct data[3];
  memset(data, 0xee, sizeof data);
  CHECK(syscall(SYS_capget, &head, data) == 0 && data[1].effective == 0xeeeeeeee);
  head.version = 0x20071026;
  CHECK(syscall(SYS_capget, &head, data) == 0 && data[1].effective != 0xeeeeeeee && data[2].effective == 0xeeeeeeee);
  head.version = 77;
  FAILS(syscall(SYS_capget, &head, data), EINVAL);
  CHECK(head.version == _LINUX_CAPABILITY_VERSION_3);
  head.version = 77;
  CHECK(syscall(SYS_capget, &head, NULL) == 0 && head.version == _LINUX_CAPABILITY_VERSION_3);
  head.pid = -1;
  CHECK(syscall(SYS_capget, &head, NULL) == 0);
  FAILS(syscall(SYS_capget, &head, data), EINVAL);
  FAILS(syscall(SYS_capset, &head, data), EPERM);
  head.pid = 0x3ffffe;
  FAILS(syscall(SYS_capget, &head, data), ESRCH);
  head.pid = getpid();
  CHECK(syscall(SYS_capget, &head, data) == 0 && syscall(SYS_capset, &head, data) == 0);
  FAILS(syscall(SYS_capget, NULL, data), EFAULT);
  FAILS(syscall(SYS_capset, &head, NULL), EFAULT);
}

BEHAVIOUR(who_has_none_gets_none) {
  unsigned long long all = OWN("CapBnd");
  if (geteuid() == 0) CHECK(setresgid(7, 7, 7) == 0 && setresuid(7, 7, 7) == 0);
  CHECK(OWN("CapPrm") == 0 && OWN("CapEff") == 0 && OWN("CapAmb") == 0);
  CHECK(set(0, 0, 0) == 0);
  FAILS(set(0, 1, 0), EPERM);
  FAILS(set(1, 0, 0), EPERM);
  FAILS(set(0, 0, 1), EPERM);
  CHECK(prctl(PR_CAPBSET_READ, CAP_KILL) == (int)(all >> CAP_KILL & 1));
  FAILS(prctl(PR_CAPBSET_READ, 64), EINVAL);
  FAILS(prctl(PR_CAPBSET_DROP, CAP_KILL), EPERM);
  FAILS(prctl(PR_CAPBSET_DROP, 64), EPERM);
  FAILS(prctl(PR_SET_SECUREBITS, 0), EPERM);
  CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_SECUREBITS) == KEEP_CAPS && prctl(PR_GET_KEEPCAPS) == 1);
  FAILS(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
  FAILS(prctl(PR_CAP_AMBIENT, RAISE, CAP_KILL, 0, 0), EPERM);
  FAILS(prctl(PR_CAP_AMBIENT, RAISE, 64, 0, 0), EINVAL);
  FAILS(prctl(PR_CAP_AMBIENT, RAISE, CAP_KILL, 1, 0), EINVAL);
  FAILS(prctl(PR_CAP_AMBIENT, CLEAR_ALL, 1, 0, 0), EINVAL);
  FAILS(prctl(PR_CAP_AMBIENT, 9, CAP_KILL, 0, 0), EINVAL);
  CHECK(prctl(PR_CAP_AMBIENT, IS_SET, CAP_KILL, 0, 0) == 0 && prctl(PR_CAP_AMBIENT, LOWER, CAP_KILL, 0, 0) == 0);
  CHECK(prctl(PR_CAP_AMBIENT, CLEAR_ALL, 0, 0, 0) == 0);
  FAILS(setuid(0), EPERM);
  FAILS(setgid(0), EPERM);
}

BEHAVIOUR(sets_have_bounds) {
  AS_ROOT;
  unsigned long long all = OWN("CapPrm"), some = ONE(CAP_KILL) | ONE(CAP_SETPCAP) | ONE(CAP_SYS_NICE);
  CHECK((all & some) == some && OWN("CapEff") == all && OWN("CapInh") == 0);
  CHECK(set(some, some, ONE(CAP_CHOWN)) == 0 && OWN("CapPrm") == some && OWN("CapInh") == ONE(CAP_CHOWN));
  FAILS(set(some, some | ONE(CAP_CHOWN), 0), EPERM);
  CHECK(set(ONE(CAP_KILL), some, ONE(CAP_CHOWN)) == 0 && OWN("CapEff") == ONE(CAP_KILL));
  /* Without CAP_SETPCAP only what is permitted can be passed on. */
  FAILS(set(ONE(CAP_KILL), some, ONE(CAP_CHOWN) | ONE(CAP_FOWNER)), EPERM);
  CHECK(set(ONE(CAP_KILL), some, ONE(CAP_CHOWN) | ONE(CAP_KILL)) == 0);
  FAILS(prctl(PR_CAPBSET_DROP, CAP_KILL), EPERM);
  CHECK(set(some, some, ONE(CAP_KILL)) == 0 && prctl(PR_CAPBSET_DROP, CAP_FOWNER) == 0);
  CHECK(prctl(PR_CAPBSET_READ, CAP_FOWNER) == 0 && !(OWN("CapBnd") & ONE(CAP_FOWNER)));
  FAILS(set(some, some, ONE(CAP_FOWNER)), EPERM);
  FAILS(prctl(PR_CAPBSET_DROP, 64), EINVAL);
  /* What is ambient is permitted and inheritable. */
  FAILS(prctl(PR_CAP_AMBIENT, RAISE, CAP_SYS_NICE, 0, 0), EPERM);
  CHECK(prctl(PR_CAP_AMBIENT, RAISE, CAP_KILL, 0, 0) == 0 && OWN("CapAmb") == ONE(CAP_KILL));
  CHECK(prctl(PR_CAP_AMBIENT, IS_SET, CAP_KILL, 0, 0) == 1);
  CHECK(set(some, some, 0) == 0 && OWN("CapAmb") == 0 && OWN("CapPrm") == some);
}

BEHAVIOUR(secure_bits_are_locked) {
  AS_ROOT;
  FAILS(prctl(PR_SET_SECUREBITS, 0x10000), EPERM);
  CHECK(prctl(PR_SET_SECUREBITS, NO_FIXUP | NO_FIXUP_LOCKED) == 0);
  FAILS(prctl(PR_SET_SECUREBITS, NO_FIXUP), EPERM);
  FAILS(prctl(PR_SET_SECUREBITS, NO_FIXUP_LOCKED), EPERM);
  CHECK(prctl(PR_SET_SECUREBITS, NO_FIXUP | NO_FIXUP_LOCKED | NO_RAISE | KEEP_CAPS_LOCKED) == 0);
  FAILS(prctl(PR_SET_KEEPCAPS, 1), EPERM);
  unsigned long long all = OWN("CapPrm");
  CHECK(set(all, all, ONE(CAP_KILL)) == 0);
  FAILS(prctl(PR_CAP_AMBIENT, RAISE, CAP_KILL, 0, 0), EPERM);
  CHECK(setresuid(5, 5, 5) == 0 && OWN("CapEff") == all && OWN("CapPrm") == all);
}

BEHAVIOUR(another_user_has_other_capabilities) {
  AS_ROOT;
  unsigned long long all = OWN("CapPrm");
  CHECK(setresuid(-1, 5, -1) == 0 && OWN("CapEff") == 0 && OWN("CapPrm") == all);
  CHECK(setresuid(-1, 0, -1) == 0 && OWN("CapEff") == all);
  syscall(SYS_setfsuid, 5);
  CHECK((OWN("CapEff") & FILES) == 0 && (OWN("CapEff") & ONE(CAP_KILL)) && OWN("CapPrm") == all);
  syscall(SYS_setfsuid, 0);
  CHECK(OWN("CapEff") == all);
  CHECK(set(all, all, ONE(CAP_KILL)) == 0 && prctl(PR_CAP_AMBIENT, RAISE, CAP_KILL, 0, 0) == 0);
  CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && setresuid(5, 5, 5) == 0);
  CHECK(OWN("CapEff") == 0 && OWN("CapPrm") == all && OWN("CapAmb") == 0 && OWN("CapInh") == ONE(CAP_KILL));
  CHECK(set(ONE(CAP_SETUID), all, 0) == 0 && setresuid(6, 6, 6) == 0 && OWN("CapEff") == ONE(CAP_SETUID));
  CHECK(prctl(PR_SET_KEEPCAPS, 0) == 0 && setresuid(0, 6, 6) == 0 && OWN("CapEff") == ONE(CAP_SETUID));
  CHECK(setresuid(6, 6, 6) == 0 && OWN("CapPrm") == 0 && OWN("CapEff") == 0);
}

static unsigned long long all;
static int nothing(void) { return 0; }
static int user(void) { return setresuid(5, 5, 5); }
static int real_only(void) { return setresuid(0, 5, 5); }
static int effective_only(void) { return setresuid(5, 0, 0); }
static int less(void) { return drop(ONE(CAP_CHOWN)); }
static int less_for_ever(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || less(); }
static int bounded(void) { return prctl(PR_CAPBSET_DROP, CAP_CHOWN); }
static int inherits(void) { return bounded() || set(all, all, ONE(CAP_KILL)); }
static int no_root(void) { return prctl(PR_SET_SECUREBITS, NOROOT | KEEP_CAPS); }
static int ambient_user(void) {
  return prctl(PR_SET_KEEPCAPS, 1) || user() || set(0, ONE(CAP_KILL), ONE(CAP_KILL) | ONE(CAP_CHOWN)) ||
         prctl(PR_CAP_AMBIENT, RAISE, CAP_KILL, 0, 0);
}

BEHAVIOUR(execve_computes_them) {
  all = OWN("CapBnd");
  if (geteuid() != 0) {
    becomes(nothing, 0, 0, 0, 0, 0, 0);
    return;
  }
  all = OWN("CapPrm");
  becomes(nothing, all, all, 0, 0, 0, 0);
  becomes(user, 0, 0, 0, 0, 0, 0);
  becomes(real_only, all, 0, 0, 0, 1, 0);
  becomes(effective_only, all, all, 0, 0, 1, 0);
  becomes(less, all, all, 0, 0, 0, 0);
  becomes(less_for_ever, all & ~ONE(CAP_CHOWN), all & ~ONE(CAP_CHOWN), 0, 0, 0, 0);
  becomes(bounded, all & ~ONE(CAP_CHOWN), all & ~ONE(CAP_CHOWN), 0, 0, 0, 0);
  becomes(inherits, all & ~ONE(CAP_CHOWN), all & ~ONE(CAP_CHOWN), ONE(CAP_KILL), 0, 0, 0);
  becomes(no_root, 0, 0, 0, 0, 0, NOROOT);
  becomes(ambient_user, ONE(CAP_KILL), ONE(CAP_KILL), ONE(CAP_KILL) | ONE(CAP_CHOWN), ONE(CAP_KILL), 0, 0);
}

static volatile pid_t other;
static int steps[2], answers[2];
static void *is_another(void *unused) {
  char byte;
  other = syscall(SYS_gettid);
  CHECK(write(answers[1], "a", 1) == 1 && read(steps[0], &byte, 1) == 1);
  /* The call itself: a C library would have every thread make it. */
  if (geteuid() == 0) CHECK(syscall(SYS_setresuid, 5, 5, 5) == 0);
  else CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
  CHECK(write(answers[1], "b", 1) == 1 && read(steps[0], &byte, 1) == 1);
  if (syscall(SYS_geteuid) == 5) FAILS(open("closed", O_RDONLY), EACCES);
  return NULL;
}
BEHAVIOUR(threads_are_different_users) {
  pthread_t thread;
  char byte, path[80];
  close(file_with("closed", "text"));
  CHECK(chmod("closed", 0600) == 0 && chmod(".", 0755) == 0 && pipe(steps) == 0 && pipe(answers) == 0);
  CHECK(pthread_create(&thread, NULL, is_another, NULL) == 0 && read(answers[0], &byte, 1) == 1);
  CHECK(write(steps[1], "a", 1) == 1 && read(answers[0], &byte, 1) == 1);
  CHECK(prctl(PR_GET_KEEPCAPS) == 0);
  int is_root = geteuid() == 0;
  sprintf(path, "/proc/self/task/%d/status", (int)other);
  if (is_root) {
    CHECK(field(path, "Uid") == 5 && told(path, "CapPrm") == 0 && field("/proc/self/status", "Uid") == 0);
    CHECK(sets_of(other).permitted == 0 && sets_of(0).permitted != 0);
  }
  int fd = open("closed", O_RDONLY);
  CHECK(fd >= 0 && write(steps[1], "b", 1) == 1 && pthread_join(thread, NULL) == 0);
}

static int may_bind(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  struct sockaddr_in to = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  int done = bind(fd, (struct sockaddr *)&to, sizeof to);
  int error = errno;
  close(fd);
  errno = error;
  return done;
}
BEHAVIOUR(calls_want_capabilities) {
  AS_ROOT;
  struct stat status;
  close(file_with("f", "text"));
  CHECK(mkdir("d", 0) == 0 && chmod("f", 0) == 0);
  int kept = open("f", O_RDONLY);
  CHECK(kept >= 0 && access("d/none", F_OK) == -1 && errno == ENOENT);
  CHECK(drop(ONE(CAP_DAC_OVERRIDE)) == 0);
  CHECK(close(open("f", O_RDONLY)) == 0);
  FAILS(open("f", O_WRONLY), EACCES);
  FAILS(open("d/made", O_CREAT | O_WRONLY, 0600), EACCES);
  FAILS(stat("d/none", &status), ENOENT);
  CHECK(drop(ONE(CAP_DAC_READ_SEARCH)) == 0);
  FAILS(open("f", O_RDONLY), EACCES);
  FAILS(stat("d/none", &status), EACCES);
  FAILS(access("f", R_OK), EACCES);
  CHECK(chmod("f", 0644) == 0 && chown("f", 5, 5) == 0);
  CHECK(drop(ONE(CAP_CHOWN)) == 0);
  FAILS(chown("f", 6, 6), EPERM);
  CHECK(chmod("f", 0600) == 0 && drop(ONE(CAP_FOWNER)) == 0);
  FAILS(chmod("f", 0644), EPERM);
  FAILS(utimensat(AT_FDCWD, "f", (struct timespec[2]){{1, 0}, {1, 0}}, 0), EPERM);
  CHECK(may_bind(997) == 0 && drop(ONE(CAP_NET_BIND_SERVICE)) == 0);
  FAILS(may_bind(998), EACCES);
  CHECK(setpriority(PRIO_PROCESS, 0, -5) == 0 && drop(ONE(CAP_SYS_NICE)) == 0);
  FAILS(setpriority(PRIO_PROCESS, 0, -6), EACCES);
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
  limit.rlim_cur = 0, limit.rlim_max = 1000;
  CHECK(setrlimit(RLIMIT_CORE, &limit) == 0 && drop(ONE(CAP_SYS_RESOURCE)) == 0);
  limit.rlim_max = 2000;
  FAILS(setrlimit(RLIMIT_CORE, &limit), EPERM);
  limit.rlim_cur = limit.rlim_max = 0;
  CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && mlock(&limit, 1) == 0 && drop(ONE(CAP_IPC_LOCK)) == 0);
  FAILS(mlock(&limit, 1), EPERM);
  pid_t child = fork();
  if (child == 0) {
    CHECK(setresuid(5, 5, 5) == 0);
    pause();
  }
  while (told("/proc/self/status", "CapPrm") && field("/proc/self/status", "Uid") == 0) {
    char path[40];
    sprintf(path, "/proc/%d/status", (int)child);
    if (field(path, "Uid") == 5) break;
  }
  CHECK(kill(child, 0) == 0 && drop(ONE(CAP_KILL)) == 0);
  FAILS(kill(child, SIGTERM), EPERM);
  CHECK(kill(child, SIGCONT) == 0);
  CHECK(drop(ONE(CAP_SYS_PTRACE)) == 0);
  FAILS(ptrace(PTRACE_ATTACH, child, 0, 0), EPERM);
  CHECK(setresuid(5, 0, 0) == 0 && kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
  CHECK(setgroups(0, NULL) == 0 && drop(ONE(CAP_SETGID)) == 0);
  FAILS(setgroups(0, NULL), EPERM);
  FAILS(setresgid(9, 9, 9), EPERM);
  CHECK(setresuid(7, 0, 0) == 0 && drop(ONE(CAP_SETUID)) == 0);
  FAILS(setresuid(9, 9, 9), EPERM);
  CHECK(setresuid(7, 7, 0) == 0 && OWN("CapEff") == 0 && setresuid(0, 0, 0) == 0 && OWN("CapEff") == OWN("CapPrm"));
}
