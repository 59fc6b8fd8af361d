/* Sockets: what is told of a message besides its bytes. */
#include "behaviour.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

/* Where programs of 64 bits know one form of an option only; the numbers are those of all ABIs but a few. */
enum { STAMP = 29, STAMP_NS = 35, STAMPING = 37, STAMP_64 = 63, STAMP_NS_64 = 64, STAMPING_64 = 65 };
#define SOFTWARE (8 | 16)

static int sets(int fd, int option, int value) {
  return setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
}
static int asks(int fd, int option) {
  int value = -1;
  socklen_t length = sizeof value;
  CHECK(getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0);
  return value;
}

/* A socket of datagrams that is bound to the loopback and sends to itself. */
static int datagrams(struct sockaddr_in *name) {
  socklen_t length = sizeof *name;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  CHECK(fd >= 0 && bind(fd, (void *)name, length) == 0 && getsockname(fd, (void *)name, &length) == 0);
  CHECK(connect(fd, (void *)name, length) == 0);
  return fd;
}

static char room[512] __attribute__((aligned(16)));
/* The first thing that comes along with a message, which must be of this kind and size. */
static void *comes_with(int fd, int level, int type, size_t size) {
  char c;
  struct iovec one = {&c, 1};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  CHECK(send(fd, "!", 1, 0) == 1 && recvmsg(fd, &message, 0) == 1);
  struct cmsghdr *first = CMSG_FIRSTHDR(&message);
  CHECK(first && first->cmsg_level == level && first->cmsg_type == type && first->cmsg_len == CMSG_LEN(size));
  CHECK(CMSG_NXTHDR(&message, first) == NULL);
  return CMSG_DATA(first);
}

BEHAVIOUR(when_a_message_was_sent) {
  const struct {
    int option, fraction, wide;
  } forms[] = {{STAMP, 1000000, 0}, {STAMP_NS, 1000000000, 0}, {STAMP_64, 1000000, 1}, {STAMP_NS_64, 1000000000, 1}};
  struct sockaddr_in name;
  int fd = datagrams(&name);
  long before = time(NULL);
  for (int i = 0; i < 4; i++) {
    CHECK(sets(fd, forms[i].option, 1) == 0);
    for (int k = 0; k < 3; k++) CHECK(i == 3 || asks(fd, forms[k].option) == (k == i));
    int wide = forms[i].wide || sizeof(long) == 8;
    void *told = comes_with(fd, SOL_SOCKET, forms[i].option, wide ? 16 : 8);
    int64_t seconds = wide ? ((int64_t *)told)[0] : ((int32_t *)told)[0];
    int64_t rest = wide ? ((int64_t *)told)[1] : ((int32_t *)told)[1];
    CHECK(seconds >= before && seconds <= time(NULL) + 1 && rest >= 0 && rest < forms[i].fraction);
  }
  CHECK(asks(fd, STAMP_NS_64) == 1 && sets(fd, STAMP, 0) == 0 && asks(fd, STAMP_NS_64) == 0);
  CHECK(sets(fd, STAMPING, SOFTWARE) == 0 && asks(fd, STAMPING) == SOFTWARE);
  long *three = comes_with(fd, SOL_SOCKET, STAMPING, 6 * sizeof(long));
  CHECK(three[0] >= before && three[2] == 0 && three[4] == 0);
  CHECK(sets(fd, STAMPING_64, SOFTWARE) == 0);
  int64_t *wide = comes_with(fd, SOL_SOCKET, STAMPING_64, 48);
  CHECK(wide[0] >= before && wide[4] == 0 && wide[5] == 0);
  FAILS(sets(fd, STAMPING, 1 << 30), EINVAL);
}

BEHAVIOUR(whom_a_datagram_was_for) {
  struct sockaddr_in name;
  int fd = datagrams(&name), on = 1;
  CHECK(setsockopt(fd, IPPROTO_IP, IP_RECVORIGDSTADDR, &on, sizeof on) == 0);
  struct sockaddr_in *told = comes_with(fd, IPPROTO_IP, IP_ORIGDSTADDR, sizeof *told);
  CHECK(told->sin_family == AF_INET && told->sin_port == name.sin_port);
  CHECK(told->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
}

/* Two ends of a connection over the loopback. */
static void connection(int ends[2], int sending) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof at;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (void *)&at, size) == 0 && listen(listener, 1) == 0);
  CHECK(getsockname(listener, (void *)&at, &size) == 0);
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  if (sending) CHECK(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &sending, sizeof sending) == 0);
  CHECK(connect(ends[0], (void *)&at, size) == 0 && (ends[1] = accept(listener, NULL, NULL)) >= 0);
  close(listener);
}

static void is_broken(int fd, int error) {
  struct pollfd poller = {fd, POLLIN | POLLOUT | POLLRDHUP};
  CHECK(poll(&poller, 1, 0) == 1 && poller.revents == (POLLIN | POLLOUT | POLLHUP | POLLRDHUP | (error ? POLLERR : 0)));
}

BEHAVIOUR(a_closed_end_takes_what_the_buffer_holds) {
  static const struct { int set, taken; } buffers[] = {{0, 524288}, {4096, 32768}, {20000, 65536}, {100000, 196608}};
  static char much[1 << 20];
  int ends[2], error;
  socklen_t size = sizeof error;
  signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < 4; i++) {
    connection(ends, buffers[i].set);
    close(ends[1]);
    CHECK(send(ends[0], much, sizeof much, 0) == buffers[i].taken);
    is_broken(ends[0], EPIPE);
    FAILS(send(ends[0], much, 1, 0), EPIPE);
    is_broken(ends[0], 0);
    CHECK(recv(ends[0], much, 1, 0) == 0);
    close(ends[0]);
  }
  connection(ends, 4096);
  close(ends[1]);
  CHECK(send(ends[0], much, 10, 0) == 10);
  CHECK(getsockopt(ends[0], SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == EPIPE);
  FAILS(send(ends[0], much, 10, 0), EPIPE);
  close(ends[0]);
  /* A copy goes by pipes, and asks once more. */
  int from = file_with("much", "");
  CHECK(ftruncate(from, sizeof much) == 0);
  for (int i = 0; i < 2; i++) {
    off_t at = 0;
    connection(ends, buffers[i].set);
    close(ends[1]);
    CHECK(sendfile(ends[0], from, &at, sizeof much) == (i ? 32768 : 65536) && at == (i ? 32768 : 65536));
    is_broken(ends[0], 0);
    close(ends[0]);
  }
}

BEHAVIOUR(who_has_sent_before_it_was_reset_is_told_later) {
  static char much[1 << 20];
  int ends[2];
  connection(ends, 4096);
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    struct pollfd poller = {ends[1], POLLIN};
    CHECK(poll(&poller, 1, -1) == 1);
    close(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  ssize_t sent = send(ends[0], much, sizeof much, 0);
  CHECK(sent > 0 && sent < (ssize_t)sizeof much);
  is_broken(ends[0], ECONNRESET);
  FAILS(send(ends[0], much, 1, 0), ECONNRESET);
  CHECK(recv(ends[0], much, 1, 0) == 0);
  reap(child, 0);
}
