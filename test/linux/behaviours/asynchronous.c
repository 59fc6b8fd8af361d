/* Asynchronous input and output: requests are submitted together, and their events taken later. */
#include "behaviour.h"
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

static int setup(unsigned count, aio_context_t *context) { return syscall(SYS_io_setup, count, context); }
static int destroy(aio_context_t context) { return syscall(SYS_io_destroy, context); }
static int submit(aio_context_t context, long count, struct iocb **list) {
  return syscall(SYS_io_submit, context, count, list);
}
static int events(aio_context_t context, long least, long most, struct io_event *into, struct timespec *until) {
  return syscall(SYS_io_getevents, context, least, most, into, until);
}
static struct iocb request(int opcode, int fd, void *bytes, size_t length, off_t at) {
  struct iocb one = {.aio_data = 77, .aio_lio_opcode = opcode, .aio_fildes = fd, .aio_buf = (uintptr_t)bytes,
                     .aio_nbytes = length, .aio_offset = at};
  return one;
}
static struct timespec none = {0, 0};

BEHAVIOUR(requests_have_events) {
  aio_context_t context = 0;
  struct io_event done[8];
  int fd = file_with("f", "0123456789");
  char bytes[20] = {0}, more[4];
  struct iovec parts[2] = {{bytes + 10, 2}, {more, 2}};
  CHECK(setup(4, &context) == 0 && context != 0 && events(context, 0, 8, done, NULL) == 0);
  struct iocb write = request(IOCB_CMD_PWRITE, fd, "abc", 3, 2), read = request(IOCB_CMD_PREAD, fd, bytes, 8, 1),
              sync = request(IOCB_CMD_FSYNC, fd, NULL, 0, 0), vector = request(IOCB_CMD_PREADV, fd, parts, 2, 6);
  struct iocb *first[] = {&write}, *rest[] = {&read, &sync, &vector};
  write.aio_data = 5;
  CHECK(submit(context, 1, first) == 1 && events(context, 1, 8, done, NULL) == 1);
  CHECK(done[0].data == 5 && done[0].obj == (uintptr_t)&write && done[0].res == 3 && done[0].res2 == 0);
  CHECK(holds(fd, 0, "01abc56789") && lseek(fd, 0, SEEK_CUR) == 10);
  CHECK(submit(context, 3, rest) == 3 && events(context, 3, 3, done, NULL) == 3);
  long long sum = 0;
  for (int i = 0; i < 3; i++) {
    sum += done[i].res;
    CHECK(done[i].data == 77);
  }
  CHECK(sum == 8 + 0 + 4 && memcmp(bytes, "1abc5678", 8) == 0 && memcmp(bytes + 10, "67", 2) == 0);
  CHECK(memcmp(more, "89", 2) == 0 && events(context, 1, 8, done, &none) == 0);
  /* What fails on the way says so in its event; what can't be meant is not submitted. */
  read = request(IOCB_CMD_PREAD, fd, (void *)16, 8, 0);
  CHECK(submit(context, 1, rest) == 1 && events(context, 1, 8, done, NULL) == 1 && done[0].res == -EFAULT);
  CHECK(destroy(context) == 0);
  FAILS(destroy(context), EINVAL);
  FAILS(submit(context, 0, rest), EINVAL);
  FAILS(events(context, 0, 8, done, &none), EINVAL);
}

BEHAVIOUR(requests_are_refused) {
  aio_context_t context = 0, other = 1;
  struct io_event done[4];
  char bytes[8];
  int fd = file_with("f", "text"), ends[2];
  FAILS(setup(0, &context), EINVAL);
  FAILS(setup(4, &other), EINVAL);
  FAILS(setup(4, (aio_context_t *)16), EFAULT);
  FAILS(setup(0x7fffffff, &context), EINVAL);
  CHECK(setup(1, &context) == 0);
  struct iocb one = request(IOCB_CMD_PREAD, fd, bytes, 4, 0), two = one, *list[] = {&one, &two};
  FAILS(submit(context, -1, list), EINVAL);
  FAILS(submit(context, 1, NULL), EFAULT);
  FAILS(submit(0, 1, list), EINVAL);
  FAILS(submit((aio_context_t)(uintptr_t)&one & ~4095, 1, list), EINVAL);
  two.aio_fildes = 99;
  CHECK(submit(context, 2, list) == 1 && events(context, 1, 1, done, NULL) == 1 && done[0].res == 4);
  FAILS(submit(context, 1, list + 1), EBADF);
  two = one, two.aio_lio_opcode = 77;
  FAILS(submit(context, 1, list + 1), EINVAL);
  two = one, two.aio_reserved2 = 1;
  FAILS(submit(context, 1, list + 1), EINVAL);
  two = one, two.aio_offset = -1;
  FAILS(submit(context, 1, list + 1), EINVAL);
  two = one, two.aio_rw_flags = 0x10000;
  FAILS(submit(context, 1, list + 1), EOPNOTSUPP);
  two = request(IOCB_CMD_FSYNC, fd, NULL, 0, 1);
  FAILS(submit(context, 1, list + 1), EINVAL);
  two = one, two.aio_fildes = open("f", O_WRONLY);
  FAILS(submit(context, 1, list + 1), EBADF);
  two = one, two.aio_fildes = open(".", O_RDONLY);
  FAILS(submit(context, 1, list + 1), EINVAL);
  two = one, two.aio_flags = IOCB_FLAG_RESFD, two.aio_resfd = fd;
  FAILS(submit(context, 1, list + 1), EINVAL);
  FAILS(events(context, -1, 1, done, &none), EINVAL);
  FAILS(events(context, 2, 1, done, &none), EINVAL);
  FAILS(syscall(SYS_io_cancel, context, &one, done), EINVAL);
  FAILS(syscall(SYS_io_cancel, context, NULL, done), EFAULT);
  CHECK(destroy(context) == 0);
}

static aio_context_t shared;
static struct iocb late;
static void *submits(void *unused) {
  struct iocb *list[] = {&late};
  usleep(2000);
  CHECK(submit(shared, 1, list) == 1);
  return NULL;
}
BEHAVIOUR(events_are_waited_for) {
  struct io_event done[4];
  struct timespec soon = {0, 3000000};
  pthread_t thread;
  int fd = file_with("f", "text"), told = eventfd(0, EFD_NONBLOCK);
  char bytes[4];
  uint64_t count;
  CHECK(setup(8, &shared) == 0 && events(shared, 1, 4, done, &soon) == 0);
  late = request(IOCB_CMD_PREAD, fd, bytes, 4, 0);
  late.aio_flags = IOCB_FLAG_RESFD, late.aio_resfd = told;
  CHECK(pthread_create(&thread, NULL, submits, NULL) == 0);
  CHECK(events(shared, 1, 4, done, NULL) == 1 && done[0].res == 4 && memcmp(bytes, "text", 4) == 0);
  CHECK(pthread_join(thread, NULL) == 0 && read(told, &count, 8) == 8 && count == 1);
  /* A child has no such contexts. */
  pid_t child = fork();
  if (child == 0) {
    FAILS(events(shared, 0, 4, done, &none), EINVAL);
    _exit(0);
  }
  reap(child, 0);
  CHECK(strstr(contents("/proc/self/maps"), "/[aio] (deleted)") != NULL && destroy(shared) == 0);
  CHECK(strstr(contents("/proc/self/maps"), "/[aio] (deleted)") == NULL);
}
