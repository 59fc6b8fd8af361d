/* What owner, group and mode of files and folders let a program do. Natively as root it becomes nobody first. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utime.h>
#include <ftw.h>
#include <grp.h>
#include "../../guest.h"
#define T(call) DID(#call, call)
static void file(const char *name, int mode) {
  int fd = open(name, O_CREAT | O_WRONLY, 0600);
  if (write(fd, "x", 1) != 1) perror(name);
  close(fd);
  chmod(name, mode);
}
static int opens(const char *name, int flags) { int fd = open(name, flags, 0644); if (fd >= 0) close(fd); return fd; }
static int runs(const char *name) {
  int status; pid_t child = fork();
  if (child == 0) { execl(name, name, (char *)0); _exit(errno); }
  waitpid(child, &status, 0);
  errno = WEXITSTATUS(status);
  return errno ? -1 : 0;
}
static int talk(const char *name, int binds) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  strcpy(at.sun_path, name);
  int s = socket(AF_UNIX, SOCK_DGRAM, 0), r = binds ? bind(s, (void *)&at, sizeof at) : connect(s, (void *)&at, sizeof at), e = errno;
  close(s); errno = e; return r;
}
/* Whoever has made them can open them again. */
static int gone(const char *path, const struct stat *st, int type, struct FTW *where) { return remove(path); }
static void clean(void) {
  const char *folders[] = {"noexec", "ro", "nodir", "wx", "locked", "full"};
  for (int i = 0; i < 6; i++) chmod(folders[i], 0700);
  chdir("..");
  nftw("d", gone, 10, FTW_DEPTH | FTW_PHYS);
}
int main(void) {
  struct stat st; char buf[8];
  umask(0);
  if (mkdir("d", 0755) || chdir("d")) return 1;
  if (getuid() == 0 && (chown(".", 65534, 65534) || setgroups(0, 0) || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))) return 1;
  file("none", 0); file("read", 0444); file("write", 0222); file("all", 0644); file("group", 0077); file("exec", 0111);
  mkdir("full", 0755); file("full/f", 0644); mkdir("full/sub", 0755); symlink("f", "full/l");
  mkdir("noexec", 0755); file("noexec/f", 0644); mkdir("noexec/sub", 0755); chmod("noexec", 0644);
  mkdir("ro", 0755); file("ro/f", 0644); mkdir("ro/sub", 0755); symlink("f", "ro/l"); talk("ro/s", 1); mkfifo("ro/p", 0644); chmod("ro", 0555);
  mkdir("nodir", 0);  mkdir("wx", 0755); file("wx/f", 0644); chmod("wx", 0300);
  mkdir("locked", 0755); mkdir("target", 0755); chmod("locked", 0555);
  talk("sock", 1); chmod("sock", 0444); mkfifo("pipe", 0200);
  T(opens("none", O_RDONLY)); T(opens("none", O_WRONLY)); T(opens("none", O_RDWR)); T(opens("none", O_PATH));
  T(opens("none", 3));
  T(opens("read", O_RDONLY)); T(opens("read", O_WRONLY)); T(opens("read", O_RDONLY | O_TRUNC));
  T(opens("read", O_RDWR | O_CREAT));
  T(opens("write", O_RDONLY)); T(opens("write", O_WRONLY)); T(opens("write", O_RDWR)); T(opens("group", O_RDONLY));
  T(opens("all", O_RDWR | O_APPEND));
  T(opens("none", O_CREAT | O_EXCL | O_WRONLY)); T(opens("all", O_RDONLY | O_NOATIME)); T(opens("exec", O_RDONLY));
  T(opens("noexec/f", O_RDONLY)); T(opens("noexec/new", O_CREAT | O_WRONLY)); T(opens("noexec", O_RDONLY));
  T(opens("noexec/f/x", O_RDONLY));
  T(opens("noexec/none", O_RDONLY)); T(stat("noexec/f", &st)); T(lstat("noexec/none", &st));
  T(access("noexec/f", F_OK)); T(chdir("noexec"));
  T(readlink("noexec/f", buf, 8)); T(stat("noexec/sub/../f", &st));  T(chmod("noexec/f", 0600));
  T(truncate("noexec/f", 0)); T(unlink("noexec/f"));
  T(opens("ro/new", O_CREAT | O_WRONLY)); T(opens("ro/f", O_CREAT | O_WRONLY));
  T(opens("ro/f", O_CREAT | O_EXCL | O_WRONLY)); T(opens("ro", O_RDONLY)); T(opens("ro", O_WRONLY));
  T(opens("ro", O_TMPFILE | O_EXCL | O_WRONLY));
  T(mkdir("ro/new", 0755)); T(mkdir("ro/sub", 0755)); T(mkdir("ro/none/x", 0755)); T(rmdir("ro/sub"));
  T(rmdir("ro/f")); T(rmdir("ro/none")); T(unlink("ro/f")); T(unlink("ro/sub")); T(unlink("ro/none"));
  T(unlink("ro/s"));
  T(symlink("x", "ro/new")); T(symlink("x", "ro/f")); T(link("all", "ro/new")); T(link("ro/f", "full/new"));
  T(link("full/sub", "ro/new")); T(link("none", "full/none")); T(mknod("ro/new", S_IFREG | 0644, 0));
  T(mknod("ro/new", S_IFCHR | 0644, 0)); T(mkfifo("ro/new", 0644));
  T(rename("ro/f", "ro/g")); T(rename("ro/f", "full/g")); T(rename("all", "ro/new")); T(rename("all", "ro/f"));
  T(rename("ro/f", "ro/f")); T(rename("locked", "target/locked")); T(rename("locked", "moved"));
  T(rename("moved", "locked")); T(rename("ro/none", "full/x"));
  T(syscall(SYS_renameat2, AT_FDCWD, "ro/f", AT_FDCWD, "all", 2));
  T(syscall(SYS_renameat2, AT_FDCWD, "locked", AT_FDCWD, "full/sub", 2));
  T(talk("ro/new", 1)); T(talk("ro/s", 1)); T(talk("sock", 0)); T(talk("noexec/s", 0));
  T(access("none", R_OK)); T(access("none", W_OK)); T(access("none", X_OK)); T(access("read", R_OK));
  T(access("read", W_OK)); T(access("read", X_OK)); T(access("exec", X_OK)); T(access("exec", R_OK));
  T(access("group", R_OK)); T(access("ro", W_OK)); T(access("ro", R_OK | X_OK)); T(access("noexec", X_OK));
  T(access("wx", W_OK | X_OK)); T(access("wx", R_OK)); T(faccessat(AT_FDCWD, "read", W_OK, AT_EACCESS));
  T(access("sock", W_OK)); T(access("pipe", R_OK));
  T(opens("nodir", O_RDONLY)); T(chdir("nodir")); T(rmdir("nodir")); T(opens("wx", O_RDONLY));
  T(opens("wx/f", O_RDONLY)); T(opens("wx/new", O_CREAT | O_WRONLY)); T(opens("pipe", O_RDONLY | O_NONBLOCK));
  T(opens("ro/p", O_RDONLY | O_NONBLOCK));
  T(truncate("read", 0)); T(truncate("none", 0)); T(truncate("all", 0)); T(truncate("full", 0));
  T(truncate("ro/f", 0));
  T(runs("./none")); T(runs("./all")); T(runs("noexec/f")); T(runs("./full"));  T(runs("./exec"));
  T(utime("read", 0)); T(utime("none", 0)); struct timeval tv[2] = {{1, 0}, {2, 0}}; T(utimes("none", tv));
  T(utimes("noexec/f", tv)); T(chmod("none", 04755)); T(chmod("none", 0)); T(chown("none", -1, -1));
  T(chown("none", getuid(), -1)); T(chown("none", -1, getgid())); T(chown("none", 4242, -1));
  T(chown("none", -1, 4242)); T(chown("none", 0, 0)); T(lchown("full/l", 4242, -1));
  T(chmod("/dev/null", 0600)); T(chown("/dev/null", -1, getgid())); T(access("/dev/null", R_OK | W_OK));
  T(access("/dev/null", X_OK)); T(opens("/proc/self/maps", O_RDONLY)); T(opens("/proc/version", O_WRONLY));
  T(access("/proc/version", W_OK)); T(access("/proc/self/comm", W_OK)); T(access("/", W_OK));
  T(access("/proc/self/fd", R_OK | X_OK)); T(opens("/proc/new", O_CREAT | O_WRONLY)); T(mkdir("/proc/x", 0700));
  int fd = inotify_init(); T(inotify_add_watch(fd, "none", IN_MODIFY)); T(inotify_add_watch(fd, "read", IN_MODIFY));
  T(inotify_add_watch(fd, "nodir2", IN_MODIFY)); T(inotify_add_watch(fd, "wx", IN_CREATE));
  T(inotify_add_watch(fd, "noexec/f", IN_CREATE));
  fd = open("read", O_RDONLY); T(fchmod(fd, 0400)); T(fchown(fd, 4242, -1)); T(futimens(fd, 0));
  T(fcntl(fd, F_SETFL, O_NOATIME)); char p[40]; sprintf(p, "/proc/self/fd/%d", fd); T(opens(p, O_RDONLY));
  T(opens(p, O_WRONLY));
  fd = open("ro", O_RDONLY | O_DIRECTORY); T(fchdir(fd)); T(chdir(".."));
  T(openat(fd, "new", O_CREAT | O_WRONLY, 0600)); fd = open("noexec", O_RDONLY | O_DIRECTORY);
  T(openat(fd, "f", O_RDONLY)); T(fchdir(fd));
  int pp[2]; T(pipe(pp)); T(fchmod(pp[0], 0600)); fstat(pp[0], &st); printf("pipe %d\n", st.st_uid == getuid());
  fstat(socket(AF_UNIX, SOCK_STREAM, 0), &st); printf("socket %d\n", st.st_uid == getuid()); stat("all", &st);
  printf("file %d %d\n", st.st_uid == getuid(), st.st_gid == getgid()); stat("/dev/null", &st);
  printf("null %d\n", st.st_uid); stat("/proc/self/maps", &st); printf("maps %d\n", st.st_uid == getuid());
  stat("/proc/version", &st); printf("version %d\n", st.st_uid);
  int here = open(".", O_RDONLY);
  chdir("full"); chmod(".", 0); T(stat("f", &st)); T(opens("new", O_CREAT | O_WRONLY)); T(stat("..", &st)); T(stat(".", &st)); T(chdir(".."));
  fchdir(here);
  clean();
  return 0;
}
