/* Directories and names: mkdir, rename, hard and symbolic links, readdir, chdir, the *at calls, and their errors. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void list(const char *path) {
  struct dirent **entries;
  int n = scandir(path, &entries, NULL, by_name);
  printf("%s:", path);
  for (int i = 0; i < n; i++) {
    printf(" %s(%d)", entries[i]->d_name, entries[i]->d_type);
    free(entries[i]);
  }
  if (n >= 0) free(entries);
  printf("\n");
}

static void make(const char *path) {
  int fd = open(path, O_CREAT | O_WRONLY, 0644);
  CHECK(fd >= 0 && write(fd, path, strlen(path)) == (ssize_t)strlen(path));
  close(fd);
}

static const char *failure(int result) {
  if (result != -1) return "no error";
  switch (errno) {
    case ENOENT: return "ENOENT";
    case EEXIST: return "EEXIST";
    case ENOTDIR: return "ENOTDIR";
    case ENOTEMPTY: return "ENOTEMPTY";
    case EISDIR: return "EISDIR";
    case ELOOP: return "ELOOP";
    case EINVAL: return "EINVAL";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    default: return "another error";
  }
}

int main(void) {
  char target[64] = "", here[512], name[300];
  struct stat s;
  CHECK(mkdir("d", 0755) == 0 && mkdir("d/inner", 0700) == 0);
  make("d/a"), make("d/b"), make("d/inner/c");
  list("d");
  CHECK(link("d/a", "d/hard") == 0 && symlink("a", "d/soft") == 0 && symlink("nowhere", "d/dangling") == 0);
  CHECK(stat("d/a", &s) == 0 && s.st_nlink == 2);
  CHECK(lstat("d/soft", &s) == 0 && S_ISLNK(s.st_mode) && s.st_size == 1);
  ssize_t length = readlink("d/soft", target, sizeof target);
  printf("soft -> %.*s, %d", (int)length, target, stat("d/soft", &s));
  printf("; readlink cut to %zd\n", readlink("d/dangling", target, 3));
  CHECK(rename("d/b", "d/renamed") == 0 && rename("d/renamed", "d/inner/moved") == 0 && rename("d/a", "d/hard2") == 0);
  list("d"), list("d/inner");

  int dir = open("d", O_RDONLY | O_DIRECTORY);
  CHECK(dir >= 0 && mkdirat(dir, "more", 0711) == 0 && fstatat(dir, "more", &s, 0) == 0 && S_ISDIR(s.st_mode));
  int fd = openat(dir, "inner/c", O_RDONLY);
  CHECK(fd >= 0 && read(fd, target, 9) == 9 && memcmp(target, "d/inner/c", 9) == 0);
  CHECK(renameat(dir, "hard2", dir, "more/last") == 0 && faccessat(dir, "more/last", R_OK, 0) == 0);
  CHECK(chdir("d/more") == 0 && getcwd(here, sizeof here) != NULL && strcmp(here + strlen(here) - 7, "/d/more") == 0);
  list("."), list("../inner");
  CHECK(fchdir(dir) == 0 && chdir("..") == 0);

  memset(name, 'n', sizeof name - 1), name[sizeof name - 1] = 0;
  CHECK(symlink("loop", "loop") == 0);
  printf("mkdir %s, rmdir %s %s, ", failure(mkdir("d", 0)), failure(rmdir("d")), failure(rmdir("d/hard")));
  printf("unlink %s, open %s %s, ", failure(unlink("gone")), failure(open("d/hard/x", O_RDONLY)), failure(open("loop", O_RDONLY)));
  printf("long %s, readlink %s, ", failure(open(name, O_RDONLY)), failure(readlink("d/hard", target, 9)));
  printf("rename %s %s, dangling %s\n", failure(rename("d", "d/inner/x")), failure(rename("gone", "x")), failure(stat("d/dangling", &s)));

  CHECK(unlinkat(dir, "inner", 0) == -1 && unlinkat(dir, "inner/c", 0) == 0 && unlinkat(dir, "inner/moved", 0) == 0);
  CHECK(unlinkat(dir, "inner", AT_REMOVEDIR) == 0 && unlink("d/more/last") == 0 && rmdir("d/more") == 0);
  CHECK(unlink("d/hard") == 0 && unlink("d/soft") == 0 && unlink("d/dangling") == 0 && unlink("loop") == 0);
  list("d");
  CHECK(close(fd) == 0 && close(dir) == 0 && rmdir("d") == 0 && access("d", F_OK) == -1);

  DIR *stream;
  CHECK(mkdir("many", 0755) == 0 && chdir("many") == 0);
  for (int i = 0; i < 200; i++) snprintf(name, sizeof name, "file-%03d", i), make(name);
  CHECK((stream = opendir(".")) != NULL);
  int count = 0;
  for (struct dirent *entry; (entry = readdir(stream)) != NULL;) count += entry->d_name[0] == 'f';
  rewinddir(stream);
  printf("%d files, again from the start %d\n", count, readdir(stream) != NULL);
  closedir(stream);
  for (int i = 0; i < 200; i++) snprintf(name, sizeof name, "file-%03d", i), unlink(name);
  return chdir("..") == 0 && rmdir("many") == 0 ? 5 : 6;
}
