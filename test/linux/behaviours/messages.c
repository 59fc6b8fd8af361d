/* Sockets: what is told of a message besides its bytes. */
#include "behaviour.h"
#include <arpa/inet.h>
#include <netinet/in.h>
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
