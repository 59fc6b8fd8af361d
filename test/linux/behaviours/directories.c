/* Folders and paths. */
#include "behaviour.h"
#include <dirent.h>

static int count(const char *path) {
  DIR *folder = opendir(path);
  CHECK(folder);
  int found = 0;
  while (readdir(folder)) found++;
  closedir(folder);
  return found;
}

BEHAVIOUR(make_list_remove) {
  CHECK(mkdir("d", 0755) == 0 && count("d") == 2);
  for (int i = 0; i < 60; i++) {
    char name[32];
    sprintf(name, "d/file-number-%d", i);
    close(open(name, O_CREAT | O_WRONLY, 0600));
  }
  CHECK(count("d") == 62);
  FAILS(rmdir("d"), ENOTEMPTY);
  FAILS(mkdir("d", 0755), EEXIST);
  for (int i = 0; i < 60; i++) {
    char name[32];
    sprintf(name, "d/file-number-%d", i);
    CHECK(unlink(name) == 0);
  }
  CHECK(rmdir("d") == 0);
  FAILS(rmdir("d"), ENOENT);
}

BEHAVIOUR(listing_goes_on_where_it_was) {
  char name[16], seen[64] = {0};
  for (int i = 0; i < 40; i++) {
    sprintf(name, "f%d", i);
    close(open(name, O_CREAT | O_WRONLY, 0600));
  }
  DIR *folder = opendir(".");
  long place = -1;
  int total = 0;
  struct dirent *entry;
  while ((entry = readdir(folder))) {
    if (entry->d_name[0] != 'f') continue;
    seen[atoi(entry->d_name + 1)]++;
    if (++total == 10) place = telldir(folder);
  }
  for (int i = 0; i < 40; i++) CHECK(seen[i] == 1);
  seekdir(folder, place);
  int rest = 0;
  while ((entry = readdir(folder)))
    if (entry->d_name[0] == 'f') rest++;
  CHECK(rest == 30);
  rewinddir(folder);
  CHECK(readdir(folder));
}

BEHAVIOUR(types_in_listings) {
  CHECK(mkdir("d", 0700) == 0 && symlink("d", "l") == 0 && mkfifo("p", 0600) == 0);
  close(open("f", O_CREAT, 0600));
  DIR *folder = opendir(".");
  struct dirent *entry;
  while ((entry = readdir(folder))) {
    struct stat st;
    CHECK(lstat(entry->d_name, &st) == 0 && (entry->d_name[0] == '.' || st.st_ino == entry->d_ino));
    CHECK(IFTODT(st.st_mode) == entry->d_type);
  }
}

BEHAVIOUR(working_directory) {
  char before[PATH_MAX], now[PATH_MAX];
  CHECK(getcwd(before, sizeof before) && mkdir("d", 0755) == 0 && chdir("d") == 0 && getcwd(now, sizeof now));
  CHECK(strncmp(now, before, strlen(before)) == 0 && strcmp(now + strlen(before), "/d") == 0);
  int up = open("..", O_RDONLY | O_DIRECTORY);
  CHECK(rename("../d", "../e") == 0 && getcwd(now, sizeof now) && strcmp(now + strlen(before), "/e") == 0);
  CHECK(fchdir(up) == 0 && getcwd(now, sizeof now) && strcmp(now, before) == 0);
  FAILS(chdir("none"), ENOENT);
  char small[2];
  CHECK(getcwd(small, 2) == NULL && errno == ERANGE);
}

BEHAVIOUR(removed_working_directory) {
  char path[PATH_MAX];
  CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0 && rmdir("../d") == 0);
  CHECK(getcwd(path, sizeof path) == NULL && errno == ENOENT);
  FAILS(open("x", O_CREAT | O_WRONLY, 0600), ENOENT);
  CHECK(chdir("..") == 0 && getcwd(path, sizeof path));
}

BEHAVIOUR(nothing_moves_into_a_removed_folder) {
  CHECK(mkdir("d", 0700) == 0 && chdir("d") == 0 && rmdir("../d") == 0);
  CHECK(mkdir("../d", 0700) == 0 && mkdir("../d/x", 0700) == 0);
  FAILS(rename("../d", "b"), ENOENT);
  FAILS(syscall(SYS_renameat2, AT_FDCWD, "../d", AT_FDCWD, "x", 2), ENOENT);
}

BEHAVIOUR(relative_to_descriptors) {
  CHECK(mkdir("d", 0755) == 0);
  int folder = open("d", O_RDONLY | O_DIRECTORY), path = open("d", O_PATH);
  int fd = openat(folder, "f", O_CREAT | O_RDWR, 0600);
  CHECK(fd >= 0 && write(fd, "in d", 4) == 4 && access("d/f", R_OK) == 0);
  CHECK(faccessat(path, "f", R_OK, 0) == 0 && linkat(folder, "f", AT_FDCWD, "g", 0) == 0);
  CHECK(mkdirat(path, "sub", 0700) == 0 && renameat(AT_FDCWD, "g", folder, "sub/h") == 0);
  CHECK(unlinkat(folder, "sub/h", 0) == 0 && unlinkat(folder, "sub", AT_REMOVEDIR) == 0);
  CHECK(symlinkat("f", folder, "l") == 0);
  char b[4];
  CHECK(readlinkat(folder, "l", b, 4) == 1);
  FAILS(openat(fd, "x", O_RDONLY), ENOTDIR);
  FAILS(openat(999, "x", O_RDONLY), EBADF);
  FAILS(read(path, b, 1), EBADF);
}

BEHAVIOUR(paths_with_dots_and_slashes) {
  CHECK(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0);
  close(open("a/f", O_CREAT, 0600));
  CHECK(access("./a//b/../f", F_OK) == 0 && access("a/b/", F_OK) == 0);
  FAILS(access("a/f/", F_OK), ENOTDIR);
  FAILS(access("a/none/../f", F_OK), ENOENT);
  FAILS(access("", F_OK), ENOENT);
  char name[NAME_MAX + 2];
  memset(name, 'x', sizeof name);
  name[NAME_MAX + 1] = 0;
  FAILS(open(name, O_RDONLY), ENAMETOOLONG);
  name[NAME_MAX] = 0;
  CHECK(close(open(name, O_CREAT, 0600)) == 0 && unlink(name) == 0);
}

BEHAVIOUR(links_to_folders) {
  CHECK(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && symlink("a/b", "l") == 0);
  close(open("l/f", O_CREAT, 0600));
  CHECK(access("a/b/f", F_OK) == 0 && access("l/../b/f", F_OK) == 0);
  FAILS(rmdir("l"), ENOTDIR);
  FAILS(open("l", O_RDONLY | O_DIRECTORY | O_NOFOLLOW), ENOTDIR);
  CHECK(unlink("l") == 0 && access("a/b/f", F_OK) == 0);
}

BEHAVIOUR(names_change_places) {
  CHECK(mkdir("a", 0700) == 0 && mkdir("a/in", 0700) == 0);
  int fd = file_with("b", "text");
  CHECK(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE) == 0);
  CHECK(access("b/in", F_OK) == 0 && holds(fd, 0, "text"));
  int again = open("a", O_RDONLY);
  CHECK(again >= 0 && holds(again, 0, "text"));
  CHECK(renameat2(AT_FDCWD, "a", AT_FDCWD, "a", RENAME_EXCHANGE) == 0);
  FAILS(renameat2(AT_FDCWD, "a", AT_FDCWD, "none", RENAME_EXCHANGE), ENOENT);
  FAILS(renameat2(AT_FDCWD, "b", AT_FDCWD, "b/in", RENAME_EXCHANGE), EINVAL);
  FAILS(renameat2(AT_FDCWD, "b/in", AT_FDCWD, "b", RENAME_EXCHANGE), EINVAL);
  FAILS(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
  FAILS(renameat2(AT_FDCWD, "a/", AT_FDCWD, "b", RENAME_EXCHANGE), ENOTDIR);
}

BEHAVIOUR(rename_of_folders) {
  CHECK(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && mkdir("c", 0755) == 0);
  int inside = open("a/b", O_RDONLY | O_DIRECTORY);
  CHECK(rename("a", "c") == 0 && access("c/b", F_OK) == 0);
  close(openat(inside, "f", O_CREAT, 0600));
  CHECK(access("c/b/f", F_OK) == 0);
  FAILS(rename("c", "c/b/x"), EINVAL);
  CHECK(mkdir("d", 0755) == 0);
  FAILS(rename("d", "c"), ENOTEMPTY);
}

BEHAVIOUR(unlink_of_folders_and_rmdir_of_files) {
  CHECK(mkdir("d", 0755) == 0);
  close(open("f", O_CREAT, 0600));
  CHECK(unlink("d") == -1 && (errno == EISDIR || errno == EPERM));
  FAILS(rmdir("f"), ENOTDIR);
  FAILS(rmdir("."), EINVAL);
  FAILS(open("d", O_WRONLY), EISDIR);
}

BEHAVIOUR(openat2_confines) {
  struct {
    uint64_t flags, mode, resolve;
  } how = {O_RDONLY, 0, 0x08};
  CHECK(mkdir("d", 0755) == 0);
  close(open("d/f", O_CREAT, 0600));
  int folder = open("d", O_PATH);
  CHECK(syscall(437, folder, "f", &how, sizeof how) >= 0);
  FAILS(syscall(437, folder, "../d/f", &how, sizeof how), EXDEV);
  FAILS(syscall(437, folder, "/etc", &how, sizeof how), EXDEV);
}

BEHAVIOUR(glob_of_many) {
  char path[64];
  CHECK(mkdir("t", 0755) == 0);
  for (int i = 0; i < 20; i++) {
    sprintf(path, "t/%d", i);
    CHECK(mkdir(path, 0755) == 0);
    sprintf(path, "t/%d/leaf", i);
    close(open(path, O_CREAT, 0600));
  }
  DIR *top = opendir("t");
  int leaves = 0;
  struct dirent *entry;
  while ((entry = readdir(top))) {
    if (entry->d_name[0] == '.') continue;
    int fd = openat(dirfd(top), entry->d_name, O_RDONLY | O_DIRECTORY);
    DIR *below = fdopendir(fd);
    while ((entry = readdir(below))) leaves += strcmp(entry->d_name, "leaf") == 0;
    closedir(below);
  }
  CHECK(leaves == 20);
}
