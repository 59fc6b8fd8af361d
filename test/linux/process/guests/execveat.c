/* What is executed is a file, by its name or by a descriptor; and what the program is told it was called. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../guest.h"

static char *arguments[] = {"self", "a", "b", NULL};
static char *marked[] = {"MARK=1", NULL};

/* The program itself, as whatever has executed it finds it. */
static int told(char **argv) {
  char name[64] = "", file[4096] = "";
  int f = open("/proc/self/comm", O_RDONLY);
  name[read(f, name, sizeof name - 1) - 1] = 0;
  readlink("/proc/self/exe", file, sizeof file - 1);
  int isFile = strncmp(strrchr(file, '/') + 1, name, strlen(name)) == 0;
  printf("  %s called %s:", (char *)getauxval(AT_EXECFN), isFile ? "as its file" : name);
  for (; *argv; argv++) printf(" %s", *argv);
  puts("");
  return 0;
}

static void at(const char *what, int fd, const char *path, int flags) {
  printf("%s\n", what);
  fflush(stdout);
  if (fork() == 0) {
    syscall(SYS_execveat, fd, path, arguments, marked, flags);
    printf("  %s\n", strerrorname_np(errno));
    fflush(stdout);
    _exit(0);
  }
  quit();
}

static void copy(int to) {
  char b[65536];
  int from = open("/proc/self/exe", O_RDONLY);
  for (int n; (n = read(from, b, sizeof b)) > 0;) write(to, b, n);
  close(from);
}

static void script(const char *path) {
  int f = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0700);
  write(f, "#!/proc/self/exe one two\n", 25);
  close(f);
}

int main(int argc, char **argv) {
  if (getenv("MARK")) return told(argv);
  char folder[] = "/tmp/execXXXXXX";
  mkdtemp(folder);
  chdir(folder);
  int f = open("file", O_CREAT | O_WRONLY, 0700);
  copy(f);
  close(f);
  symlink("file", "link");
  script("script");
  mkdir("folder", 0700);
  mkfifo("fifo", 0700);
  close(open("plain", O_CREAT | O_WRONLY, 0600));
  dup2(open(".", O_RDONLY | O_DIRECTORY), 30);
  dup2(open("file", O_RDONLY), 31);
  dup2(open("link", O_PATH | O_NOFOLLOW), 32);
  dup2(open("link", O_PATH), 33);
  dup2(open("script", O_RDONLY), 34);
  dup3(open("script", O_RDONLY), 35, O_CLOEXEC);
  dup2(open("plain", O_RDONLY), 36);
  dup2(socket(AF_UNIX, SOCK_STREAM, 0), 37);
  dup3(open(".", O_RDONLY | O_DIRECTORY), 38, O_CLOEXEC);
  dup3(memfd_create("m", 0), 39, O_CLOEXEC);
  copy(39);

  at("by name", AT_FDCWD, "file", 0);
  at("by another name", AT_FDCWD, "link", 0);
  at("from a folder", 30, "file", 0);
  at("through a link", 30, "link", 0);
  at("the link itself", 30, "link", AT_SYMLINK_NOFOLLOW);
  at("the link itself", AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW);
  at("the link itself", -1, "/proc/self/exe", AT_SYMLINK_NOFOLLOW);
  at("a descriptor", 31, "", AT_EMPTY_PATH);
  at("that of the link", 32, "", AT_EMPTY_PATH);
  at("one of a path", 33, "", AT_EMPTY_PATH);
  at("memory", 39, "", AT_EMPTY_PATH);
  rename("file", "moved");
  at("moved", 31, "", AT_EMPTY_PATH);
  unlink("moved");
  at("removed", 31, "", AT_EMPTY_PATH);
  at("no name of it", AT_FDCWD, "file", 0);
  at("a script", AT_FDCWD, "script", 0);
  at("a script from a folder", 30, "script", 0);
  at("a script by descriptor", 34, "", AT_EMPTY_PATH);
  at("one that is closed then", 35, "", AT_EMPTY_PATH);
  at("in a folder that is", 38, "script", 0);
  at("not executable", AT_FDCWD, "plain", 0);
  at("not executable", 36, "", AT_EMPTY_PATH);
  at("a folder", AT_FDCWD, "folder", 0);
  at("a folder", 30, "", AT_EMPTY_PATH);
  at("the working folder", AT_FDCWD, "", AT_EMPTY_PATH);
  at("a named pipe", AT_FDCWD, "fifo", 0);
  at("a socket", 37, "", AT_EMPTY_PATH);
  at("nothing", 30, "", 0);
  at("no folder", 31, "file", 0);
  at("no descriptor", 99, "", AT_EMPTY_PATH);
  at("no descriptor", 99, "file", 0);
  at("no such flag", 30, "file", 1);
  const char *names[] = {"link", "script", "fifo", "plain"};
  for (int i = 0; i < 4; i++) unlink(names[i]);
  rmdir("folder");
  SAY("removed", rmdir(folder));
  return 0;
}
