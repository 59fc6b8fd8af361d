/* What calls say of arguments that few programs give them, and in which order they look at them. */
#include "behaviour.h"
#include <sys/epoll.h>
#include <arpa/inet.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/xattr.h>

#define NOWHERE ((void *)-1)

BEHAVIOUR(clocks_say_what_they_cannot_do_before_they_look_at_times) {
  struct timespec zero = {0, 0}, wrong = {0, -1}, short_one = {0, 1000}, got;
  int without[] = {CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, -5};
  for (int i = 0; i < 5; i++) {
    FAILS(syscall(SYS_clock_nanosleep, without[i], 0, NOWHERE, NULL), EOPNOTSUPP);
    FAILS(syscall(SYS_clock_nanosleep, without[i], 0, &wrong, NULL), EOPNOTSUPP);
  }
  CHECK(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &zero, NULL) == 0);
  CHECK(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &zero, NULL) == 0);
  /* The thread's own CPU clock, by its number. */
  FAILS(syscall(SYS_clock_nanosleep, -2, 0, &zero, NULL), EINVAL);
  FAILS(syscall(SYS_clock_nanosleep, 1000, 0, NOWHERE, NULL), EINVAL);
  /* Where the rest would go is only looked at when there is one. */
  CHECK(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &short_one, NOWHERE) == 0);
  FAILS(syscall(SYS_clock_settime, CLOCK_MONOTONIC, NOWHERE), EINVAL);
  FAILS(syscall(SYS_clock_settime, -6, NOWHERE), EFAULT);
  FAILS(syscall(SYS_clock_settime, -6, &wrong), EPERM);
  FAILS(syscall(SYS_clock_settime, -5, &zero), EINVAL);
  CHECK(syscall(SYS_clock_getres, -6, &got) == 0 && got.tv_nsec == 1);
  CHECK(syscall(SYS_clock_getres, -7, &got) == 0 && got.tv_nsec > 1);
  FAILS(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, NOWHERE), EFAULT);
  struct timex times = {.modes = 0x8000};
  FAILS(syscall(SYS_adjtimex, &times), EINVAL);
}

BEHAVIOUR(who_may_not_is_told_after_what_cannot_be) {
  if (geteuid() == 0) return;
  file_with("f", "");
  CHECK(mkdir("closed", 0600) == 0 && symlink("b", "a") == 0 && symlink("a", "b") == 0);
  FAILS(chroot("f"), ENOTDIR);
  FAILS(chroot("nothing"), ENOENT);
  FAILS(chroot("a"), ELOOP);
  FAILS(chroot(NOWHERE), EFAULT);
  FAILS(chroot("closed"), EACCES);
  FAILS(chroot("."), EPERM);
  FAILS(umount2(".", 99), EINVAL);
  FAILS(syscall(SYS_setns, -1, 0), EBADF);
  FAILS(syscall(SYS_setns, open("f", O_RDONLY), 0), EINVAL);
  FAILS(syscall(SYS_setns, open("/proc/self/ns/uts", O_RDONLY), 0), EPERM);
  FAILS(chmod("/proc/self/status", 0644), EPERM);
}

BEHAVIOUR(clone3_says_what_does_not_go_together) {
  struct {
    uint64_t flags, pidfd, child, parent, signal, stack, stack_size, tls, ids, ids_size, cgroup;
  } args = {.flags = CLONE_PARENT, .signal = SIGCHLD};
  FAILS(syscall(435, &args, sizeof args), EINVAL);
  args.flags = 0x200000000ULL;
  args.cgroup = -1;
  FAILS(syscall(435, &args, sizeof args), EINVAL);
  args.cgroup = 9999;
  FAILS(syscall(435, &args, sizeof args), EBADF);
  args.flags = 0x80;
  if (geteuid() != 0) FAILS(syscall(435, &args, sizeof args), EPERM);
}

BEHAVIOUR(ranges_are_copied_up_to_the_end_and_within_what_numbers_hold) {
  int from = file_with("from", "0123456789"), to = file_with("to", "");
  loff_t at = 1LL << 62, other = 0;
  if (sizeof(long) == 8) FAILS(syscall(SYS_copy_file_range, from, &at, to, &other, -1L, 0), EOVERFLOW);
  at = -1;
  FAILS(syscall(SYS_copy_file_range, from, &at, to, &other, 6L, 0), EOVERFLOW);
  FAILS(syscall(SYS_copy_file_range, from, NOWHERE, to, &other, 6L, 1), EFAULT);
  FAILS(syscall(SYS_copy_file_range, open("/proc/self/maps", O_RDONLY), NULL, to, NULL, 6L, 0), EXDEV);
  at = 6;
  CHECK(syscall(SYS_copy_file_range, from, &at, from, &other, 100L, 0) == 4 && at == 10 && other == 4);
  CHECK(holds(from, 0, "6789456789"));
  at = 6, other = 3;
  FAILS(syscall(SYS_copy_file_range, from, &at, from, &other, 4L, 0), EINVAL);
}

BEHAVIOUR(exclusive_interests_cannot_be_changed) {
  int set = epoll_create1(0), ends[2];
  struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
  CHECK(pipe(ends) == 0 && epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0);
  event.events = EPOLLIN;
  FAILS(epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &event), EINVAL);
  CHECK(epoll_ctl(set, EPOLL_CTL_DEL, ends[0], &event) == 0);
  FAILS(syscall(SYS_epoll_pwait, set, &event, 1, 0, NOWHERE, 7L), EINVAL);
  FAILS(syscall(SYS_epoll_pwait, set, &event, 1, 0, NOWHERE, 8L), EFAULT);
  FAILS(syscall(SYS_epoll_wait, set, NOWHERE, 1, 0), EFAULT);
}

BEHAVIOUR(buffers_that_go_on_beyond_memory_are_faults) {
  int events = eventfd(1, EFD_NONBLOCK);
  FAILS(read(events, NOWHERE, 8), EFAULT);
  FAILS(write(events, NOWHERE, 8), EFAULT);
  int fd = file_with("f", "0123456789");
  FAILS(pread(fd, NOWHERE, 8, 0), EFAULT);
  FAILS(pwrite(fd, (char *)NOWHERE - 3, 8, 0), EFAULT);
  CHECK(holds(fd, 0, "0123456789"));
}

BEHAVIOUR(what_is_no_regular_file_is_taken_for_none) {
  int ends[2], null = open("/dev/null", O_RDWR), fd = file_with("f", "0123456789");
  CHECK(pipe(ends) == 0 && mkfifo("named", 0600) == 0);
  FAILS(truncate("named", 0), EINVAL);
  FAILS(readahead(null, 0, 1), EINVAL);
  FAILS(sync_file_range(null, 0, 0, 1), ESPIPE);
  if (geteuid() != 0) FAILS(fcntl(null, F_SETLEASE, F_RDLCK), EACCES);
  /* What can't tell of itself does not say that it would. */
  CHECK(fcntl(fd, F_SETFL, O_ASYNC) == 0 && (fcntl(fd, F_GETFL) & O_ASYNC) == 0);
  CHECK(fcntl(ends[0], F_SETFL, O_ASYNC) == 0 && (fcntl(ends[0], F_GETFL) & O_ASYNC) != 0);
  CHECK(flock(fd, LOCK_MAND | LOCK_READ) == 0);
  FAILS(flock(-1, 0), EINVAL);
  FAILS(open(".", O_TMPFILE | O_CREAT | O_RDWR, 0600), EINVAL);
  if (geteuid() == 0) return;
  int block = 0;
  FAILS(ioctl(fd, FIBMAP, &block), EPERM);
  FAILS(ioctl(fd, FIFREEZE, 0), EPERM);
}

BEHAVIOUR(descriptors_tell_of_the_file_system_of_their_kind) {
  struct statfs found;
  int ends[2];
  CHECK(pipe(ends) == 0 && fstatfs(ends[0], &found) == 0 && found.f_type == 0x50495045);
  CHECK(fstatfs(socket(AF_UNIX, SOCK_STREAM, 0), &found) == 0 && found.f_type == 0x534f434b);
  CHECK(fstatfs(epoll_create1(0), &found) == 0 && found.f_type == 0x09041934);
  CHECK(fstatfs(eventfd(0, 0), &found) == 0 && found.f_type == 0x09041934);
  CHECK(fstatfs(open("/proc/self/ns/uts", O_RDONLY), &found) == 0 && found.f_type == 0x6e736673);
  CHECK(statfs("/proc/self", &found) == 0 && found.f_type == 0x9fa0);
  CHECK(statfs("/sys", &found) == 0 && found.f_type == 0x62656572);
  CHECK(statfs("/dev/pts", &found) == 0 && found.f_type == 0x1cd1);
}

BEHAVIOUR(messages_for_nowhere_are_lost) {
  int queue = msgget(IPC_PRIVATE, 0600);
  struct {
    long type;
    char text[8];
  } message = {1, "one"};
  CHECK(queue >= 0 && msgsnd(queue, &message, 3, 0) == 0);
  message.type = 2;
  CHECK(msgsnd(queue, &message, 4, 0) == 0);
  FAILS(msgrcv(queue, NOWHERE, 8, 1, 0), EFAULT);
  CHECK(msgrcv(queue, &message, 8, 0, IPC_NOWAIT) == 4 && message.type == 2);
  CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
}

BEHAVIOUR(random_devices_tell_how_much_they_have) {
  int fd = open("/dev/urandom", O_RDONLY), bits = 0;
  CHECK(ioctl(fd, RNDGETENTCNT, &bits) == 0 && bits == strtol(contents("/proc/sys/kernel/random/entropy_avail"), NULL, 10));
  if (geteuid() == 0) return;
  FAILS(ioctl(fd, RNDADDTOENTCNT, &bits), EPERM);
  FAILS(ioctl(fd, RNDZAPENTCNT), EPERM);
  FAILS(ioctl(open("/dev/zero", O_RDONLY), RNDGETENTCNT, &bits), ENOTTY);
}

BEHAVIOUR(addresses_that_are_not_here_are_said_to_be_before_a_second_name) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  CHECK(bind(fd, (void *)&address, sizeof address) == 0);
  FAILS(bind(fd, (void *)&address, sizeof address), EINVAL);
  address.sin_addr.s_addr = htonl(0xc0000201);
  FAILS(bind(fd, (void *)&address, sizeof address), EADDRNOTAVAIL);
}

/* The line of a table of /proc/sysvipc that an object has, by its id: whether its words are these. */
static int listed(const char *path, int id, const char *wanted) {
  static char at[32];
  sprintf(at, " %10d ", id);
  char *line = strchr(contents(path), '\n'), got[200];
  for (; line && line[1]; line = strchr(line + 1, '\n')) {
    if (strncmp(line + 11, at, 12) != 0) continue;
    size_t length = 0;
    for (char *word = strtok(line + 12, " \n"), *all = got; word && length++ < 5; word = strtok(NULL, " \n"))
      all += sprintf(all, "%s ", word);
    return strncmp(got, wanted, strlen(wanted)) == 0;
  }
  return 0;
}

BEHAVIOUR(system_v_objects_are_listed) {
  int segment = shmget(IPC_PRIVATE, 5000, 0640), queue = msgget(IPC_PRIVATE, 0604), set = semget(IPC_PRIVATE, 3, 0600);
  struct {
    long type;
    char text[8];
  } message = {1, "message"};
  CHECK(segment >= 0 && queue >= 0 && set >= 0 && msgsnd(queue, &message, 7, 0) == 0);
  char wanted[100];
  sprintf(wanted, "%d 640 5000 %d 0 ", segment, getpid());
  CHECK(listed("/proc/sysvipc/shm", segment, wanted));
  sprintf(wanted, "%d 604 7 1 %d ", queue, getpid());
  CHECK(listed("/proc/sysvipc/msg", queue, wanted));
  sprintf(wanted, "%d 600 3 %d %d ", set, getuid(), getgid());
  CHECK(listed("/proc/sysvipc/sem", set, wanted));
  CHECK(shmctl(segment, IPC_RMID, NULL) == 0 && !listed("/proc/sysvipc/shm", segment, ""));
  CHECK(msgctl(queue, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID) == 0);
}

/* What is mounted where is looked at before who may do that. */
BEHAVIOUR(mounts_that_make_no_sense) {
  FAILS(mount("none", "nothing-of-that-name", "tmpfs", 0, NULL), ENOENT);
  FAILS(mount(NOWHERE, "nothing-of-that-name", "tmpfs", 0, NULL), EFAULT);
  FAILS(mount("none", NOWHERE, "tmpfs", 0, NULL), EFAULT);
  FAILS(mount("none", "nothing-of-that-name", NOWHERE, 0, NULL), EFAULT);
  FAILS(mount("none", "nothing-of-that-name", "tmpfs", 0, NOWHERE), EFAULT);
  FAILS(umount2("nothing-of-that-name", 0), ENOENT);
  FAILS(umount2("nothing-of-that-name", 99), EINVAL);
  FAILS(umount2(NOWHERE, 0), EFAULT);
  if (getuid() == 0) return;
  FAILS(mount("none", ".", "tmpfs", 0, NULL), EPERM);
  FAILS(umount2(".", 0), EPERM);
}

/* Memory that no program has, and memory that nobody can have. */
#define LOW ((void *)8)
#define MUCH ((size_t)LONG_MAX)

BEHAVIOUR(buffers_that_cannot_be_are_refused_however_little_is_wanted) {
  char room[8];
  int fd = file_with("f", "hello"), ends[2], nothing = open("/dev/null", O_RDWR), full = open("/dev/full", O_RDWR);
  struct iovec wild[2] = {{NOWHERE, 0}, {LOW, 0}}, wrong[2] = {{NOWHERE, 1}, {room, -1}};
  if (sizeof(long) == 8) {
    FAILS(read(fd, NOWHERE, 0), EFAULT);
    FAILS(write(fd, NOWHERE, 0), EFAULT);
    FAILS(pread(fd, NOWHERE, 0, 0), EFAULT);
    FAILS(readv(fd, wild, 2), EFAULT);
    FAILS(writev(nothing, wild, 2), EFAULT);
    FAILS(read(nothing, LOW, MUCH), EFAULT);
  }
  CHECK(read(fd, LOW, 0) == 0 && write(fd, LOW, 0) == 0);
  FAILS(readv(fd, wrong, 2), EINVAL);
  CHECK(readv(fd, NOWHERE, 0) == 0 && writev(full, NOWHERE, 0) == 0 && readv(open(".", O_RDONLY), wild, 0) == 0);
  FAILS(lseek(fd, 0, 99), EINVAL);
  CHECK(pipe(ends) == 0);
  FAILS(lseek(ends[0], 0, 99), EINVAL);
  FAILS(lseek(ends[0], 0, SEEK_SET), ESPIPE);
  FAILS(syscall(SYS_preadv2, open("f", O_WRONLY), wild, 2, 0L, 0L, 0x1000), EBADF);
  FAILS(write(full, room, 0), ENOSPC);
}

BEHAVIOUR(memory_is_looked_at_when_there_is_something_to_move) {
  char room[8];
  int fd = file_with("f", "hello"), ends[2], pair[2], nothing = open("/dev/null", O_RDWR), full = open("/dev/full", O_RDWR);
  struct iovec second[3] = {{room, 0}, {LOW, 1}, {room, 1}}, cut[2] = {{room, 2}, {LOW, 1}};
  CHECK(read(fd, LOW, 1) == 0 && readv(fd, second, 3) == 0 && lseek(fd, 0, SEEK_SET) == 0);
  FAILS(read(fd, LOW, 1), EFAULT);
  CHECK(readv(fd, cut, 2) == 2 && lseek(fd, 0, SEEK_CUR) == 2);
  CHECK(write(nothing, LOW, 1) == 1 && writev(nothing, second, 3) == 2 && read(nothing, LOW, 1) == 0);
  FAILS(write(full, LOW, 1), ENOSPC);
  FAILS(writev(full, second, 3), ENOSPC);
  /* The buffers of a pipe are filled whole, or not at all. */
  CHECK(pipe2(ends, O_NONBLOCK) == 0);
  FAILS(read(ends[0], LOW, 1), EAGAIN);
  FAILS(readv(ends[0], second, 3), EAGAIN);
  FAILS(writev(ends[1], cut, 2), EFAULT);
  CHECK(write(ends[1], "abcdefgh", 8) == 8);
  FAILS(read(ends[0], LOW, 1), EFAULT);
  FAILS(readv(ends[0], cut, 2), EFAULT);
  CHECK(read(ends[0], room, 8) == 8 && memcmp(room, "abcdefgh", 8) == 0);
  close(ends[1]);
  CHECK(read(ends[0], LOW, 1) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == 0);
  FAILS(read(pair[0], LOW, 1), EAGAIN);
  CHECK(read(pair[0], LOW, 0) == 0 && send(pair[1], "x", 1, 0) == 1);
  FAILS(recv(pair[0], LOW, 1, MSG_PEEK), EFAULT);
  FAILS(recv(pair[0], LOW, 1, 0), EFAULT);
  /* A message is lost with the memory that was to take it. */
  FAILS(recv(pair[0], room, 1, 0), EAGAIN);
  FAILS(write(socket(AF_INET, SOCK_DGRAM, 0), LOW, 1), EDESTADDRREQ);
}

BEHAVIOUR(what_has_no_reading_says_so_first) {
  int counter = eventfd(1, EFD_NONBLOCK), set = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  uint64_t value;
  FAILS(read(counter, LOW, 0), EINVAL);
  FAILS(read(counter, LOW, 1), EINVAL);
  FAILS(write(counter, LOW, 7), EINVAL);
  FAILS(write(counter, LOW, 8), EFAULT);
  FAILS(read(counter, LOW, 8), EFAULT);
  /* It was told, and nobody has heard it. */
  FAILS(read(counter, &value, 8), EAGAIN);
  FAILS(read(set, NOWHERE, 1), EINVAL);
  FAILS(write(set, &value, 8), EINVAL);
  FAILS(writev(set, NOWHERE, 1), EINVAL);
  FAILS(write(timer, NOWHERE, 8), EINVAL);
  FAILS(read(timer, LOW, 1), EINVAL);
  FAILS(read(timer, LOW, 8), EAGAIN);
  FAILS(lseek(counter, 0, 99), EINVAL);
}

BEHAVIOUR(positions_in_what_is_made_as_it_is_read) {
  int setting = open("/proc/sys/kernel/ostype", O_RDONLY), processors = open("/sys/devices/system/cpu/online", O_RDONLY);
  int status = open("/proc/self/status", O_RDONLY), name = open("/proc/self/comm", O_RDWR);
  CHECK(lseek(setting, 0, SEEK_END) == 0 && lseek(processors, 0, SEEK_END) == 4096);
  FAILS(lseek(setting, 0, SEEK_DATA), ENXIO);
  FAILS(lseek(status, 0, SEEK_END), EINVAL);
  FAILS(lseek(open("/proc/version", O_RDONLY), 0, SEEK_END), EINVAL);
  FAILS(pwrite(name, "a", 1, 0), ESPIPE);
  FAILS(pwrite(status, "a", 1, 0), ESPIPE);
  FAILS(pwrite(setting, "a", 1, 0), EBADF);
  CHECK(fsync(processors) == 0);
  FAILS(fsync(status), EINVAL);
  FAILS(fsync(open("/proc/self", O_RDONLY)), EINVAL);
  FAILS(fsync(open("/sys", O_RDONLY)), EINVAL);
}

BEHAVIOUR(positions_in_memory_are_addresses) {
  int memory = open("/proc/self/mem", O_RDONLY), pages = open("/proc/self/pagemap", O_RDONLY), at[2] = {memory, pages};
  static char byte;
  for (int i = 0; i < 2; i++) {
    CHECK(lseek(at[i], -8192, SEEK_SET) == -8192 && lseek(at[i], 4096, SEEK_CUR) == -4096);
    FAILS(lseek(at[i], 0, SEEK_END), EINVAL);
    FAILS(lseek(at[i], 0, SEEK_DATA), EINVAL);
  }
  FAILS(read(memory, &byte, 1), EIO);
  FAILS(pread(memory, &byte, 1, -4096), EINVAL);
  FAILS(read(pages, &byte, 1), EINVAL);
  CHECK(lseek(memory, (off_t)&byte, SEEK_SET) == (off_t)&byte);
  byte = 7;
  char got = 0;
  CHECK(read(memory, &got, 1) == 1 && got == 7);
}

BEHAVIOUR(what_is_made_as_it_is_read_cannot_be_mapped) {
  const char *once[] = {"/proc/version", "/proc/meminfo", "/proc/self/net/dev", "/proc/stat"};
  const char *of_others[] = {"/proc/self/status", "/proc/self/comm", "/proc/sys/kernel/ostype", "/sys/devices/system/cpu/online"};
  for (int i = 0; i < 4; i++) {
    errno = 0;
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, open(once[i], O_RDONLY), 0) == MAP_FAILED && errno == EIO);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, open(of_others[i], O_RDONLY), 0) == MAP_FAILED && errno == ENODEV);
  }
}

/* To the microsecond, to which a time can be set everywhere. */
static long long microseconds_of(const char *name) {
  struct stat status;
  return stat(name, &status) == 0 ? status.st_mtim.tv_sec * 1000000LL + status.st_mtim.tv_nsec / 1000 : -1;
}

BEHAVIOUR(what_is_touched_is_not_newer_than_what_is_written_next) {
  struct timespec now[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  for (int i = 0; i < 20; i++) {
    usleep(1500);
    unlink("before"), unlink("touched"), unlink("after");
    int fd = open("touched", O_CREAT | O_WRONLY, 0600);
    CHECK(close(open("before", O_CREAT | O_WRONLY, 0600)) == 0);
    CHECK(i % 2 ? futimens(fd, now) == 0 : utimensat(AT_FDCWD, "touched", now, 0) == 0);
    CHECK(close(open("after", O_CREAT | O_WRONLY, 0600)) == 0 && close(fd) == 0);
    CHECK(microseconds_of("before") <= microseconds_of("touched"));
    CHECK(microseconds_of("touched") <= microseconds_of("after"));
  }
}

BEHAVIOUR(times_that_are_copied_are_the_same) {
  struct stat first, second;
  int from = open("from", O_CREAT | O_WRONLY, 0600), to = open("to", O_CREAT | O_WRONLY, 0600);
  CHECK(write(from, "x", 1) == 1 && fstat(from, &first) == 0);
  struct timespec times[2] = {first.st_atim, first.st_mtim};
  CHECK(futimens(to, times) == 0 && fstat(to, &second) == 0);
  CHECK(first.st_mtim.tv_sec == second.st_mtim.tv_sec && first.st_mtim.tv_nsec == second.st_mtim.tv_nsec);
  CHECK(first.st_atim.tv_sec == second.st_atim.tv_sec && first.st_atim.tv_nsec == second.st_atim.tv_nsec);
  struct statx more;
  CHECK(statx(from, "", AT_EMPTY_PATH, STATX_MTIME, &more) == 0);
  CHECK(more.stx_mtime.tv_sec == first.st_mtim.tv_sec && more.stx_mtime.tv_nsec == first.st_mtim.tv_nsec);
}

BEHAVIOUR(status_tells_where_file_systems_begin) {
  struct { const char *name; int begins; } places[] = {{"/proc", 1}, {"/dev", 1}, {"/proc/version", 0}, {"/proc/self", 0}};
  for (int i = 0; i < 4; i++) {
    struct statx named, opened;
    int fd = open(places[i].name, O_RDONLY);
    CHECK(fd >= 0 && statx(AT_FDCWD, places[i].name, 0, STATX_BASIC_STATS, &named) == 0);
    CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &opened) == 0);
    CHECK(!(named.stx_attributes & STATX_ATTR_MOUNT_ROOT) == !places[i].begins);
    CHECK(named.stx_attributes == opened.stx_attributes && named.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT);
  }
}
BEHAVIOUR(sockets_tell_what_they_speak) {
  static const struct {
    int domain, type, protocol;
    const char *name;
  } kinds[] = {
      {AF_UNIX, SOCK_STREAM, 0, "UNIX-STREAM"},   {AF_UNIX, SOCK_DGRAM, 0, "UNIX"},
      {AF_UNIX, SOCK_SEQPACKET, 0, "UNIX"},       {AF_INET, SOCK_STREAM, 0, "TCP"},
      {AF_INET, SOCK_DGRAM, 0, "UDP"},            {AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, "UDP-Lite"},
      {AF_INET6, SOCK_STREAM, 0, "TCPv6"},        {AF_INET6, SOCK_DGRAM, 0, "UDPv6"},
      {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, "NETLINK"},
  };
  const char *attribute = "system.sockprotoname";
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    int fd = socket(kinds[i].domain, kinds[i].type, kinds[i].protocol);
    char name[64], path[64];
    int length = strlen(kinds[i].name) + 1;
    CHECK(fd >= 0 && fgetxattr(fd, attribute, NULL, 0) == length);
    CHECK(fgetxattr(fd, attribute, name, sizeof name) == length && strcmp(name, kinds[i].name) == 0);
    sprintf(path, "/proc/self/fd/%d", fd);
    CHECK(getxattr(path, attribute, name, length) == length && strcmp(name, kinds[i].name) == 0);
    FAILS(fgetxattr(fd, attribute, name, length - 1), ERANGE);
    FAILS(fgetxattr(fd, attribute, (void *)8, 64), EFAULT);
    CHECK(flistxattr(fd, name, sizeof name) == (int)strlen(attribute) + 1 && strcmp(name, attribute) == 0);
    FAILS(fgetxattr(fd, "user.x", name, sizeof name), ENODATA);
    FAILS(fgetxattr(fd, "system.x", name, sizeof name), EOPNOTSUPP);
    close(fd);
  }
}
/* The state of a socket's line in /proc/net/netlink: its number there, or -1. */
static long listed_number(int fd) {
  struct stat status;
  CHECK(fstat(fd, &status) == 0);
  FILE *table = fopen("/proc/net/netlink", "r");
  char line[256];
  unsigned long number, inode;
  long found = -1;
  while (fgets(line, sizeof line, table))
    if (sscanf(line, "%*s %*s %lu %*s %*s %*s %*s %*s %*s %lu", &number, &inode) == 2 && inode == status.st_ino) found = number;
  fclose(table);
  return found;
}
BEHAVIOUR(netlink_is_listed_from_when_it_has_a_number) {
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  CHECK(listed_number(fd) == -1);
  struct sockaddr_nl name = {AF_NETLINK};
  CHECK(bind(fd, (void *)&name, sizeof name) == 0 && listed_number(fd) == getpid());
  struct {
    struct nlmsghdr head;
    struct rtgenmsg body;
  } question = {{NLMSG_LENGTH(sizeof(struct rtgenmsg)), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1}, {AF_UNSPEC}};
  close(fd);
  fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  CHECK(send(fd, &question, question.head.nlmsg_len, 0) > 0);
  socklen_t length = sizeof name;
  CHECK(getsockname(fd, (void *)&name, &length) == 0 && name.nl_pid == getpid());
  CHECK(listed_number(fd) == getpid());
  close(fd);
}
BEHAVIOUR(what_is_longer_than_known_is_read_up_to_what_is_not_zero) {
  long page = sysconf(_SC_PAGESIZE);
  char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(munmap(pages + page, page) == 0);
  uint64_t *end = (void *)(pages + page);
  FAILS(syscall(SYS_clone3, end - 20, 180), EFAULT);
  FAILS(syscall(SYS_openat2, AT_FDCWD, "/", end - 20, 180), EFAULT);
  end[-1] = 1;
  FAILS(syscall(SYS_clone3, end - 20, 180), E2BIG);
  FAILS(syscall(SYS_openat2, AT_FDCWD, "/", end - 20, 180), E2BIG);
  *(uint32_t *)(end - 20) = 180;
  FAILS(syscall(SYS_sched_setattr, 0, end - 20, 0), E2BIG);
  *(uint32_t *)(end - 20) = 180;
  end[-1] = 0;
  FAILS(syscall(SYS_sched_setattr, 0, end - 20, 0), EFAULT);
}
BEHAVIOUR(memory_of_no_file_has_any_offset) {
#if ULONG_MAX > 4294967295UL
  char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0xcafedeadbeef000);
  CHECK(at != MAP_FAILED && (*at = 1) == 1);
#endif
}
