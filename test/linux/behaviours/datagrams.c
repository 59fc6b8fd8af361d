/* What the IP header of a datagram says of hops and service: as options of the sender have it, or a control message. */
#include "behaviour.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* A socket at the loopback address of a family that is told of hops and service. */
static int receiver(int family, struct sockaddr_storage *at, socklen_t *length) {
  int on = 1, fd = socket(family, SOCK_DGRAM, 0);
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  *length = sizeof *at;
  if (family == AF_INET) {
    CHECK(bind(fd, (void *)&four, sizeof four) == 0);
    CHECK(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on) == 0);
    CHECK(setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on) == 0);
  } else {
    CHECK(bind(fd, (void *)&six, sizeof six) == 0);
    CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on) == 0);
    CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on) == 0);
  }
  CHECK(getsockname(fd, (void *)at, length) == 0);
  return fd;
}

/* Hops times 256 and service of what has come. */
static int received(int fd) {
  char byte, room[128];
  struct iovec v = {&byte, 1};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  int hops = 0, service = 0;
  CHECK(recvmsg(fd, &m, MSG_DONTWAIT) == 1 && m.msg_flags == 0);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    int is_four = c->cmsg_level == IPPROTO_IP;
    CHECK(is_four || c->cmsg_level == IPPROTO_IPV6);
    if (c->cmsg_type == (is_four ? IP_TTL : IPV6_HOPLIMIT)) hops = *(int *)CMSG_DATA(c);
    else if (c->cmsg_type == (is_four ? IP_TOS : IPV6_TCLASS)) service = is_four ? *CMSG_DATA(c) : *(int *)CMSG_DATA(c);
  }
  return hops << 8 | service;
}

/* Sends a byte with a control message of `size` bytes. */
static int send_with(int fd, const struct sockaddr_storage *to, socklen_t length, int level, int type, int value, int size) {
  _Alignas(8) char room[CMSG_SPACE(8)] = {0};
  struct iovec v = {"x", 1};
  struct msghdr m = {(void *)to, length, &v, 1, room, CMSG_SPACE(size)};
  struct cmsghdr *c = (void *)room;
  c->cmsg_level = level, c->cmsg_type = type, c->cmsg_len = CMSG_LEN(size);
  if (size == 1) *CMSG_DATA(c) = value;
  else memcpy(CMSG_DATA(c), &value, sizeof value);
  return sendmsg(fd, &m, 0);
}

static int option(int fd, int level, int name) {
  int value = -7;
  socklen_t length = sizeof value;
  CHECK(getsockopt(fd, level, name, &value, &length) == 0);
  return value;
}
#define SET(level, name, number) setsockopt(fd, level, name, &(int){number}, sizeof(int))

BEHAVIOUR(hops_and_service_of_version_4) {
  struct sockaddr_storage at;
  socklen_t length;
  int there = receiver(AF_INET, &at, &length), fd = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK(sendto(fd, "a", 1, 0, (void *)&at, length) == 1 && received(there) == 0x4000);
  CHECK(SET(IPPROTO_IP, IP_TTL, 7) == 0 && SET(IPPROTO_IP, IP_TOS, 0x1b8) == 0);
  CHECK(option(fd, IPPROTO_IP, IP_TTL) == 7 && option(fd, IPPROTO_IP, IP_TOS) == 0xb8);
  CHECK(sendto(fd, "a", 1, 0, (void *)&at, length) == 1);
  CHECK(send_with(fd, &at, length, IPPROTO_IP, IP_TTL, 9, 4) == 1);
  CHECK(send_with(fd, &at, length, IPPROTO_IP, IP_TOS, 0x20, 4) == 1);
  CHECK(send_with(fd, &at, length, IPPROTO_IP, IP_TOS, 0x28, 1) == 1);
  CHECK(send_with(fd, &at, length, IPPROTO_IPV6, IPV6_HOPLIMIT, 2000, 4) == 1);
  CHECK(received(there) == 0x7b8 && received(there) == 0x9b8 && received(there) == 0x720 && received(there) == 0x728);
  CHECK(received(there) == 0x7b8);
  FAILS(send_with(fd, &at, length, IPPROTO_IP, IP_TTL, 0, 4), EINVAL);
  FAILS(send_with(fd, &at, length, IPPROTO_IP, IP_TTL, 256, 4), EINVAL);
  FAILS(send_with(fd, &at, length, IPPROTO_IP, IP_TTL, 9, 1), EINVAL);
  FAILS(send_with(fd, &at, length, IPPROTO_IP, 99, 9, 4), EINVAL);
  FAILS(SET(IPPROTO_IP, IP_TTL, 0), EINVAL);
  FAILS(SET(IPPROTO_IP, IP_TTL, 256), EINVAL);
  CHECK(SET(IPPROTO_IP, IP_TTL, -1) == 0 && option(fd, IPPROTO_IP, IP_TTL) == 64);
  CHECK(SET(IPPROTO_IP, IP_MULTICAST_TTL, 5) == 0 && SET(IPPROTO_IP, IP_MULTICAST_TTL, -1) == 0);
  CHECK(option(fd, IPPROTO_IP, IP_MULTICAST_TTL) == 1);
  CHECK(sendto(fd, "a", 1, 0, (void *)&at, length) == 1 && received(there) == 0x40b8);
}

BEHAVIOUR(hops_and_service_of_version_6) {
  struct sockaddr_storage at;
  socklen_t length;
  int there = receiver(AF_INET6, &at, &length), fd = socket(AF_INET6, SOCK_DGRAM, 0);
  CHECK(sendto(fd, "a", 1, 0, (void *)&at, length) == 1 && received(there) == 0x4000);
  CHECK(SET(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 3) == 0 && SET(IPPROTO_IPV6, IPV6_TCLASS, 0x44) == 0);
  CHECK(sendto(fd, "a", 1, 0, (void *)&at, length) == 1);
  CHECK(send_with(fd, &at, length, IPPROTO_IPV6, IPV6_HOPLIMIT, 0, 4) == 1);
  CHECK(send_with(fd, &at, length, IPPROTO_IPV6, IPV6_HOPLIMIT, -1, 4) == 1);
  CHECK(send_with(fd, &at, length, IPPROTO_IPV6, IPV6_TCLASS, 255, 4) == 1);
  CHECK(received(there) == 0x344 && received(there) == 0x44 && received(there) == 0x344 && received(there) == 0x3ff);
  FAILS(send_with(fd, &at, length, IPPROTO_IPV6, IPV6_HOPLIMIT, 256, 4), EINVAL);
  FAILS(send_with(fd, &at, length, IPPROTO_IPV6, IPV6_TCLASS, 1, 5), EINVAL);
  FAILS(send_with(fd, &at, length, IPPROTO_IPV6, 99, 1, 4), EINVAL);
  CHECK(SET(IPPROTO_IPV6, IPV6_UNICAST_HOPS, -1) == 0 && option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 64);
  CHECK(SET(IPPROTO_IPV6, IPV6_TCLASS, -1) == 0 && option(fd, IPPROTO_IPV6, IPV6_TCLASS) == 0);
  CHECK(sendto(fd, "a", 1, 0, (void *)&at, length) == 1 && received(there) == 0x4000);
}

/* A socket at a port of 127.0.0.1, or of any address, that others may be bound to as well. */
static int alike(uint32_t address, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address), .sin_port = port};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  CHECK(fd >= 0 && SET(SOL_SOCKET, SO_REUSEADDR, 1) == 0 && bind(fd, (void *)&at, sizeof at) == 0);
  return fd;
}

BEHAVIOUR(alike_sockets) {
  struct sockaddr_storage at;
  socklen_t length;
  int first = receiver(AF_INET, &at, &length), sender = socket(AF_INET, SOCK_DGRAM, 0), port = ((struct sockaddr_in *)&at)->sin_port;
  char byte;
  close(first);
#define GETS(socket) (sendto(sender, "x", 1, 0, (void *)&at, length) == 1 && recv(socket, &byte, 1, 0) == 1)
  first = alike(INADDR_LOOPBACK, port);
  int second = alike(INADDR_LOOPBACK, port), third = alike(INADDR_LOOPBACK, port);
  CHECK(GETS(third));
  close(third);
  CHECK(GETS(second));
  third = alike(INADDR_ANY, port);
  CHECK(GETS(second));
  close(first);
  first = alike(INADDR_LOOPBACK, port);
  CHECK(first < second && GETS(first));
}
