/* What calls refuse, with which error where several would do, and what they have done before they do. */
#include "behaviour.h"
#include <linux/openat2.h>
#include <linux/stat.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/statfs.h>

#define PAGE 65536L
static char *pages(int n) {
  char *at = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED);
  return at;
}
/* An address of the last page that there are numbers for, which nobody has. */
#define NOWHERE ((char *)-1L)

BEHAVIOUR(positions_are_judged_before_what_a_file_was_opened_for) {
  char bytes[4];
  int ends[2], fd = file_with("f", "text");
  struct iovec vector = {bytes, 4};
  CHECK(pipe(ends) == 0);
  FAILS(pread(ends[1], bytes, 1, 0), ESPIPE);
  FAILS(pwrite(ends[0], bytes, 1, 0), ESPIPE);
  FAILS(pread(999, bytes, 1, -1), EINVAL);
  FAILS(pwrite(999, bytes, 1, -1), EINVAL);
  FAILS(preadv(999, &vector, 1, -1), EINVAL);
  FAILS(preadv(ends[1], &vector, 1, 0), ESPIPE);
  FAILS(pwritev2(ends[0], &vector, 1, 0, 0), ESPIPE);
  FAILS(preadv2(fd, &vector, 1, -2, 0), EINVAL);
  FAILS(pread(open("f", O_WRONLY), bytes, 1, 0), EBADF);
  FAILS(sendfile(fd, open("f", O_RDONLY), NULL, -1), EINVAL);
  FAILS(sync_file_range(open("/dev/zero", O_RDWR), 0, 1, SYNC_FILE_RANGE_WRITE), ESPIPE);
}

BEHAVIOUR(nothing_is_read_from_the_end_of_all_addresses) {
  int ends[2], fd = file_with("f", "text");
  CHECK(pipe(ends) == 0);
  FAILS(pwrite(fd, NOWHERE, 4, 0), EFAULT);
  FAILS(write(fd, NOWHERE, 100000), EFAULT);
  FAILS(write(ends[1], NOWHERE, 4), EFAULT);
  struct iovec vector = {NOWHERE, 4};
  FAILS(writev(fd, &vector, 1), EFAULT);
  FAILS(pwritev(fd, &vector, 1, 0), EFAULT);
  FAILS(pread(fd, NOWHERE, 4, 0), EFAULT);
  CHECK(lseek(fd, 0, SEEK_END) == 4);
}

BEHAVIOUR(names_that_end_as_folders_do_are_never_made_files) {
  close(file_with("f", "text"));
  CHECK(mkdir("d", 0755) == 0);
  FAILS(open("f/", O_CREAT | O_RDWR, 0600), EISDIR);
  FAILS(open("d/", O_CREAT | O_RDWR, 0600), EISDIR);
  FAILS(open("new//", O_CREAT | O_RDWR, 0600), EISDIR);
  FAILS(open("none/new/", O_CREAT | O_RDWR, 0600), ENOENT);
  FAILS(open("f/new/", O_CREAT | O_RDWR, 0600), ENOTDIR);
  FAILS(open("f/", O_RDWR), ENOTDIR);
  struct open_how how = {.flags = O_CREAT | O_RDWR, .mode = 0600, .resolve = 0x20};
  FAILS(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof how), EAGAIN);
  how = (struct open_how){.flags = O_RDONLY | O_TRUNC, .resolve = 0x20};
  FAILS(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof how), EAGAIN);
  how = (struct open_how){.flags = O_RDONLY, .resolve = 0x40};
  FAILS(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof how), EINVAL);
}

BEHAVIOUR(only_files_have_a_length_to_be_set) {
  CHECK(mkfifo("pipe", 0600) == 0 && mkdir("d", 0755) == 0);
  FAILS(truncate("pipe", 1), EINVAL);
  FAILS(truncate("d", 1), EISDIR);
  FAILS(truncate("/dev/null", 0), EINVAL);
}

BEHAVIOUR(copies_within_a_file_end_where_it_does) {
  int fd = file_with("f", "text and more"), reads = open("f", O_RDONLY);
  loff_t from = 0, to = 2;
  FAILS(copy_file_range(fd, &from, fd, &to, 3, 0), EINVAL);
  from = 10, to = 13;
  CHECK(copy_file_range(fd, &from, fd, &to, 1000, 0) == 3);
  CHECK(from == 13 && to == 16);
  from = -1;
  FAILS(copy_file_range(reads, &from, file_with("g", ""), NULL, 3, 0), EOVERFLOW);
}

BEHAVIOUR(file_systems_of_what_has_no_name_are_told) {
  struct statfs is;
  int ends[2];
  CHECK(pipe(ends) == 0 && fstatfs(ends[0], &is) == 0 && is.f_type == 0x50495045 && is.f_namelen == 255);
  CHECK(fstatfs(socket(AF_UNIX, SOCK_STREAM, 0), &is) == 0 && is.f_type == 0x534f434b);
  CHECK(fstatfs(eventfd(0, 0), &is) == 0 && is.f_type == 0x09041934);
  CHECK(statfs("/sys", &is) == 0 && is.f_type == 0x62656572);
  CHECK(statfs("/proc", &is) == 0 && is.f_type == 0x9fa0);
}

BEHAVIOUR(statx_tells_of_mounts) {
  struct statx is;
  CHECK(syscall(SYS_statx, AT_FDCWD, "/proc", 0, STATX_BASIC_STATS | 0x1000, &is) == 0);
  CHECK(is.stx_attributes_mask & 0x2000 && is.stx_attributes & 0x2000 && is.stx_mask & 0x1000);
  unsigned long long id;
  memcpy(&id, (char *)&is + 0x90, 8);
  int found = 0;
  for (char *line = strtok(contents("/proc/self/mountinfo"), "\n"); line != NULL; line = strtok(NULL, "\n")) {
    found += strstr(line, " / /proc ") != NULL && strtoull(line, NULL, 10) == id;
  }
  CHECK(found == 1);
  CHECK(syscall(SYS_statx, AT_FDCWD, "/proc/self", 0, STATX_BASIC_STATS | 0x1000, &is) == 0);
  CHECK(!(is.stx_attributes & 0x2000) && memcmp(&id, (char *)&is + 0x90, 8) == 0);
}

BEHAVIOUR(shared_memory_is_removed_from_its_file) {
  int fd = file_with("f", "text");
  CHECK(ftruncate(fd, 3 * PAGE) == 0 && pwrite(fd, "more", 4, PAGE) == 4);
  char byte, *at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  at[0] = 'T', at[2 * PAGE] = 'x';
  if (madvise(at, PAGE, MADV_REMOVE) != 0) {
    CHECK(errno == EOPNOTSUPP);
    return;
  }
  CHECK(madvise(at + 2 * PAGE, 2 * PAGE, MADV_REMOVE) == 0);
  CHECK(at[0] == 0 && at[PAGE] == 'm' && at[2 * PAGE] == 0 && lseek(fd, 0, SEEK_END) == 3 * PAGE);
  CHECK(pread(fd, &byte, 1, 0) == 1 && byte == 0 && pread(fd, &byte, 1, PAGE) == 1 && byte == 'm');
  FAILS(madvise(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0), PAGE, MADV_REMOVE), EACCES);
  FAILS(madvise(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), PAGE, MADV_REMOVE), EACCES);
  FAILS(madvise(pages(1), PAGE, MADV_REMOVE), EINVAL);
}

BEHAVIOUR(locking_tells_of_pages_that_cannot_be_had) {
  char *none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  FAILS(mlock(none, PAGE), ENOMEM);
  CHECK(field("/proc/self/status", "VmLck") == PAGE / 1024);
  char *half = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, file_with("f", "text"), 0);
  CHECK(munlockall() == 0 && mlock(half, 4) == 0);
  FAILS(mlock(half, 2 * PAGE), ENOMEM);
  CHECK(munlockall() == 0 && syscall(SYS_mlock2, half, 2 * PAGE, 1) == 0);
  /* A length that is rounded up to more than there is is none. */
  char *own = pages(1);
  CHECK(munlockall() == 0 && mlock(own, -1L) == 0 && munlock(own, -1L) == 0);
  CHECK(field("/proc/self/status", "VmLck") == 0);
  FAILS(mlock(own + PAGE, -2 * PAGE), geteuid() == 0 ? EINVAL : ENOMEM);
}

BEHAVIOUR(memory_of_others_is_asked_for_where_there_is_any_to_move) {
  char bytes[4] = "abc", copy[4];
  struct iovec some = {bytes, 4}, target = {copy, 4}, nothing = {bytes, 0};
  CHECK(process_vm_readv(999999, NULL, 0, &some, 1, 0) == 0);
  CHECK(process_vm_readv(999999, &target, 1, &nothing, 1, 0) == 0);
  CHECK(process_vm_writev(999999, &nothing, 1, (void *)8, 1, 0) == 0);
  FAILS(process_vm_readv(999999, &target, 1, &some, 1, 0), ESRCH);
  FAILS(process_vm_readv(999999, NULL, 0, NULL, 0, 1), EINVAL);
  char *at = pages(2);
  struct iovec parts[2] = {{at, PAGE}, {at + 1, PAGE}};
  int pidfd = syscall(SYS_pidfd_open, getpid(), 0);
  CHECK(syscall(SYS_process_madvise, pidfd, parts, 2, 20, 0) == PAGE);
  FAILS(syscall(SYS_process_madvise, pidfd, parts + 1, 1, 20, 0), EINVAL);
}

BEHAVIOUR(keys_for_memory_are_asked_for_rightly_first) {
  FAILS(syscall(SYS_pkey_alloc, 1, 0), EINVAL);
  FAILS(syscall(SYS_pkey_alloc, 0, 0x100), EINVAL);
}

static volatile int signals;
static void count(int signo) { signals += signo == SIGUSR1; }

BEHAVIOUR(signals_with_a_siginfo_are_as_it_says) {
  signal(SIGUSR1, count);
  siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE};
  int self = syscall(SYS_pidfd_open, getpid(), 0);
  FAILS(syscall(SYS_pidfd_send_signal, self, SIGUSR1, &info, 0), EINVAL);
  FAILS(syscall(SYS_pidfd_send_signal, self, SIGUSR1, NOWHERE, 0), EFAULT);
  CHECK(signals == 0);
  info.si_signo = SIGUSR1;
  CHECK(syscall(SYS_pidfd_send_signal, self, SIGUSR1, &info, 0) == 0 && signals == 1);
  info.si_code = SI_TKILL;
  FAILS(syscall(SYS_rt_tgsigqueueinfo, -1, getpid(), SIGUSR1, &info), EINVAL);
  FAILS(syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, SIGUSR1, &info), EINVAL);
  FAILS(syscall(SYS_rt_tgsigqueueinfo, getppid(), 1 << 22, SIGUSR1, &info), EPERM);
  CHECK(signals == 1);
}

#ifdef SYS_rt_sigtimedwait
BEHAVIOUR(what_was_received_and_cannot_be_told_is_gone) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  long at_once[2] = {0, 0};
  FAILS(syscall(SYS_rt_sigtimedwait, &set, NOWHERE, at_once, 8), EAGAIN);
  CHECK(raise(SIGUSR1) == 0);
  FAILS(syscall(SYS_rt_sigtimedwait, &set, NOWHERE, at_once, 8), EFAULT);
  FAILS(syscall(SYS_rt_sigtimedwait, &set, NULL, at_once, 8), EAGAIN);

  struct { long type; char text[4]; } message = {1, "abc"}, *none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int queue = msgget(IPC_PRIVATE, 0600);
  CHECK(queue >= 0 && msgsnd(queue, &message, 4, 0) == 0);
  FAILS(msgrcv(queue, none, 4, 0, 0), EFAULT);
  FAILS(msgrcv(queue, &message, 4, 0, IPC_NOWAIT), ENOMSG);
  CHECK(msgctl(queue, IPC_RMID, NULL) == 0);

  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 4};
  int mq = mq_open("/told", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attributes);
  CHECK(mq >= 0 && mq_unlink("/told") == 0 && mq_send(mq, "abc", 4, 0) == 0);
  FAILS(mq_receive(mq, (char *)none, 4, NULL), EFAULT);
  FAILS(mq_receive(mq, message.text, 4, NULL), EAGAIN);
}
#endif

BEHAVIOUR(policies_are_judged_before_who_may_have_them) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t least, most, later, more;
  } attr = {.size = 64}, fresh = attr;
  CHECK(syscall(SYS_sched_setattr, 0, &attr, 0) == 0);
  attr.more = 1;
  FAILS(syscall(SYS_sched_setattr, 0, &attr, 0), E2BIG);
  CHECK(attr.size == 56);
  attr = fresh, attr.flags = 0x80;
  FAILS(syscall(SYS_sched_setattr, 0, &attr, 0), EINVAL);
  attr = fresh, attr.policy = 6;
  FAILS(syscall(SYS_sched_setattr, 0, &attr, 0), EINVAL);
  attr.runtime = 2000, attr.deadline = 1000;
  FAILS(syscall(SYS_sched_setattr, 0, &attr, 0), EINVAL);
  attr = fresh, attr.nice = 3;
  CHECK(syscall(SYS_sched_setattr, 0, &attr, 0) == 0);
  attr = fresh, attr.policy = SCHED_BATCH, attr.nice = 10, attr.flags = 0x10;
  CHECK(syscall(SYS_sched_setattr, 0, &attr, 0) == 0);
  /* Who keeps parameters keeps the policy as well. */
  CHECK(sched_getscheduler(0) == SCHED_OTHER && syscall(SYS_sched_getattr, 0, &attr, 56, 0) == 0 && attr.nice == 3);
  attr = fresh, attr.policy = SCHED_BATCH, attr.nice = 5, attr.flags = 0x8;
  CHECK(syscall(SYS_sched_setattr, 0, &attr, 0) == 0 && sched_getscheduler(0) == SCHED_OTHER);
}

BEHAVIOUR(arguments_that_options_do_not_have_are_zero) {
  FAILS(prctl(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0), EINVAL);
  FAILS(prctl(PR_SET_SPECULATION_CTRL, 0, 0, 1, 0), EINVAL);
  FAILS(prctl(PR_GET_SPECULATION_CTRL, 99, 0, 0, 0), ENODEV);
  FAILS(prctl(PR_SET_MM, PR_SET_MM_START_CODE, 0, 0, 1), EINVAL);
  FAILS(prctl(PR_SET_MM, PR_SET_MM_START_CODE, 0, 1, 0), EINVAL);
}

BEHAVIOUR(nobody_has_segments_in_the_first_page) {
  int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  CHECK(id >= 0);
  if (geteuid() != 0) FAILS((long)shmat(id, (void *)1, SHM_RND), EPERM);
  FAILS((long)shmat(id, (void *)1, SHM_RND | SHM_REMAP), EINVAL);
  FAILS((long)shmat(id, (void *)1, 0), EINVAL);
  CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

BEHAVIOUR(tcp_has_no_name_to_tell_and_options_of_four_bytes) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  int listens = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), value = 1;
  CHECK(bind(listens, (void *)&name, length) == 0 && listen(listens, 1) == 0);
  CHECK(getsockname(listens, (void *)&name, &length) == 0 && connect(client, (void *)&name, length) == 0);
  int server = accept(listens, NULL, NULL);
  char bytes[4];
  CHECK(server >= 0 && send(server, "abc", 3, 0) == 3);
  CHECK(recvfrom(client, bytes, 4, 0, (void *)NOWHERE, &length) == 3 && length == 0);

  struct iovec vector = {bytes, 4};
  struct msghdr message = {.msg_name = NOWHERE, .msg_namelen = 16, .msg_iov = &vector, .msg_iovlen = 1};
  CHECK(send(server, "abc", 3, 0) == 3 && recvmsg(client, &message, 0) == 3 && message.msg_namelen == 0);
  message = (struct msghdr){.msg_iov = &vector, .msg_iovlen = 1, .msg_control = pages(256), .msg_controllen = 1 << 24};
  FAILS(sendmsg(client, &message, 0), ENOBUFS);

  FAILS(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &value, 2), EINVAL);
  FAILS(setsockopt(client, IPPROTO_TCP, 99, &value, 2), EINVAL);
  FAILS(setsockopt(client, IPPROTO_TCP, 99, &value, 4), ENOPROTOOPT);
  FAILS(setsockopt(client, IPPROTO_UDP, 1, &value, 2), ENOPROTOOPT);
  FAILS(setsockopt(client, IPPROTO_TCP, TCP_MAXSEG, &value, 4), EINVAL);
  FAILS(setsockopt(client, IPPROTO_TCP, TCP_ULP, "nobody's", 8), ENOENT);
  value = 0;
  CHECK(setsockopt(client, IPPROTO_TCP, TCP_MAXSEG, &value, 4) == 0);
}
