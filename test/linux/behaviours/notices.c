/* inotify: what is told of files and folders, and in which order. */
#include "behaviour.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>

static char told[4096];
/* Reads all there is: "wd:MASK[name] ...", a cookie as +. */
static const char *tell(int fd) {
  char buffer[4096] __attribute__((aligned(8)));
  char *out = told;
  *out = 0;
  for (;;) {
    ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0) {
      CHECK(errno == EAGAIN);
      return told;
    }
    for (char *at = buffer; at < buffer + n;) {
      struct inotify_event *e = (struct inotify_event *)at;
      out += sprintf(out, "%s%d:%x%s%s%s", out == told ? "" : " ", e->wd, e->mask, e->len ? "/" : "", e->len ? e->name : "",
                     e->cookie ? "+" : "");
      at += sizeof *e + e->len;
    }
  }
}
#define TOLD(fd, text)                                                                                        \
  do {                                                                                                        \
    if (strcmp(tell(fd), text) != 0) {                                                                        \
      printf("%s line %d: told %s\n", __func__, __LINE__, told);                                              \
      fflush(stdout);                                                                                         \
      _exit(1);                                                                                               \
    }                                                                                                         \
  } while (0)
static int watching(const char *path, unsigned mask) {
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  CHECK(fd >= 0 && inotify_add_watch(fd, path, mask) == 1);
  return fd;
}

BEHAVIOUR(folder_tells_of_its_entries) {
  int fd = watching(".", IN_ALL_EVENTS);
  char buffer[8];
  int file = open("a", O_RDWR | O_CREAT, 0644);
  CHECK(write(file, "text", 4) == 4 && pread(file, buffer, 4, 0) == 4);
  close(file);
  TOLD(fd, "1:100/a 1:20/a 1:2/a 1:1/a 1:8/a");
  CHECK(mkdir("d", 0755) == 0 && symlink("a", "s") == 0 && mkfifo("p", 0600) == 0);
  TOLD(fd, "1:40000100/d 1:100/s 1:100/p");
  CHECK(link("a", "l") == 0 && chmod("a", 0600) == 0 && truncate("a", 2) == 0);
  TOLD(fd, "1:100/l 1:4/a 1:2/a");
  CHECK(rename("l", "d/l") == 0 && rename("d/l", "m") == 0 && rename("m", "n") == 0);
  TOLD(fd, "1:40/l+ 1:80/m+ 1:40/m+ 1:80/n+");
  CHECK(unlink("n") == 0 && unlink("a") == 0 && rmdir("d") == 0);
  TOLD(fd, "1:200/n 1:200/a 1:40000200/d");
  close(open("a", O_WRONLY | O_CREAT | O_TRUNC, 0644));
  close(open("a", O_RDONLY));
  close(open("a", O_PATH));
  TOLD(fd, "1:100/a 1:20/a 1:8/a 1:20/a 1:10/a");
}

BEHAVIOUR(file_tells_of_itself) {
  close(file_with("a", "abc"));
  int fd = watching("a", IN_ALL_EVENTS);
  int dir = watching(".", IN_ALL_EVENTS);
  CHECK(rename("a", "b") == 0 && link("b", "c") == 0 && chmod("b", 0600) == 0);
  TOLD(fd, "1:800 1:4");
  int file = open("b", O_RDONLY);
  CHECK(unlink("c") == 0 && unlink("b") == 0);
  TOLD(fd, "1:20 1:4");
  close(file);
  TOLD(fd, "1:10 1:400 1:8000");
  FAILS(inotify_rm_watch(fd, 1), EINVAL);
  TOLD(dir, "1:40/a+ 1:80/b+ 1:100/c 1:4/b 1:20/b 1:200/c 1:200/b 1:10/b");
}

BEHAVIOUR(folder_tells_of_its_end) {
  CHECK(mkdir("d", 0755) == 0);
  int fd = watching("d", IN_ALL_EVENTS);
  CHECK(inotify_add_watch(fd, ".", IN_ALL_EVENTS) == 2);
  CHECK(rename("d", "e") == 0);
  TOLD(fd, "2:40000040/d+ 2:40000080/e+ 1:800");
  CHECK(rmdir("e") == 0);
  TOLD(fd, "1:400 1:8000 2:40000200/e");
}

BEHAVIOUR(file_that_is_replaced_ends) {
  close(file_with("a", "1"));
  close(file_with("b", "2"));
  int fd = watching("b", IN_ALL_EVENTS);
  CHECK(inotify_add_watch(fd, "a", IN_ALL_EVENTS) == 2);
  CHECK(rename("a", "b") == 0);
  TOLD(fd, "1:4 2:800 1:400 1:8000");
  close(open("b", O_RDONLY));
  TOLD(fd, "2:20 2:10");
}

BEHAVIOUR(masks_choose_and_flags_act) {
  int fd = watching(".", IN_CREATE);
  CHECK(inotify_add_watch(fd, ".", IN_DELETE | IN_MASK_ADD) == 1);
  close(file_with("a", "1"));
  CHECK(unlink("a") == 0);
  TOLD(fd, "1:100/a 1:200/a");
  CHECK(inotify_add_watch(fd, ".", IN_DELETE | IN_ONESHOT) == 1);
  close(file_with("a", "1"));
  close(file_with("b", "1"));
  CHECK(unlink("a") == 0 && unlink("b") == 0);
  TOLD(fd, "1:200/a 1:8000");
  close(file_with("f", "1"));
  FAILS(inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
  CHECK(symlink("f", "s") == 0);
  CHECK(inotify_add_watch(fd, "s", IN_OPEN) == 2 && inotify_add_watch(fd, "f", IN_OPEN) == 2);
  CHECK(inotify_add_watch(fd, "s", IN_OPEN | IN_DONT_FOLLOW) == 3);
  FAILS(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE), EEXIST);
  close(open("s", O_RDONLY));
  TOLD(fd, "2:20");
  CHECK(inotify_rm_watch(fd, 2) == 0);
  TOLD(fd, "2:8000");
}

BEHAVIOUR(unlinked_entries_can_be_left_out) {
  int with = watching(".", IN_MODIFY), without = watching(".", IN_MODIFY | IN_EXCL_UNLINK);
  int file = file_with("a", "1");
  CHECK(unlink("a") == 0 && write(file, "2", 1) == 1);
  TOLD(without, "1:2/a");
  TOLD(with, "1:2/a");
}

BEHAVIOUR(errors_and_sizes) {
  char buffer[64];
  int fd = inotify_init(), size = -1;
  FAILS(inotify_init1(1), EINVAL);
  FAILS(inotify_add_watch(fd, ".", 0), EINVAL);
  FAILS(inotify_add_watch(fd, ".", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE), EINVAL);
  FAILS(inotify_add_watch(fd, "nothing", IN_OPEN), ENOENT);
  FAILS(inotify_add_watch(1000, ".", IN_OPEN), EBADF);
  FAILS(inotify_add_watch(0, ".", IN_OPEN), EINVAL);
  FAILS(inotify_rm_watch(fd, 7), EINVAL);
  FAILS(write(fd, buffer, 1), EBADF);
  CHECK(inotify_add_watch(fd, ".", IN_CREATE) == 1);
  struct pollfd p = {fd, POLLIN | POLLOUT, 0};
  CHECK(poll(&p, 1, 0) == 0);
  close(file_with("abcdefghijklmno", "1"));
  close(file_with("abcdefghijklmnop", "1"));
  CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
  CHECK(ioctl(fd, FIONREAD, &size) == 0 && size == 16 + 16 + 16 + 32);
  FAILS(read(fd, buffer, 31), EINVAL);
  CHECK(read(fd, buffer, 64) == 32 && poll(&p, 1, 0) == 1 && read(fd, buffer, 64) == 48);
  CHECK(lseek(fd, 0, SEEK_SET) == 0 || errno == ESPIPE);
}

BEHAVIOUR(reader_waits_for_another_process) {
  int fd = inotify_init();
  char buffer[256] __attribute__((aligned(8)));
  CHECK(inotify_add_watch(fd, ".", IN_CREATE) == 1);
  pid_t child = fork();
  if (child == 0) {
    CHECK(mkdir("sub", 0700) == 0);
    _exit(0);
  }
  CHECK(read(fd, buffer, sizeof buffer) == 32);
  struct inotify_event *e = (struct inotify_event *)buffer;
  CHECK(e->mask == (IN_CREATE | IN_ISDIR) && strcmp(e->name, "sub") == 0);
  reap(child, 0);
}

BEHAVIOUR(same_thing_is_told_once) {
  int fd = watching(".", IN_MODIFY);
  int file = open("a", O_WRONLY | O_CREAT, 0600);
  for (int i = 0; i < 5; i++) CHECK(write(file, "x", 1) == 1);
  TOLD(fd, "1:2/a");
}

BEHAVIOUR(copies_are_told_of_where_there_is_something_to_copy) {
  int pipes[2], from = file_with("a", "abc"), to = open("b", O_RDWR | O_CREAT, 0600);
  CHECK(pipe(pipes) == 0 && lseek(from, 0, SEEK_END) == 3);
  int fd = watching(".", IN_ACCESS | IN_MODIFY);
  CHECK(sendfile(to, from, NULL, 10) == 0 && copy_file_range(from, NULL, to, NULL, 10, 0) == 0);
  CHECK(splice(from, NULL, pipes[1], NULL, 10, 0) == 0);
  TOLD(fd, "");
  CHECK(lseek(from, 0, SEEK_SET) == 0 && sendfile(to, from, NULL, 10) == 3);
  TOLD(fd, "1:1/a 1:2/b");
  CHECK(lseek(from, 0, SEEK_SET) == 0 && copy_file_range(from, NULL, to, NULL, 10, 0) == 3);
  TOLD(fd, "1:1/a 1:2/b");
  CHECK(lseek(from, 0, SEEK_SET) == 0 && splice(from, NULL, pipes[1], NULL, 10, 0) == 3);
  CHECK(splice(pipes[0], NULL, to, NULL, 10, 0) == 3);
  TOLD(fd, "1:1/a 1:2/b");
}

BEHAVIOUR(many_files_are_watched_each_once) {
  int fd = inotify_init1(IN_NONBLOCK);
  char name[8];
  for (int i = 0; i < 500; i++) {
    sprintf(name, "f%d", i);
    close(file_with(name, "1"));
    CHECK(inotify_add_watch(fd, name, IN_DELETE_SELF) == i + 1);
  }
  int other = watching("f7", IN_MODIFY);
  CHECK(inotify_add_watch(fd, "f7", IN_MODIFY) == 8 && inotify_add_watch(other, "f8", IN_MODIFY) == 2);
  close(open("f7", O_WRONLY | O_TRUNC));
  TOLD(fd, "8:2");
  TOLD(other, "1:2");
}

BEHAVIOUR(queue_that_is_full_says_so) {
  int fd = watching(".", IN_CREATE | IN_DELETE), size, overflows = 0, last = 0;
  char buffer[65536] __attribute__((aligned(8)));
  for (int i = 0; i < 8200; i++) CHECK(mkdir("d", 0700) == 0 && rmdir("d") == 0);
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;)
    for (char *at = buffer; at < buffer + n; at += sizeof(struct inotify_event) + ((struct inotify_event *)at)->len) {
      last = ((struct inotify_event *)at)->mask;
      overflows += last == IN_Q_OVERFLOW && ((struct inotify_event *)at)->wd == -1;
    }
  CHECK(overflows == 1 && last == IN_Q_OVERFLOW);
}
