/* What a program is given: arguments, environment, auxiliary vector, limits, names; only what is the same everywhere. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest.h"

extern char **environ;

int main(int argc, char **argv) {
  struct utsname names;
  struct rlimit limit;
  char comm[17] = "";
  printf("%d arguments:", argc);
  for (int i = 1; i < argc; i++) printf(" [%s]", argv[i]);
  printf("\nargv ends %d, name %d, same file %d\n", argv[argc] == NULL, strlen(argv[0]) > 0,
         strcmp(program_invocation_short_name, strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0]) == 0);
  const char *given = getenv("GUEST_GREETING");
  printf("greeting %s, absent %d\n", given ? given : "none", getenv("NO_SUCH_NAME") == NULL);
  setenv("ADDED", "one", 1), setenv("ADDED", "two", 0), putenv("PUT=three");
  printf("%s %s", getenv("ADDED"), getenv("PUT"));
  unsetenv("ADDED");
  printf(" %d\n", getenv("ADDED") == NULL);

  /* The vector lies right above the environment; its words must be those getauxval finds. */
  char **end = environ;
  clearenv();
  CHECK(environ == NULL || environ[0] == NULL || end != NULL);
  printf("page %lu, clock %lu, secure %lu\n", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK), getauxval(AT_SECURE));
  printf("header %d, entries %d of %lu bytes, entry %d, random %d\n", getauxval(AT_PHDR) != 0, getauxval(AT_PHNUM) > 2,
         getauxval(AT_PHENT), getauxval(AT_ENTRY) != 0, getauxval(AT_RANDOM) != 0);
  printf("ids %d %d, fpu %d, execfn %d\n", getauxval(AT_UID) == getuid(), getauxval(AT_EGID) == getegid(),
         !!(getauxval(AT_HWCAP) & 0x08000000), getauxval(AT_EXECFN) != 0);
  errno = 0;
  printf("unknown entry %lu %d\n", getauxval(9999), errno == ENOENT);

  CHECK(uname(&names) == 0);
  printf("%s, release %d, node %d\n", names.sysname, names.release[0] >= '2', names.nodename[0] != 0);
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= limit.rlim_max && limit.rlim_cur >= 16);
  limit.rlim_cur = 16;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 16);
  CHECK(prctl(PR_SET_NAME, "a-long-name-for-this") == 0 && prctl(PR_GET_NAME, comm) == 0);
  printf("name %s, terminal %d, page size %d\n", comm, isatty(0), sysconf(_SC_PAGESIZE) == (long)getauxval(AT_PAGESZ));
  printf("pids %d %d, groups %d\n", getpid() > 0 && getpid() == gettid(), getppid() >= 0, getgroups(0, NULL) >= 0);
  return argc;
}
