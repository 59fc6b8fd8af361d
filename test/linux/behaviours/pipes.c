/* Pipes, named ones too, and waiting for what comes through them. */
#include "behaviour.h"
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

static int ends[2];
static int readable(int fd, int timeout) {
  struct pollfd p = {fd, POLLIN, 0};
  int n = poll(&p, 1, timeout);
  return n == 1 ? p.revents : n;
}

BEHAVIOUR(bytes_come_in_order) {
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    for (unsigned i = 0; i < 4000; i++) CHECK(write(ends[1], &i, sizeof i) == sizeof i);
    _exit(0);
  }
  close(ends[1]);
  FILE *in = fdopen(ends[0], "r");
  unsigned got, expected = 0;
  while (fread(&got, sizeof got, 1, in) == 1) CHECK(got == expected++);
  CHECK(expected == 4000);
  reap(child, 0);
}

BEHAVIOUR(end_of_a_pipe) {
  char c;
  CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1 && close(ends[1]) == 0);
  CHECK(readable(ends[0], 0) == (POLLIN | POLLHUP) && read(ends[0], &c, 1) == 1 && read(ends[0], &c, 1) == 0);
  CHECK(readable(ends[0], -1) == POLLHUP);
}

BEHAVIOUR(nobody_reads) {
  signal(SIGPIPE, SIG_IGN);
  CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
  FAILS(write(ends[1], "x", 1), EPIPE);
  struct pollfd p = {ends[1], POLLOUT, 0};
  CHECK(poll(&p, 1, 0) == 1 && (p.revents & POLLERR));
  pid_t child = fork();
  if (child == 0) {
    signal(SIGPIPE, SIG_DFL);
    write(ends[1], "x", 1);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

BEHAVIOUR(full_pipe) {
  CHECK(pipe2(ends, O_NONBLOCK) == 0);
  char b[4096] = {0};
  int total = 0, n;
  while ((n = write(ends[1], b, sizeof b)) > 0) total += n;
  CHECK(errno == EAGAIN && total == fcntl(ends[1], F_GETPIPE_SZ));
  struct pollfd p = {ends[1], POLLOUT, 0};
  CHECK(poll(&p, 1, 0) == 0);
  int waiting;
  CHECK(ioctl(ends[0], FIONREAD, &waiting) == 0 && waiting == total);
  CHECK(read(ends[0], b, sizeof b) == sizeof b && poll(&p, 1, 0) == 1);
  while (read(ends[0], b, sizeof b) > 0) {}
  CHECK(errno == EAGAIN);
}

BEHAVIOUR(writes_larger_than_the_pipe) {
  static char data[300000];
  CHECK(pipe(ends) == 0);
  for (int i = 0; i < (int)sizeof data; i++) data[i] = i * 31;
  pid_t child = fork();
  if (child == 0) {
    CHECK(write(ends[1], data, sizeof data) == sizeof data);
    _exit(0);
  }
  close(ends[1]);
  char b[777];
  int at = 0, n;
  while ((n = read(ends[0], b, sizeof b)) > 0) {
    CHECK(memcmp(b, data + at, n) == 0);
    at += n;
  }
  CHECK(at == sizeof data);
  reap(child, 0);
}

BEHAVIOUR(small_writes_are_whole) {
  CHECK(pipe(ends) == 0);
  for (int i = 0; i < 4; i++)
    if (fork() == 0) {
      char b[512];
      memset(b, 'a' + i, sizeof b);
      for (int n = 0; n < 25; n++) CHECK(write(ends[1], b, sizeof b) == sizeof b);
      _exit(0);
    }
  close(ends[1]);
  FILE *in = fdopen(ends[0], "r");
  char b[512];
  int records = 0;
  while (fread(b, sizeof b, 1, in) == 1) {
    for (unsigned i = 1; i < sizeof b; i++) CHECK(b[i] == b[0]);
    records++;
  }
  CHECK(records == 100);
  for (int i = 0; i < 4; i++) CHECK(wait(NULL) > 0);
}

BEHAVIOUR(named_pipe) {
  CHECK(mkfifo("p", 0600) == 0);
  struct stat st;
  CHECK(stat("p", &st) == 0 && S_ISFIFO(st.st_mode));
  FAILS(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
  pid_t child = fork();
  if (child == 0) {
    int fd = open("p", O_WRONLY);
    CHECK(write(fd, "through the name", 16) == 16);
    _exit(0);
  }
  int fd = open("p", O_RDONLY);
  char b[32];
  int at = 0, n;
  while ((n = read(fd, b + at, sizeof b - at)) > 0) at += n;
  CHECK(at == 16 && memcmp(b, "through the name", 16) == 0);
  reap(child, 0);
}

BEHAVIOUR(a_named_pipe_that_is_open_has_its_own_status) {
  struct stat st, before;
  CHECK(mkfifo("p", 0640) == 0);
  int fd = open("p", O_RDWR);
  CHECK(fstat(fd, &before) == 0 && S_ISFIFO(before.st_mode) && before.st_nlink == 1);
  CHECK(rename("p", "q") == 0 && fstat(fd, &st) == 0 && st.st_ino == before.st_ino && st.st_nlink == 1);
  close(file_with("other", "text"));
  CHECK(rename("other", "q") == 0);
  CHECK(fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_nlink == 0);
}

BEHAVIOUR(poll_times_out) {
  CHECK(pipe(ends) == 0 && readable(ends[0], 20) == 0);
  struct pollfd set[3] = {{ends[0], POLLIN, 0}, {-1, POLLIN, 7}, {999, POLLIN, 0}};
  CHECK(poll(set, 3, 0) == 1 && set[1].revents == 0 && set[2].revents == POLLNVAL);
}

BEHAVIOUR(select_finds_the_ready) {
  int other[2];
  CHECK(pipe(ends) == 0 && pipe(other) == 0 && write(other[1], "x", 1) == 1);
  fd_set in, out;
  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_SET(ends[0], &in);
  FD_SET(other[0], &in);
  FD_SET(ends[1], &out);
  struct timeval limit = {5, 0};
  CHECK(select(other[1] + 1, &in, &out, NULL, &limit) == 2);
  CHECK(!FD_ISSET(ends[0], &in) && FD_ISSET(other[0], &in) && FD_ISSET(ends[1], &out));
}

BEHAVIOUR(epoll_tells_of_many_at_once) {
  static struct epoll_event got[6000];
  static char told[5000];
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max > 5100);
  limit.rlim_cur = limit.rlim_max;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  int set = epoll_create1(0), ready = eventfd(1, 0);
  for (unsigned i = 0; i < 5000; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, dup(ready), &event) == 0);
  }
  CHECK(epoll_wait(set, got, 6000, 0) == 5000);
  for (int i = 0; i < 5000; i++) told[got[i].data.u32]++;
  CHECK(memchr(told, 0, sizeof told) == NULL && epoll_wait(set, got, 4500, 0) == 4500);
}

BEHAVIOUR(epoll_levels_and_edges) {
  CHECK(pipe(ends) == 0);
  int set = epoll_create1(EPOLL_CLOEXEC), edges = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcdefULL}, got;
  CHECK(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0);
  FAILS(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event), EEXIST);
  event.events |= EPOLLET;
  CHECK(epoll_ctl(edges, EPOLL_CTL_ADD, ends[0], &event) == 0 && epoll_wait(set, &got, 1, 0) == 0);
  CHECK(write(ends[1], "xy", 2) == 2);
  for (int i = 0; i < 2; i++) CHECK(epoll_wait(set, &got, 1, -1) == 1 && got.data.u64 == 0x123456789abcdefULL);
  CHECK(epoll_wait(edges, &got, 1, -1) == 1 && epoll_wait(edges, &got, 1, 0) == 0);
  CHECK(write(ends[1], "z", 1) == 1 && epoll_wait(edges, &got, 1, 0) == 1);
  CHECK(epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL) == 0 && epoll_wait(set, &got, 1, 0) == 0);
}

/* Nobody asks the set while there is nothing to be told, and yet what comes then is an edge. */
static void edges_of(int from, int to) {
  static char block[65536];
  int set = epoll_create1(0);
  struct epoll_event in = {.events = EPOLLIN | EPOLLET, .data.u32 = 1}, out = {.events = EPOLLOUT | EPOLLET}, got;
  CHECK(fcntl(from, F_SETFL, O_NONBLOCK) == 0 && fcntl(to, F_SETFL, O_NONBLOCK) == 0);
  CHECK(epoll_ctl(set, EPOLL_CTL_ADD, from, &in) == 0 && write(to, "ab", 2) == 2);
  for (int i = 0; i < 3; i++) {
    CHECK(epoll_wait(set, &got, 1, -1) == 1 && got.data.u32 == 1 && epoll_wait(set, &got, 1, 0) == 0);
    CHECK(read(from, block, sizeof block) == 2);
    FAILS(read(from, block, sizeof block), EAGAIN);
    CHECK(write(to, "cd", 2) == 2);
  }
  CHECK(epoll_ctl(set, EPOLL_CTL_DEL, from, NULL) == 0 && epoll_ctl(set, EPOLL_CTL_ADD, to, &out) == 0);
  for (int i = 0; i < 3; i++) {
    CHECK(epoll_wait(set, &got, 1, -1) == 1 && got.events == EPOLLOUT && epoll_wait(set, &got, 1, 0) == 0);
    while (write(to, block, sizeof block) > 0) continue;
    CHECK(errno == EAGAIN);
    while (read(from, block, sizeof block) > 0) continue;
    CHECK(errno == EAGAIN);
  }
  close(set), close(from), close(to);
}

BEHAVIOUR(epoll_edges_that_nobody_looked_for) {
  CHECK(pipe(ends) == 0);
  edges_of(ends[0], ends[1]);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  edges_of(ends[0], ends[1]);
}

BEHAVIOUR(epoll_once) {
  CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
  int set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT}, got;
  CHECK(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0);
  CHECK(epoll_wait(set, &got, 1, -1) == 1 && epoll_wait(set, &got, 1, 0) == 0);
  CHECK(epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &event) == 0 && epoll_wait(set, &got, 1, 0) == 1);
}

BEHAVIOUR(epoll_sets_in_one_another) {
  int sets[7], ends[2];
  struct epoll_event event = {.events = EPOLLIN};
  CHECK(pipe(ends) == 0);
  for (int i = 0; i < 7; i++) CHECK((sets[i] = epoll_create1(0)) >= 0);
  CHECK(epoll_ctl(sets[0], EPOLL_CTL_ADD, ends[0], &event) == 0);
  for (int i = 1; i < 5; i++) CHECK(epoll_ctl(sets[i], EPOLL_CTL_ADD, sets[i - 1], &event) == 0);
  FAILS(epoll_ctl(sets[5], EPOLL_CTL_ADD, sets[4], &event), ELOOP);
  FAILS(epoll_ctl(sets[0], EPOLL_CTL_ADD, sets[4], &event), ELOOP);
  CHECK(epoll_wait(sets[4], &event, 1, 0) == 0 && write(ends[1], "x", 1) == 1 && epoll_wait(sets[4], &event, 1, 0) == 1);
  event.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
  FAILS(epoll_ctl(sets[6], EPOLL_CTL_ADD, ends[0], &event), EINVAL);
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  FAILS(epoll_ctl(sets[6], EPOLL_CTL_ADD, sets[0], &event), EINVAL);
  CHECK(epoll_ctl(sets[6], EPOLL_CTL_ADD, ends[0], &event) == 0);
}

BEHAVIOUR(what_sockets_refuse) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address, room = 4;
  int listener = socket(AF_INET, SOCK_STREAM, 0), near = socket(AF_INET, SOCK_STREAM, 0), value;
  FAILS(getsockopt(near, 500, 1, &value, &room), EOPNOTSUPP);
  FAILS(setsockopt(near, 500, 1, &value, 4), ENOPROTOOPT);
  FAILS(sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&address, length), EINVAL);
  CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
  CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  CHECK(connect(near, (struct sockaddr *)&address, length) == 0);
  int far = accept(listener, NULL, NULL);
  CHECK(far >= 0 && write(near, "x", 1) == 1);
  length = -1;
  FAILS(recvfrom(far, &value, 1, 0, (struct sockaddr *)&address, &length), EINVAL);
}

BEHAVIOUR(event_counters) {
  int fd = eventfd(3, EFD_NONBLOCK), semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
  uint64_t value = 4;
  CHECK(write(fd, &value, 8) == 8 && read(fd, &value, 8) == 8 && value == 7);
  FAILS(read(fd, &value, 8), EAGAIN);
  for (int i = 0; i < 2; i++) CHECK(read(semaphore, &value, 8) == 8 && value == 1);
  FAILS(read(semaphore, &value, 8), EAGAIN);
  value = ~0ULL;
  FAILS(write(fd, &value, 8), EINVAL);
  CHECK(readable(fd, 0) == 0);
}

BEHAVIOUR(poll_wakes_for_a_child) {
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    for (volatile int i = 0; i < 30000; i++) {}
    CHECK(write(ends[1], "x", 1) == 1);
    _exit(0);
  }
  CHECK(readable(ends[0], -1) == POLLIN);
  reap(child, 0);
}

BEHAVIOUR(capacity_can_change) {
  CHECK(pipe(ends) == 0 && fcntl(ends[0], F_GETPIPE_SZ) == 65536);
  CHECK(fcntl(ends[0], F_SETPIPE_SZ, 100000) == 131072 && fcntl(ends[1], F_GETPIPE_SZ) == 131072);
  static char b[131072];
  CHECK(write(ends[1], b, sizeof b) == sizeof b);
  FAILS(fcntl(ends[0], F_SETPIPE_SZ, 65536), EBUSY);
}

BEHAVIOUR(a_chain_of_children) {
  int from = -1;
  pid_t children[5];
  for (int i = 0; i < 5; i++) {
    CHECK(pipe(ends) == 0);
    if ((children[i] = fork()) == 0) {
      for (int n = 0; n < 40; n++) {
        int value = n;
        if (i > 0) CHECK(read(from, &value, sizeof value) == sizeof value);
        value += i;
        CHECK(write(ends[1], &value, sizeof value) == sizeof value);
      }
      _exit(0);
    }
    close(ends[1]);
    if (from >= 0) close(from);
    from = ends[0];
  }
  for (int n = 0; n < 40; n++) {
    int value;
    CHECK(read(from, &value, sizeof value) == sizeof value && value == n + 10);
  }
  char c;
  CHECK(read(from, &c, 1) == 0);
  for (int i = 0; i < 5; i++) reap(children[i], 0);
}

BEHAVIOUR(packets_are_read_one_by_one) {
  char b[16];
  CHECK(pipe2(ends, O_DIRECT | O_NONBLOCK) == 0);
  CHECK(write(ends[1], "first", 5) == 5 && write(ends[1], "second", 6) == 6 && write(ends[1], "3", 1) == 1);
  CHECK(read(ends[0], b, sizeof b) == 5 && memcmp(b, "first", 5) == 0);
  /* What has no room is lost, and a pipe holds so many packets as it has pages. */
  CHECK(read(ends[0], b, 3) == 3 && memcmp(b, "sec", 3) == 0 && read(ends[0], b, sizeof b) == 1 && b[0] == '3');
  int count = 0;
  while (write(ends[1], "p", 1) == 1) count++;
  CHECK(errno == EAGAIN && count == 65536 / sysconf(_SC_PAGESIZE));
}

BEHAVIOUR(packets_are_spliced_as_bytes) {
  char b[16];
  int to[2];
  CHECK(pipe2(ends, O_DIRECT | O_NONBLOCK) == 0 && pipe2(to, O_NONBLOCK) == 0);
  CHECK(write(ends[1], "ab", 2) == 2 && write(ends[1], "cde", 3) == 3 && write(ends[1], "f", 1) == 1);
  CHECK(splice(ends[0], NULL, open("f", O_RDWR | O_CREAT, 0600), NULL, 3, 0) == 3);
  /* What is left of a packet is one. */
  CHECK(read(ends[0], b, sizeof b) == 2 && memcmp(b, "de", 2) == 0);
  CHECK(read(ends[0], b, sizeof b) == 1 && b[0] == 'f');
  FAILS(read(ends[0], b, sizeof b), EAGAIN);
}

static void tick(int signo) {}

BEHAVIOUR(openings_of_a_named_pipe_that_come_to_nothing) {
  CHECK(mkfifo("p", 0600) == 0);
  /* With one tick after the other none can come too early. */
  sigaction(SIGALRM, &(struct sigaction){.sa_handler = tick}, NULL);
  struct itimerval ticks = {{0, 1000}, {0, 1000}}, none = {{0}};
  CHECK(setitimer(ITIMER_REAL, &ticks, NULL) == 0);
  FAILS(open("p", O_RDONLY), EINTR);
  CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
  FAILS(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
  pid_t child = fork();
  if (child == 0) {
    open("p", O_RDONLY);
    _exit(1);
  }
  for (int i = 0; i < 10; i++) sched_yield();
  CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
  FAILS(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
  child = fork();
  if (child == 0) {
    int fd = open("p", O_WRONLY);
    _exit(write(fd, "!", 1) == 1 ? 0 : 1);
  }
  char c;
  int fd = open("p", O_RDONLY);
  CHECK(read(fd, &c, 1) == 1 && c == '!' && read(fd, &c, 1) == 0);
  reap(child, 0);
}

BEHAVIOUR(paths_of_sockets_and_pipes) {
  struct sockaddr_storage name = {.ss_family = AF_UNIX};
  strcpy((char *)&name + sizeof(sa_family_t), "s");
  CHECK(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(sa_family_t) + 2) == 0);
  CHECK(mkfifo("p", 0600) == 0);
  int to_socket = open("s", O_PATH), to_pipe = open("p", O_PATH);
  struct stat one, other;
  CHECK(fstat(to_socket, &one) == 0 && S_ISSOCK(one.st_mode) && stat("s", &other) == 0 && one.st_ino == other.st_ino);
  CHECK(fstat(to_pipe, &one) == 0 && S_ISFIFO(one.st_mode));
}

/* Korn shells make pipelines of socket pairs, and have each end look like that of a pipe. */
BEHAVIOUR(modes_of_what_has_no_name) {
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK(shutdown(ends[1], SHUT_RD) == 0 && fchmod(ends[1], 0200) == 0);
  CHECK(fchown(ends[1], getuid(), getgid()) == 0);
  CHECK(pipe(ends) == 0 && fchmod(ends[0], 0600) == 0 && futimens(ends[0], NULL) == 0);
}

static void interrupted(int signo) {}

BEHAVIOUR(what_has_come_counts_more_than_a_signal) {
  struct sigaction action = {.sa_handler = interrupted};
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  for (int polls = 0; polls < 2; polls++) {
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
      for (int i = 0; i < 5; i++) sched_yield();
      _exit(write(ends[1], "!", 1) == 1 && kill(getppid(), SIGUSR1) == 0 ? 0 : 1);
    }
    char c = 0;
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    if (polls) CHECK(poll(&ready, 1, -1) == 1 && ready.revents == POLLIN);
    CHECK(read(ends[0], &c, 1) == 1 && c == '!');
    CHECK(TEMP_FAILURE_RETRY(waitpid(child, NULL, 0)) == child);
  }
}
