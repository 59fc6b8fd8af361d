/* Regular files: what is written is read, and where. */
#include "behaviour.h"
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <linux/falloc.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/statfs.h>

BEHAVIOUR(create_exclusive) {
  int fd = open("a", O_CREAT | O_EXCL | O_WRONLY, 0640);
  CHECK(fd >= 0);
  FAILS(open("a", O_CREAT | O_EXCL | O_WRONLY, 0640), EEXIST);
  struct stat st;
  umask(022);
  CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 && st.st_nlink == 1);
  FAILS(open("none", O_RDONLY), ENOENT);
  FAILS(open("a/b", O_RDONLY), ENOTDIR);
}

BEHAVIOUR(positions_are_shared_by_dup) {
  int fd = file_with("a", "0123456789"), twin = dup(fd), other = open("a", O_RDONLY);
  char c;
  CHECK(lseek(fd, 3, SEEK_SET) == 3);
  CHECK(read(twin, &c, 1) == 1 && c == '3');
  CHECK(lseek(fd, 0, SEEK_CUR) == 4);
  CHECK(read(other, &c, 1) == 1 && c == '0');
}

BEHAVIOUR(append_always_writes_at_the_end) {
  int fd = file_with("a", "start"), end = open("a", O_WRONLY | O_APPEND);
  CHECK(lseek(end, 0, SEEK_SET) == 0);
  CHECK(write(end, "-1", 2) == 2 && write(fd, "-2", 2) == 2);
  CHECK(write(end, "-3", 2) == 2);
  CHECK(holds(fd, 0, "start-2-3"));
}

BEHAVIOUR(holes_read_as_zeros) {
  int fd = open("a", O_RDWR | O_CREAT, 0600);
  CHECK(pwrite(fd, "x", 1, 1 << 20) == 1);
  char b[16];
  memset(b, 1, sizeof b);
  CHECK(pread(fd, b, 16, 4096) == 16);
  for (int i = 0; i < 16; i++) CHECK(b[i] == 0);
  CHECK(lseek(fd, 0, SEEK_END) == (1 << 20) + 1);
  CHECK(pread(fd, b, 16, 1 << 20) == 1 && b[0] == 'x');
  CHECK(pread(fd, b, 16, 1 << 21) == 0);
}

BEHAVIOUR(positions_beyond_all_files) {
  loff_t far = 1ll << 62;
  int fd = file_with("a", "data"), other = file_with("b", "");
  char b[16];
  CHECK(pread64(fd, b, 4, far) == 0);
  FAILS(pwrite64(fd, b, 4, far), EFBIG);
  FAILS(pread64(fd, b, 4, -1), EINVAL);
  loff_t from = far;
  CHECK(copy_file_range(fd, &from, other, NULL, 4, 0) == 0 && from == far);
  FAILS(sendfile64(other, fd, &from, 4), EOVERFLOW);
  /* Devices have no positions. */
  int zeros = open("/dev/zero", O_RDONLY), full = open("/dev/full", O_RDWR);
  CHECK(pread64(zeros, b, 16, far) == 16 && pread64(full, b, 16, far + 12345) == 16);
  FAILS(pwrite64(full, b, 16, far), ENOSPC);
}

BEHAVIOUR(truncation_both_ways) {
  int fd = file_with("a", "0123456789");
  CHECK(ftruncate(fd, 4) == 0 && truncate("a", 8) == 0);
  char b[9];
  CHECK(pread(fd, b, 9, 0) == 8 && memcmp(b, "0123\0\0\0\0", 8) == 0);
  FAILS(truncate("none", 0), ENOENT);
  FAILS(ftruncate(fd, -1), EINVAL);
}

BEHAVIOUR(vectors) {
  int fd = open("a", O_RDWR | O_CREAT, 0600);
  struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
  CHECK(writev(fd, out, 3) == 5 && pwritev(fd, out, 1, 5) == 2);
  char x[4], y[8];
  struct iovec in[2] = {{x, 4}, {y, 8}};
  CHECK(preadv(fd, in, 2, 0) == 7 && memcmp(x, "abcd", 4) == 0 && memcmp(y, "eab", 3) == 0);
  FAILS(readv(fd, in, -1), EINVAL);
}

BEHAVIOUR(unlinked_file_lives_on) {
  int fd = file_with("a", "still here");
  CHECK(unlink("a") == 0);
  struct stat st;
  CHECK(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == 10);
  CHECK(write(fd, "!", 1) == 1 && holds(fd, 0, "still here!"));
  FAILS(open("a", O_RDONLY), ENOENT);
  char link[64], path[PATH_MAX];
  sprintf(link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  CHECK(n > 10 && memcmp(path + n - 10, " (deleted)", 10) == 0);
  int again = open(link, O_RDONLY);
  CHECK(again >= 0 && holds(again, 0, "still here!"));
}

BEHAVIOUR(rename_replaces) {
  int a = file_with("a", "one"), b = file_with("b", "two");
  CHECK(rename("a", "b") == 0);
  FAILS(open("a", O_RDONLY), ENOENT);
  int now = open("b", O_RDONLY);
  CHECK(holds(now, 0, "one") && holds(b, 0, "two") && holds(a, 0, "one"));
  FAILS(renameat2(AT_FDCWD, "none", AT_FDCWD, "x", 0), ENOENT);
  close(file_with("c", ""));
  FAILS(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_NOREPLACE), EEXIST);
}

BEHAVIOUR(hard_links) {
  int fd = file_with("a", "x");
  struct stat one, two;
  CHECK(link("a", "b") == 0 && stat("a", &one) == 0 && stat("b", &two) == 0);
  CHECK(one.st_ino == two.st_ino && one.st_nlink == 2);
  CHECK(unlink("a") == 0 && fstat(fd, &one) == 0 && one.st_nlink == 1);
  FAILS(link("none", "c"), ENOENT);
  FAILS(link("b", "b"), EEXIST);
}

BEHAVIOUR(symbolic_links) {
  close(file_with("a", "seen through"));
  CHECK(symlink("a", "l") == 0 && symlink("loop", "loop") == 0);
  char b[16];
  CHECK(readlink("l", b, 16) == 1 && b[0] == 'a');
  struct stat st;
  CHECK(lstat("l", &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 1);
  CHECK(stat("l", &st) == 0 && S_ISREG(st.st_mode));
  int fd = open("l", O_RDONLY);
  CHECK(holds(fd, 0, "seen"));
  FAILS(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
  FAILS(open("loop", O_RDONLY), ELOOP);
  FAILS(readlink("a", b, 16), EINVAL);
}

BEHAVIOUR(modes_and_umask) {
  umask(027);
  close(open("a", O_CREAT | O_WRONLY, 0666));
  struct stat st;
  CHECK(stat("a", &st) == 0 && (st.st_mode & 07777) == 0640);
  CHECK(chmod("a", 0604) == 0 && stat("a", &st) == 0 && (st.st_mode & 07777) == 0604);
  CHECK(umask(0) == 027);
  int fd = open("a", O_RDONLY);
  CHECK(fchmod(fd, 0400) == 0 && stat("a", &st) == 0 && (st.st_mode & 07777) == 0400);
}

BEHAVIOUR(times_of_files) {
  close(file_with("a", ""));
  struct timespec set[2] = {{1000, 5000}, {2000, 7000}}, omit[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  CHECK(utimensat(AT_FDCWD, "a", set, 0) == 0);
  struct stat st;
  CHECK(stat("a", &st) == 0 && st.st_atim.tv_sec == 1000 && st.st_mtim.tv_nsec == 7000);
  CHECK(utimensat(AT_FDCWD, "a", omit, 0) == 0 && stat("a", &st) == 0);
  CHECK(st.st_atim.tv_sec == 1000 && st.st_mtim.tv_sec > 100000);
}

BEHAVIOUR(locks_of_processes) {
  int fd = file_with("a", "0123456789");
  struct flock own = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 3};
  CHECK(fcntl(fd, F_SETLK, &own) == 0);
  pid_t child = fork();
  if (child == 0) {
    struct flock ask = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    CHECK(fcntl(fd, F_GETLK, &ask) == 0 && ask.l_type == F_WRLCK && ask.l_pid == getppid());
    CHECK(ask.l_start == 2 && ask.l_len == 3);
    struct flock free = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1};
    CHECK(fcntl(fd, F_SETLK, &free) == 0);
    struct flock taken = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 4, .l_len = 1};
    FAILS(fcntl(fd, F_SETLK, &taken), EAGAIN);
    _exit(0);
  }
  reap(child, 0);
}

BEHAVIOUR(locks_of_descriptions) {
  int one = file_with("a", ""), two = open("a", O_RDWR);
  CHECK(flock(one, LOCK_EX) == 0);
  FAILS(flock(two, LOCK_SH | LOCK_NB), EWOULDBLOCK);
  CHECK(flock(dup(one), LOCK_SH | LOCK_NB) == 0 && flock(two, LOCK_SH | LOCK_NB) == 0);
  close(two);
}

BEHAVIOUR(a_circle_of_waits_for_locks) {
  int fd = file_with("circle", "0123456789"), to[2];
  struct flock first = {.l_type = F_WRLCK, .l_start = 0, .l_len = 1}, second = {.l_type = F_WRLCK, .l_start = 1, .l_len = 1};
  char c;
  CHECK(pipe(to) == 0 && fcntl(fd, F_SETLK, &first) == 0);
  pid_t child = fork();
  if (child == 0) {
    /* One of the two is refused, whoever comes second; the lock that it gives up is what the other one waits for. */
    CHECK(fcntl(fd, F_SETLK, &second) == 0 && write(to[1], "x", 1) == 1);
    int refused = fcntl(fd, F_SETLKW, &first) == -1;
    CHECK(!refused || errno == EDEADLK);
    _exit(refused);
  }
  CHECK(read(to[0], &c, 1) == 1);
  int refused = fcntl(fd, F_SETLKW, &second) == -1;
  CHECK(!refused || errno == EDEADLK);
  first.l_type = F_UNLCK;
  CHECK(fcntl(fd, F_SETLK, &first) == 0);
  reap(child, !refused);
}

BEHAVIOUR(waiting_for_a_lock) {
  int fd = file_with("a", ""), to[2];
  CHECK(flock(fd, LOCK_EX) == 0 && pipe(to) == 0);
  pid_t child = fork();
  if (child == 0) {
    int own = open("a", O_RDWR);
    CHECK(write(to[1], "w", 1) == 1 && flock(own, LOCK_EX) == 0);
    CHECK(holds(own, 0, "ready"));
    _exit(0);
  }
  char c;
  CHECK(read(to[0], &c, 1) == 1);
  CHECK(pwrite(fd, "ready", 5, 0) == 5 && flock(fd, LOCK_UN) == 0);
  reap(child, 0);
}

BEHAVIOUR(copies_inside_the_kernel) {
  int from = file_with("a", "0123456789"), to = open("b", O_RDWR | O_CREAT, 0600);
  off_t at = 2;
  CHECK(sendfile(to, from, &at, 4) == 4 && at == 6 && holds(to, 0, "2345"));
  FAILS(sendfile(-1, -1, (off_t *)16, 4), EFAULT);
  FAILS(sendfile(-1, -1, &at, 4), EBADF);
  loff_t in = 0, out = 4;
  CHECK(copy_file_range(from, &in, to, &out, 3, 0) == 3 && in == 3 && out == 7);
  CHECK(holds(to, 0, "2345012"));
}

BEHAVIOUR(a_copy_whose_reader_goes) {
  int from = open("a", O_RDWR | O_CREAT, 0600), ends[2];
  char some[1000];
  CHECK(ftruncate(from, 1 << 22) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    CHECK(read(ends[1], some, sizeof some) == sizeof some);
    _exit(0);
  }
  close(ends[1]);
  ssize_t sent = sendfile(ends[0], from, NULL, 1 << 22);
  CHECK(sent > 0 && sent < 1 << 22 && lseek(from, 0, SEEK_CUR) == sent);
  FAILS(sendfile(ends[0], from, NULL, 1), EPIPE);
  CHECK(lseek(from, 0, SEEK_CUR) == sent);
  reap(child, 0);
}

BEHAVIOUR(space_and_punched_holes) {
  int fd = open("a", O_RDWR | O_CREAT, 0600);
  struct stat st;
  CHECK(posix_fallocate(fd, 0, 5000) == 0 && fstat(fd, &st) == 0 && st.st_size == 5000);
  CHECK(pwrite(fd, "abcdef", 6, 100) == 6);
  CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 102, 2) == 0);
  char b[6];
  CHECK(pread(fd, b, 6, 100) == 6 && memcmp(b, "ab\0\0ef", 6) == 0);
}

/* Only where Linux looks before it allocates: other file systems would be filled to the brim first. */
BEHAVIOUR(more_shared_memory_than_there_is) {
  char name[] = "/dev/shm/XXXXXX";
  int fd = mkstemp(name);
  struct stat64 st;
  struct statfs64 room;
  CHECK(fd >= 0 && fstatfs64(fd, &room) == 0 && room.f_type == 0x01021994);
  CHECK(room.f_bavail <= room.f_bfree && room.f_bfree <= room.f_blocks);
  FAILS(fallocate64(fd, 0, 0, 1ll << 43), ENOSPC);
  FAILS(fallocate64(fd, FALLOC_FL_KEEP_SIZE, 4096, 1ll << 43), ENOSPC);
  CHECK(posix_fallocate64(fd, 4096, 1ll << 43) == ENOSPC && fstat64(fd, &st) == 0 && st.st_size == 0);
  /* A hole needs none. */
  CHECK(fallocate64(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1ll << 43) == 0);
  CHECK(fallocate64(fd, 0, 0, 65536) == 0 && fstat64(fd, &st) == 0 && st.st_size == 65536);
  CHECK(unlink(name) == 0);
}

BEHAVIOUR(flags_of_descriptors) {
  int fd = file_with("a", "");
  CHECK(fcntl(fd, F_GETFD) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
  int high = fcntl(fd, F_DUPFD, 100), closed = fcntl(fd, F_DUPFD_CLOEXEC, 101);
  CHECK(high == 100 && fcntl(high, F_GETFD) == 0 && closed == 101 && fcntl(closed, F_GETFD) == FD_CLOEXEC);
  CHECK(dup3(fd, 200, O_CLOEXEC) == 200 && dup2(fd, fd) == fd);
  FAILS(dup3(fd, fd, 0), EINVAL);
  CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && fcntl(fd, F_SETFL, O_APPEND) == 0);
  CHECK((fcntl(high, F_GETFL) & O_APPEND) != 0);
  FAILS(read(99, &fd, 1), EBADF);
}

BEHAVIOUR(lowest_descriptor_first) {
  CHECK(syscall(SYS_close_range, 3, ~0u, 0) == 0);
  CHECK(open("/dev/null", O_RDONLY) == 3 && open("/dev/null", O_RDONLY) == 4);
  CHECK(close(3) == 0 && open("/dev/null", O_RDONLY) == 3);
}

BEHAVIOUR(temporary_files) {
  FILE *file = tmpfile();
  CHECK(file && fputs("kept", file) >= 0 && fseek(file, 0, SEEK_SET) == 0);
  char b[8];
  CHECK(fgets(b, 8, file) && strcmp(b, "kept") == 0);
  char name[] = "/tmp/behaviour-XXXXXX";
  int fd = mkstemp(name);
  CHECK(fd >= 0 && write(fd, "x", 1) == 1);
  int again = open(name, O_RDONLY);
  CHECK(holds(again, 0, "x") && unlink(name) == 0);
  FAILS(access(name, F_OK), ENOENT);
}

BEHAVIOUR(statx_agrees_with_stat) {
  int fd = file_with("a", "12345");
  struct statx x;
  struct stat st;
  CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x) == 0 && fstat(fd, &st) == 0);
  CHECK(x.stx_size == 5 && x.stx_ino == st.st_ino && x.stx_mode == st.st_mode && x.stx_nlink == 1);
  CHECK(x.stx_mtime.tv_sec == st.st_mtim.tv_sec);
}

/* The permission bits of a file. */
static int bits(const char *name) {
  struct stat s;
  CHECK(stat(name, &s) == 0);
  return s.st_mode & 07777;
}

BEHAVIOUR(set_id_bits_go_with_a_change) {
  if (geteuid() == 0) return; /* whom they stay for */
  int fd = file_with("a", "0123456789"), from = file_with("b", "x");
  off_t at = 0;
  for (int n = 0; n < 9; n++) {
    CHECK(fchmod(fd, 06755) == 0 && bits("a") == 06755);
    switch (n) {
    case 0: CHECK(write(fd, "x", 1) == 1); break;
    case 1: CHECK(pwrite(fd, "x", 1, 3) == 1); break;
    case 2: CHECK(ftruncate(fd, 8) == 0); break;
    case 3: CHECK(truncate("a", 6) == 0); break;
    case 4: CHECK(close(open("a", O_WRONLY | O_TRUNC)) == 0); break;
    case 5: CHECK(posix_fallocate(fd, 0, 100) == 0); break;
    case 6: CHECK(sendfile(fd, from, &at, 1) == 1); break;
    case 7: CHECK(chown("a", -1, -1) == 0); break;
    case 8: CHECK(fchown(fd, getuid(), getgid()) == 0); break;
    }
    CHECK(bits("a") == 0755);
  }
  /* Without execution by the group the bit means no set-id; reading, and what writes nothing, change nothing. */
  CHECK(fchmod(fd, 06745) == 0 && write(fd, "x", 1) == 1 && bits("a") == 02745);
  char b;
  CHECK(fchmod(fd, 06755) == 0 && pread(fd, &b, 1, 0) == 1 && write(fd, "", 0) == 0 && bits("a") == 06755);
  FAILS(ftruncate(fd, -1), EINVAL);
  CHECK(bits("a") == 06755);
}

BEHAVIOUR(set_id_bits_of_what_is_made) {
  umask(022);
  CHECK(close(open("a", O_WRONLY | O_CREAT, 04777)) == 0 && bits("a") == 04755);
  CHECK(unlink("a") == 0 && close(open("a", O_WRONLY | O_CREAT, 0777)) == 0 && bits("a") == 0755);
  CHECK(mkdir("d", 06777) == 0 && bits("d") == 0755);
  CHECK(chmod("d", 02755) == 0 && mkdir("d/e", 0700) == 0 && bits("d/e") == 02700);
  CHECK(chown("d", -1, getgid()) == 0 && bits("d") == 02755);
  CHECK(rmdir("d/e") == 0 && chmod("d", 0755) == 0 && mkdir("d/e", 0700) == 0 && bits("d/e") == 0700);
}

BEHAVIOUR(removed_links_can_be_read) {
  char text[16] = "";
  CHECK(symlink("nowhere", "l") == 0);
  int fd = open("l", O_PATH | O_NOFOLLOW);
  struct stat s;
  CHECK(unlink("l") == 0 && readlinkat(fd, "", text, sizeof text) == 7 && strcmp(text, "nowhere") == 0);
  CHECK(fstat(fd, &s) == 0 && S_ISLNK(s.st_mode) && s.st_nlink == 0);
}

BEHAVIOUR(links_of_proc_are_read_as_they_are_now) {
  char name[40], text[300] = "";
  int fd = open(".", O_PATH);
  sprintf(name, "/proc/self/fd/%d", fd);
  int link = open(name, O_PATH | O_NOFOLLOW);
  CHECK(readlinkat(link, "", text, sizeof text) > 1 && close(fd) == 0);
  FAILS(readlinkat(link, "", text, sizeof text), ENOENT);
  CHECK(open("/", O_PATH) == fd && readlinkat(link, "", text, sizeof text) == 1 && text[0] == '/');
}

BEHAVIOUR(links_of_a_process_that_has_ended_lead_nowhere) {
  static const char *const links[] = {"cwd", "exe", "root", "fd/0"};
  char name[40], text[300];
  int child = fork(), fds[4];
  if (child == 0) pause();
  for (int i = 0; i < 4; i++) {
    sprintf(name, "/proc/%d/%s", child, links[i]);
    fds[i] = open(name, O_PATH | O_NOFOLLOW);
    CHECK(fds[i] >= 0 && readlinkat(fds[i], "", text, sizeof text) > 0);
  }
  siginfo_t info;
  CHECK(kill(child, SIGKILL) == 0 && waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
  for (int i = 0; i < 4; i++) {
    sprintf(name, "/proc/%d/%s", child, links[i]);
    FAILS(readlink(name, text, sizeof text), ENOENT);
    FAILS(open(name, O_PATH), ENOENT);
  }
  for (int reaped = 0; reaped < 2; reaped++) {
    for (int i = 0; i < 4; i++) FAILS(readlinkat(fds[i], "", text, sizeof text), ENOENT);
    if (!reaped) CHECK(waitpid(child, NULL, 0) == child);
  }
}

BEHAVIOUR(nothing_is_made_in_a_removed_folder) {
  CHECK(mkdir("d", 0700) == 0 && chdir("d") == 0 && rmdir("../d") == 0);
  FAILS(open("x", O_WRONLY | O_CREAT, 0600), ENOENT);
  FAILS(mkdir("x", 0700), ENOENT);
  FAILS(link(".", "x"), ENOENT);
  FAILS(link("../d2", "x"), ENOENT);
  FAILS(symlink("y", "x"), ENOENT);
  FAILS(mknod("x", S_IFCHR | 0600, 0), ENOENT);
  FAILS(rename("../d2", "x"), ENOENT);
}

BEHAVIOUR(file_without_a_name) {
  struct open_how how = {.flags = O_TMPFILE | O_EXCL | O_RDWR, .mode = 0640};
  int fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);
  struct stat st;
  CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink == 0 && (st.st_mode & 07700) == 0600);
  CHECK(write(fd, "text", 4) == 4 && holds(fd, 0, "text"));
  how.flags = O_TMPFILE | O_EXCL | O_RDONLY;
  FAILS(syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how), EINVAL);
  how.flags = O_RDWR;
  FAILS(syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how), EINVAL);
}

BEHAVIOUR(how_long_writes_stay) {
  int fd = file_with("f", "text"), other = open("f", O_RDONLY);
  uint64_t hint = 7, told = 77;
  CHECK(fcntl(fd, F_GET_RW_HINT, &told) == 0 && told == 0);
  FAILS(fcntl(fd, F_SET_RW_HINT, &hint), EINVAL);
  FAILS(fcntl(fd, F_SET_RW_HINT, 16), EFAULT);
  hint = 4;
  CHECK(fcntl(fd, F_SET_RW_HINT, &hint) == 0 && fcntl(fd, F_GET_RW_HINT, &told) == 0 && told == 4);
  CHECK(fcntl(other, F_GET_RW_HINT, &told) == 0 && told == 4);
  hint = 0;
  CHECK(fcntl(other, F_SET_RW_HINT, &hint) == 0 && fcntl(fd, F_GET_RW_HINT, &told) == 0 && told == 0);
  FAILS(fcntl(fd, 1037, &told), EINVAL);
}

BEHAVIOUR(blocks_are_not_shared_where_that_makes_no_sense) {
  int from = file_with("from", "text"), to = file_with("to", ""), folder = open(".", O_RDONLY), ends[2];
  int reads = open("to", O_RDONLY), writes = open("from", O_WRONLY), appends = open("to", O_WRONLY | O_APPEND);
  CHECK(pipe(ends) == 0);
  FAILS(ioctl(to, FICLONE, 999), EBADF);
  FAILS(ioctl(reads, FICLONE, from), EBADF);
  FAILS(ioctl(to, FICLONE, writes), EBADF);
  FAILS(ioctl(appends, FICLONE, from), EBADF);
  FAILS(ioctl(to, FICLONE, folder), EISDIR);
  FAILS(ioctl(to, FICLONE, ends[0]), EXDEV);
  FAILS(ioctl(to, FICLONE, open("from", O_PATH)), EBADF);
  FAILS(ioctl(to, FICLONERANGE, 16), EFAULT);
  struct file_dedupe_range range = {0, 4, 0, 1, 0};
  FAILS(ioctl(from, FIDEDUPERANGE, &range), EINVAL);
  range.reserved1 = 0, range.dest_count = 1000;
  FAILS(ioctl(from, FIDEDUPERANGE, &range), ENOMEM);
  range.dest_count = 0;
  FAILS(ioctl(writes, FIDEDUPERANGE, &range), EINVAL);
  FAILS(ioctl(folder, FIDEDUPERANGE, &range), EISDIR);
}

static void name_of(int fd, char *into) { sprintf(into, "/proc/self/fd/%d", fd); }
BEHAVIOUR(a_file_without_a_name_gets_one) {
  struct stat status, named;
  char own[40];
  CHECK(mkdir("d", 0755) == 0);
  int fd = open("d", O_TMPFILE | O_RDWR, 0640), twin;
  CHECK(fd >= 0 && write(fd, "some text", 9) == 9 && fstat(fd, &status) == 0);
  CHECK(status.st_nlink == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0777) == 0640);
  name_of(fd, own);
  CHECK((twin = open(own, O_RDONLY)) >= 0 && rmdir("d") == 0 && mkdir("e", 0755) == 0);
  close(fd);
  close(twin);
  CHECK((fd = open("e", O_TMPFILE | O_WRONLY, 0600)) >= 0 && fstat(fd, &status) == 0);
  char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, twin = open((name_of(fd, own), own), O_RDWR), 0);
  CHECK(map != MAP_FAILED && write(fd, "first", 5) == 5);
  FAILS(linkat(fd, "", AT_FDCWD, "e/none", 0), ENOENT);
  close(file_with("taken", ""));
  FAILS(linkat(AT_FDCWD, own, AT_FDCWD, "taken", AT_SYMLINK_FOLLOW), EEXIST);
  FAILS(linkat(AT_FDCWD, own, AT_FDCWD, "none/name", AT_SYMLINK_FOLLOW), ENOENT);
  CHECK(linkat(AT_FDCWD, own, AT_FDCWD, "e/name", AT_SYMLINK_FOLLOW) == 0);
  CHECK(stat("e/name", &named) == 0 && named.st_ino == status.st_ino && named.st_nlink == 1);
  CHECK(fstat(fd, &named) == 0 && named.st_ino == status.st_ino && named.st_nlink == 1);
  CHECK(write(fd, " and more", 9) == 9 && holds(twin, 0, "first and more") && memcmp(map, "first and more", 14) == 0);
  int read = open("e/name", O_RDONLY);
  CHECK(read >= 0 && holds(read, 0, "first and more"));
  CHECK(rename("e/name", "e/other") == 0 && ftruncate(fd, 3) == 0 && stat("e/other", &named) == 0 && named.st_size == 3);
  CHECK(unlink("e/other") == 0 && fstat(fd, &named) == 0 && named.st_nlink == 0);
}

BEHAVIOUR(a_file_that_wants_no_name_gets_none) {
  char own[40];
  int fd = open(".", O_TMPFILE | O_EXCL | O_RDWR, 0600);
  CHECK(fd >= 0 && write(fd, "text", 4) == 4 && holds(fd, 0, "text"));
  name_of(fd, own);
  FAILS(linkat(AT_FDCWD, own, AT_FDCWD, "name", AT_SYMLINK_FOLLOW), ENOENT);
  FAILS(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
  FAILS(open("none", O_TMPFILE | O_RDWR, 0600), ENOENT);
  /* Nor does one that has lost its name. */
  int gone = file_with("gone", "text");
  CHECK(unlink("gone") == 0);
  name_of(gone, own);
  FAILS(linkat(AT_FDCWD, own, AT_FDCWD, "name", AT_SYMLINK_FOLLOW), ENOENT);
}

struct handle {
  unsigned bytes;
  int type;
  unsigned char content[128];
};
BEHAVIOUR(files_have_handles) {
  struct handle one = {0}, same = {128}, other = {128};
  int id, again, folder;
  close(file_with("f", "text"));
  close(file_with("g", ""));
  CHECK(mkdir("d", 0755) == 0 && symlink("f", "link") == 0);
  FAILS(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &one, &id, 0), EOVERFLOW);
  CHECK(one.bytes > 0 && one.bytes <= 128);
  CHECK(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &one, &id, 0) == 0);
  CHECK(syscall(SYS_name_to_handle_at, AT_FDCWD, "link", &same, &again, AT_SYMLINK_FOLLOW) == 0 && id == again);
  CHECK(one.bytes == same.bytes && one.type == same.type && memcmp(one.content, same.content, one.bytes) == 0);
  CHECK(syscall(SYS_name_to_handle_at, AT_FDCWD, "link", &other, &again, 0) == 0);
  CHECK(other.bytes != one.bytes || memcmp(one.content, other.content, one.bytes) != 0);
  CHECK((folder = open(".", O_RDONLY)) >= 0);
  other.bytes = 128;
  CHECK(syscall(SYS_name_to_handle_at, folder, "", &other, &again, AT_EMPTY_PATH) == 0 && id == again);
  FAILS(syscall(SYS_name_to_handle_at, AT_FDCWD, "none", &other, &id, 0), ENOENT);
  FAILS(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &other, &id, 0x10000), EINVAL);
  FAILS(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", 16, &id, 0), EFAULT);
  other.bytes = 129;
  FAILS(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &other, &id, 0), EINVAL);
  other.bytes = 128;
  FAILS(syscall(SYS_name_to_handle_at, AT_FDCWD, "/proc/self/status", &other, &id, 0), EOPNOTSUPP);
  if (geteuid() != 0) {
    FAILS(syscall(SYS_open_by_handle_at, folder, &one, O_RDONLY), EPERM);
    return;
  }
  CHECK(rename("f", "d/renamed") == 0);
  int fd = syscall(SYS_open_by_handle_at, folder, &one, O_RDONLY);
  CHECK(fd >= 0 && holds(fd, 0, "text") && close(fd) == 0 && unlink("d/renamed") == 0);
  FAILS(syscall(SYS_open_by_handle_at, folder, &one, O_RDONLY), ESTALE);
  one.bytes = 0;
  FAILS(syscall(SYS_open_by_handle_at, folder, &one, O_RDONLY), EINVAL);
  FAILS(syscall(SYS_open_by_handle_at, 99, &same, O_RDONLY), EBADF);
}
