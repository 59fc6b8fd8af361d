/* Does what its first argument lists, an operation a line, and says what came of each. Built for the host and for guests. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* LEVELS: how far below a folder of its own it begins. */
enum { SLOTS = 6, MAPS = 4, LENGTH = 12288, LEVELS = 4 };
static int fds[SLOTS];
static char *maps[MAPS];
/* The files of shared mappings, and how long they are. */
static struct { dev_t dev; ino_t ino; long size; } shared[MAPS];
static char top[4096];
static int linked;
static sigjmp_buf beyond;

static void on_bus(int signo) { siglongjmp(beyond, signo); }

static void say(long result) {
  if (result < 0)
    printf(" %s", strerrorname_np(errno));
  else
    printf(" %ld", result);
}

/* A path below the folder that all is in. */
static const char *below(const char *path) {
  size_t length = strlen(top);
  return strncmp(path, top, length) ? path : path + length;
}

static int flags_of(const char *letters) {
  int flags = strchr(letters, 'w') ? (strchr(letters, 'r') ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (strchr(letters, 'c')) flags |= O_CREAT;
  if (strchr(letters, 'x')) flags |= O_EXCL;
  if (strchr(letters, 't')) flags |= O_TRUNC;
  if (strchr(letters, 'a')) flags |= O_APPEND;
  if (strchr(letters, 'd')) flags |= O_DIRECTORY;
  if (strchr(letters, 'p')) flags |= O_PATH;
  if (strchr(letters, 'n')) flags |= O_NOFOLLOW;
  return flags;
}

static void say_stat(int result, const struct stat *s) {
  say(result);
  if (result < 0) return;
  printf(" %o links", s->st_mode & (S_IFMT | 07777));
  if (S_ISDIR(s->st_mode))
    printf(" %s", s->st_nlink ? "some" : "0");
  else
    printf(" %d size %ld", (int)s->st_nlink, (long)s->st_size);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

static void list(int fd) {
  char *names[64];
  int count = 0, again = openat(fd, ".", O_RDONLY | O_DIRECTORY);
  DIR *dir = again < 0 ? NULL : fdopendir(again);
  if (!dir) {
    say(-1);
    return;
  }
  for (struct dirent *e; count < 64 && (e = readdir(dir));) names[count++] = strdup(e->d_name);
  closedir(dir);
  qsort(names, count, sizeof *names, by_name);
  for (int i = 0; i < count; i++) printf(" %s", names[i]);
}

static void note_size(const struct stat *s) {
  for (int m = 0; m < MAPS; m++)
    if (shared[m].dev == s->st_dev && shared[m].ino == s->st_ino) shared[m].size = s->st_size;
}

static void touch(int m, long at, const char *letter) {
  if (!maps[m]) {
    printf(" none");
    return;
  }
  /* Linux drops what lies there whenever it writes the page back. */
  if (shared[m].ino && at >= shared[m].size && at < (shared[m].size + 4095 & -4096)) {
    printf(" behind the end");
    return;
  }
  if (sigsetjmp(beyond, 1)) {
    printf(" SIGBUS");
    return;
  }
  if (*letter != '-') maps[m][at] = *letter;
  printf(" %d", maps[m][at]);
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = on_bus};
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  setvbuf(stdout, NULL, _IOLBF, 4096);
  umask(022);
  for (int i = 0; i < SLOTS; i++) fds[i] = -1;
  getcwd(top, sizeof top);
  for (int level = 0; level < LEVELS; level++) *strrchr(top, '/') = 0;
  char *save, *line = argc > 1 ? strtok_r(argv[1], "\n", &save) : NULL;
  for (int n = 0; line; line = strtok_r(NULL, "\n", &save), n++) {
    char op[16] = "", a[64] = "", b[64] = "", buffer[300];
    int x = 0, y = 0;
    struct stat s;
    sscanf(line, "%15s %d %d %63s %63s", op, &x, &y, a, b);
    printf("%d %s:", n, line);
    int fd = fds[x % SLOTS], at = y < 0 ? AT_FDCWD : fds[y % SLOTS];
    memset(buffer, 0, sizeof buffer);
    if (!strcmp(op, "open")) {
      if (fd >= 0) close(fd);
      int opened = openat(at, a, flags_of(b), 0644);
      say(opened < 0 ? -1 : 0);
      fds[x % SLOTS] = opened < 0 ? -1 : fcntl(opened, F_DUPFD, 20 + x % SLOTS);
      if (opened >= 0) close(opened);
    } else if (!strcmp(op, "again")) {
      sprintf(buffer, "/proc/self/fd/%d", at);
      int opened = open(buffer, flags_of(b));
      say(opened < 0 ? -1 : 0);
      if (opened >= 0 && fd >= 0) close(fd);
      if (opened >= 0) {
        fds[x % SLOTS] = fcntl(opened, F_DUPFD, 20 + x % SLOTS);
        close(opened);
      }
    } else if (!strcmp(op, "close")) {
      say(close(fd));
      fds[x % SLOTS] = -1;
    } else if (!strcmp(op, "write"))
      say(write(fd, a, strlen(a)));
    else if (!strcmp(op, "pwrite"))
      say(pwrite(fd, a, strlen(a), y));
    else if (!strcmp(op, "read")) {
      say(read(fd, buffer, y));
      for (int i = 0; i < y && i < 40; i++) printf("%c", buffer[i] ? buffer[i] : '.');
    } else if (!strcmp(op, "pread")) {
      say(pread(fd, buffer, 20, y));
      for (int i = 0; i < 20; i++) printf("%c", buffer[i] ? buffer[i] : '.');
    } else if (!strcmp(op, "seek")) {
      /* What positions a directory has is its file system's affair. */
      if (fstat(fd, &s) == 0 && S_ISDIR(s.st_mode))
        printf(" folder");
      else
        say(lseek(fd, y, atoi(a)));
    } else if (!strcmp(op, "cut"))
      say(ftruncate(fd, y));
    else if (!strcmp(op, "truncate"))
      say(truncate(a, y));
    else if (!strcmp(op, "map")) {
      int m = y % MAPS;
      if (maps[m]) munmap(maps[m], LENGTH);
      maps[m] = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, *a == 's' ? MAP_SHARED : MAP_PRIVATE, fd, 0);
      say(maps[m] == MAP_FAILED ? -1 : 0);
      if (maps[m] == MAP_FAILED) maps[m] = NULL;
      shared[m].ino = 0;
      if (maps[m] && *a == 's' && fstat(fd, &s) == 0) {
        shared[m].dev = s.st_dev;
        shared[m].ino = s.st_ino;
      }
    } else if (!strcmp(op, "unmap")) {
      say(maps[x % MAPS] ? munmap(maps[x % MAPS], LENGTH) : 1);
      maps[x % MAPS] = NULL;
    } else if (!strcmp(op, "touch"))
      touch(x % MAPS, y, a);
    else if (!strcmp(op, "link")) {
      int result = linkat(at, a, AT_FDCWD, b, 0);
      linked |= result == 0;
      say(result);
    } else if (!strcmp(op, "rename"))
      say(renameat(at, a, AT_FDCWD, b));
    else if (!strcmp(op, "unlink"))
      say(unlinkat(at, a, 0));
    else if (!strcmp(op, "mkdir"))
      say(mkdirat(at, a, 0755));
    else if (!strcmp(op, "rmdir"))
      say(unlinkat(at, a, AT_REMOVEDIR));
    else if (!strcmp(op, "symlink"))
      say(symlinkat(b, at, a));
    else if (!strcmp(op, "chdir"))
      say(chdir(a));
    else if (!strcmp(op, "fchdir"))
      say(fchdir(fd));
    else if (!strcmp(op, "chmod"))
      say(fchmod(fd, y));
    else if (!strcmp(op, "cwd")) {
      char *cwd = getcwd(buffer, sizeof buffer);
      if (cwd) printf(" %s", below(cwd));
      else say(-1);
    } else if (!strcmp(op, "fstat"))
      say_stat(fstat(fd, &s), &s);
    else if (!strcmp(op, "stat"))
      say_stat(fstatat(at, a, &s, *b == 'l' ? AT_SYMLINK_NOFOLLOW : 0), &s);
    else if (!strcmp(op, "text")) {
      /* How long it is depends on where the host has its folders, and on process ids. */
      say(readlinkat(fd, "", buffer, sizeof buffer - 1) < 0 ? -1 : 0);
      printf(" %s", below(buffer));
    } else if (!strcmp(op, "list"))
      list(at);
    else if (!strcmp(op, "name")) {
      char path[40];
      sprintf(path, "/proc/self/fd/%d", fd);
      int length = readlink(path, buffer, sizeof buffer - 1);
      if (length < 0) say(-1);
      /* Of several names a thaw takes one that is there. */
      else if (linked && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_nlink > 0) printf(" one of several");
      /* After a thaw it knows the name that it had, not the folder's that was renamed since. */
      else if (strstr(buffer, " (deleted)")) printf(" %s", strrchr(buffer, '/'));
      else printf(" %s", below(buffer));
    } else
      printf(" what?");
    for (int i = 0; i < SLOTS; i++)
      if (fds[i] >= 0 && fstat(fds[i], &s) == 0) note_size(&s);
    if (!strcmp(op, "truncate") && stat(a, &s) == 0) note_size(&s);
    printf("\n");
  }
  return 0;
}
