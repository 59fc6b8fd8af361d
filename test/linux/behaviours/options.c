/* Sockets: options, looks that go on where the last one ended, and what goes along with messages. */
#include "behaviour.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

enum { PEEK_OFF = 42, BUF_LOCK = 72 };

static int sets(int fd, int option, int value) {
  return setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
}
static int asks(int fd, int option) {
  int value = -77;
  socklen_t length = sizeof value;
  CHECK(getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 && length == sizeof value);
  return value;
}
static int looks(int fd, const char *text, int room) {
  char got[64];
  int n = recv(fd, got, room, MSG_PEEK | MSG_DONTWAIT);
  return n == (int)strlen(text) && memcmp(got, text, n) == 0;
}
static int takes(int fd, const char *text, int room) {
  char got[64];
  int n = recv(fd, got, room, MSG_DONTWAIT);
  return n == (int)strlen(text) && memcmp(got, text, n) == 0;
}

BEHAVIOUR(looks_go_on_in_a_stream) {
  int ends[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK(asks(ends[0], PEEK_OFF) == -1);
  CHECK(write(ends[1], "hello", 5) == 5 && looks(ends[0], "he", 2) && looks(ends[0], "hel", 3));
  CHECK(sets(ends[0], PEEK_OFF, 1) == 0);
  CHECK(looks(ends[0], "el", 2) && asks(ends[0], PEEK_OFF) == 3);
  CHECK(looks(ends[0], "lo", 9) && asks(ends[0], PEEK_OFF) == 5);
  FAILS(recv(ends[0], (char[4]){0}, 4, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
  CHECK(takes(ends[0], "hel", 3) && asks(ends[0], PEEK_OFF) == 2);
  CHECK(write(ends[1], "!", 1) == 1 && looks(ends[0], "!", 4) && asks(ends[0], PEEK_OFF) == 3);
  CHECK(takes(ends[0], "lo!", 9) && asks(ends[0], PEEK_OFF) == 0);
  CHECK(sets(ends[0], PEEK_OFF, -1) == 0 && write(ends[1], "x", 1) == 1);
  CHECK(looks(ends[0], "x", 4) && looks(ends[0], "x", 4));
  close(ends[1]);
  CHECK(sets(ends[0], PEEK_OFF, 1) == 0 && looks(ends[0], "", 4) && takes(ends[0], "x", 4));
}

BEHAVIOUR(looks_go_on_from_message_to_message) {
  int ends[2];
  for (int type = 0; type < 2; type++) {
    CHECK(socketpair(AF_UNIX, type ? SOCK_DGRAM : SOCK_SEQPACKET, 0, ends) == 0);
    CHECK(write(ends[1], "abc", 3) == 3 && write(ends[1], "defg", 4) == 4);
    CHECK(sets(ends[0], PEEK_OFF, 0) == 0 && looks(ends[0], "ab", 2) && asks(ends[0], PEEK_OFF) == 2);
    CHECK(looks(ends[0], "c", 8) && looks(ends[0], "de", 2));
    char rest[8];
    CHECK(recv(ends[0], rest, 1, MSG_PEEK | MSG_TRUNC) == 2 && rest[0] == 'f' && asks(ends[0], PEEK_OFF) == 6);
    CHECK(takes(ends[0], "a", 1) && asks(ends[0], PEEK_OFF) == 3 && looks(ends[0], "g", 8));
    FAILS(recv(ends[0], rest, 4, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
    CHECK(takes(ends[0], "defg", 8) && asks(ends[0], PEEK_OFF) == 0);
  }
}

static void connection(int ends[2]) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (void *)&name, length) == 0 && listen(listener, 1) == 0);
  CHECK(getsockname(listener, (void *)&name, &length) == 0);
  ends[1] = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(ends[1], (void *)&name, length) == 0);
  ends[0] = accept(listener, NULL, NULL);
  CHECK(ends[0] >= 0);
}

BEHAVIOUR(too_little_is_waited_for) {
  int ends[2];
  char got[16];
  connection(ends);
  FAILS(sets(ends[0], SO_SNDLOWAT, 5), ENOPROTOOPT);
  CHECK(asks(ends[0], SO_RCVLOWAT) == 1 && sets(ends[0], SO_RCVLOWAT, 0) == 0 && asks(ends[0], SO_RCVLOWAT) == 1);
  CHECK(sets(ends[0], SO_RCVLOWAT, 5) == 0 && write(ends[1], "abc", 3) == 3);
  struct pollfd is = {ends[0], POLLIN};
  CHECK(poll(&is, 1, 30) == 0);
  pid_t child = fork();
  if (child == 0) {
    usleep(20000);
    _exit(write(ends[1], "defgh", 5) != 5);
  }
  CHECK(read(ends[0], got, sizeof got) == 8);
  reap(child, 0);
  CHECK(write(ends[1], "ijkl", 4) == 4 && read(ends[0], got, 3) == 3);
  CHECK(recv(ends[0], got, sizeof got, MSG_DONTWAIT) == 1);
  CHECK(write(ends[1], "mnopq", 5) == 5 && poll(&is, 1, -1) == 1);
}

BEHAVIOUR(socket_options_are_checked) {
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0), one = 1, other = socket(AF_INET, SOCK_DGRAM, 0);
  FAILS(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, 1), EINVAL);
  FAILS(setsockopt(fd, SOL_SOCKET, 9999, &one, 1), EINVAL);
  FAILS(sets(fd, 9999, 1), ENOPROTOOPT);
  FAILS(sets(fd, SO_TYPE, 1), ENOPROTOOPT);
  FAILS(sets(fd, SO_BUSY_POLL, -1), EINVAL);
  FAILS(sets(fd, BUF_LOCK, 4), EINVAL);
  CHECK(asks(fd, BUF_LOCK) == 0 && sets(fd, SO_SNDBUF, 9999) == 0 && asks(fd, BUF_LOCK) == 1);
  uint64_t cookies[3] = {0};
  socklen_t length = 8;
  CHECK(getsockopt(fd, SOL_SOCKET, 57, cookies, &length) == 0 && length == 8 && cookies[0] != 0);
  CHECK(getsockopt(fd, SOL_SOCKET, 57, cookies + 1, &length) == 0 && cookies[1] == cookies[0]);
  CHECK(getsockopt(other, SOL_SOCKET, 57, cookies + 2, &length) == 0 && cookies[2] != cookies[0]);
  length = 4;
  FAILS(getsockopt(fd, SOL_SOCKET, 57, cookies, &length), EINVAL);
  FAILS(getsockopt(fd, SOL_SOCKET, 33, cookies, &length), ENOPROTOOPT);
  FAILS(sets(fd, SO_DETACH_FILTER, 0), ENOENT);
  CHECK(sets(fd, SO_LOCK_FILTER, 1) == 0 && asks(fd, SO_LOCK_FILTER) == 1);
  FAILS(sets(fd, SO_LOCK_FILTER, 0), EPERM);
  CHECK(asks(fd, SO_INCOMING_CPU) == -1 && asks(fd, SO_MAX_PACING_RATE) == -1);
  long rate = 1;
  length = sizeof rate;
  CHECK(getsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &length) == 0 && rate == -1 && length == sizeof rate);
  uint32_t memory[9];
  length = sizeof memory;
  CHECK(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) == 0 && length == sizeof memory);
  CHECK(memory[3] == 2 * 9999);
}

BEHAVIOUR(broadcasts_want_an_option) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = INADDR_ANY};
  socklen_t length = sizeof name;
  int to = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK(bind(to, (void *)&name, length) == 0 && getsockname(to, (void *)&name, &length) == 0);
  name.sin_addr.s_addr = htonl(0x7fffffff);
  FAILS(sendto(from, "!", 1, 0, (void *)&name, length), EACCES);
  FAILS(connect(from, (void *)&name, length), EACCES);
  CHECK(sets(from, SO_BROADCAST, 1) == 0 && sendto(from, "!", 1, 0, (void *)&name, length) == 1);
  CHECK(takes(to, "!", 4));
  FAILS(connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&name, length), ENETUNREACH);
}

/* Sends with one control message. */
static int sends(int fd, const char *text, int level, int type, const void *contents, int size) {
  char room[64] __attribute__((aligned(16))) = {0};
  struct iovec one = {(void *)text, strlen(text)};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = CMSG_SPACE(size)};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = level, header->cmsg_type = type, header->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(header), contents, size);
  return sendmsg(fd, &message, 0);
}

BEHAVIOUR(unknown_control_messages_are_refused) {
  int ends[2], local[2], zero = 0;
  connection(ends);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, local) == 0);
  FAILS(sends(ends[0], "x", SOL_SOCKET, 99, &zero, 4), EINVAL);
  FAILS(sends(local[0], "x", SOL_SOCKET, 99, &zero, 4), EINVAL);
  CHECK(sends(ends[0], "x", SOL_SOCKET, SO_TIMESTAMPING, &zero, 4) == 1);
  FAILS(sends(ends[0], "x", SOL_SOCKET, SO_TIMESTAMPING, &(int){16}, 4), EINVAL);
  CHECK(sends(ends[0], "x", SOL_SOCKET, SCM_RIGHTS, &zero, 4) == 1);
  CHECK(sends(local[0], "x", IPPROTO_IP, 99, &zero, 4) == 1 && sends(ends[0], "x", IPPROTO_IP, 99, &zero, 4) == 1);
}

BEHAVIOUR(what_is_sent_is_cut_into_datagrams) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof name;
  int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 3;
  uint16_t small = 2;
  CHECK(bind(fd, (void *)&name, length) == 0 && getsockname(fd, (void *)&name, &length) == 0);
  CHECK(connect(fd, (void *)&name, length) == 0);
  CHECK(sends(fd, "abcde", IPPROTO_UDP, 103, &small, 2) == 5);
  CHECK(takes(fd, "ab", 9) && takes(fd, "cd", 9) && takes(fd, "e", 9));
  FAILS(sends(fd, "x", IPPROTO_UDP, 103, &size, 4), EINVAL);
  FAILS(sends(fd, "x", IPPROTO_UDP, 99, &small, 2), EINVAL);
  CHECK(setsockopt(fd, IPPROTO_UDP, 103, &size, sizeof size) == 0 && write(fd, "abcd", 4) == 4);
  CHECK(takes(fd, "abc", 9) && takes(fd, "d", 9));
}

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* What rtnetlink says to a request for routes, of one address where `to` is given. */
static int ask_routes(void *into, size_t room, const unsigned char *to) {
  struct {
    struct nlmsghdr head;
    struct rtmsg route;
    struct rtattr attribute;
    unsigned char address[4];
  } ask = {{sizeof ask, RTM_GETROUTE, NLM_F_REQUEST | (to ? 0 : NLM_F_DUMP), 7}, {AF_INET, to ? 32 : 0}, {8, RTA_DST}};
  if (to) memcpy(ask.address, to, 4);
  else ask.head.nlmsg_len = sizeof ask.head + sizeof ask.route;
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  CHECK(fd >= 0 && send(fd, &ask, ask.head.nlmsg_len, 0) == ask.head.nlmsg_len);
  int got = recv(fd, into, room, 0);
  close(fd);
  return got;
}
BEHAVIOUR(routes_of_the_loopback_are_told) {
  static char bytes[16384];
  int got = ask_routes(bytes, sizeof bytes, NULL), found = 0;
  for (struct nlmsghdr *each = (void *)bytes; NLMSG_OK(each, got); each = NLMSG_NEXT(each, got)) {
    struct rtmsg *route = NLMSG_DATA(each);
    if (each->nlmsg_type != RTM_NEWROUTE) continue;
    CHECK(each->nlmsg_seq == 7 && each->nlmsg_flags & NLM_F_MULTI && route->rtm_family == AF_INET);
    int left = RTM_PAYLOAD(each);
    for (struct rtattr *at = RTM_RTA(route); RTA_OK(at, left); at = RTA_NEXT(at, left))
      if (at->rta_type == RTA_DST && memcmp(RTA_DATA(at), "\x7f\0\0\0", 4) == 0 && route->rtm_dst_len == 8)
        found += route->rtm_table == RT_TABLE_LOCAL && route->rtm_type == RTN_LOCAL && route->rtm_scope == RT_SCOPE_HOST;
  }
  CHECK(found == 1);
  struct nlmsghdr *head = (void *)bytes;
  struct rtmsg *route = NLMSG_DATA(head);
  CHECK((got = ask_routes(bytes, sizeof bytes, (unsigned char *)"\x7f\1\2\3")) > 0 && NLMSG_OK(head, got));
  CHECK(head->nlmsg_type == RTM_NEWROUTE && route->rtm_type == RTN_LOCAL && route->rtm_dst_len == 32);
  int left = RTM_PAYLOAD(head);
  for (struct rtattr *at = RTM_RTA(route); RTA_OK(at, left); at = RTA_NEXT(at, left))
    if (at->rta_type == RTA_OIF) CHECK(*(int *)RTA_DATA(at) == 1);
}

static int number_at(int fd, int level, int option) {
  int value = -77;
  socklen_t length = sizeof value;
  CHECK(getsockopt(fd, level, option, &value, &length) == 0 && length == sizeof value);
  return value;
}
static int puts_at(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

/* By their numbers, as C libraries don't name all of them: what they are at first, and the least and most that they may be. */
static const struct {
  int level, option, first, least, most;
} numbers[] = {
    {IPPROTO_IP, 21, 0, 0, 255}, {IPPROTO_IP, 26, 0, 0, 1},
    {IPPROTO_TCP, 16, 0, 0, 1},  {IPPROTO_TCP, 27, 0, 0, 2}, {IPPROTO_TCP, 34, 0, 0, 1}, {IPPROTO_TCP, 37, 0, 0, 70000},
    {IPPROTO_IPV6, 73, 0, 0, 255}};
static const struct {
  int level, option, first;
} switches[] = {{IPPROTO_IP, 18, 0},   {IPPROTO_IP, 24, 0},   {IPPROTO_IPV6, 2, 0},  {IPPROTO_IPV6, 3, 0},  {IPPROTO_IPV6, 4, 0},
                {IPPROTO_IPV6, 5, 0},  {IPPROTO_IPV6, 8, 0},  {IPPROTO_IPV6, 30, 0}, {IPPROTO_IPV6, 33, 0}, {IPPROTO_IPV6, 56, 0},
                {IPPROTO_IPV6, 58, 0}, {IPPROTO_IPV6, 60, 0}, {IPPROTO_IPV6, 62, 0}, {IPPROTO_IPV6, 70, 1}, {IPPROTO_IPV6, 77, 0},
                {IPPROTO_IPV6, 78, 0}};

BEHAVIOUR(numbers_of_protocols_have_bounds) {
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  if (fd < 0) return;
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    int level = numbers[i].level, option = numbers[i].option;
    CHECK(number_at(fd, level, option) == numbers[i].first);
    FAILS(puts_at(fd, level, option, numbers[i].least - 1), EINVAL);
    if (numbers[i].most < 70000) FAILS(puts_at(fd, level, option, numbers[i].most + 1), EINVAL);
    CHECK(puts_at(fd, level, option, numbers[i].most) == 0);
  }
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (numbers[i].option != 26) CHECK(number_at(fd, numbers[i].level, numbers[i].option) == numbers[i].most);
}

BEHAVIOUR(switches_of_protocols_are_on_or_off) {
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  if (fd < 0) return;
  unsigned count = sizeof switches / sizeof *switches;
  for (unsigned i = 0; i < count; i++) {
    int level = switches[i].level, option = switches[i].option, first = switches[i].first;
    CHECK(number_at(fd, level, option) == first);
    CHECK(puts_at(fd, level, option, first ? 0 : 70000) == 0);
  }
  for (unsigned i = 0; i < count; i++) CHECK(number_at(fd, switches[i].level, switches[i].option) == !switches[i].first);
}

BEHAVIOUR(options_of_others_are_refused_each_in_its_way) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), value;
  char bytes[64];
  socklen_t length = sizeof value;
  CHECK(number_at(fd, IPPROTO_IP, 3) == 0 && number_at(fd, IPPROTO_IP, 22) == 0 && number_at(fd, IPPROTO_IP, 5) == 0);
  FAILS(puts_at(fd, IPPROTO_IP, 3, 1), ENOPROTOOPT);
  FAILS(puts_at(fd, IPPROTO_IP, 22, 1), ENOPROTOOPT);
  FAILS(puts_at(fd, IPPROTO_IP, 5, 1), EINVAL);
  /* The number of an interface is in the order of the net. */
  CHECK(number_at(fd, IPPROTO_IP, 50) == 0 && puts_at(fd, IPPROTO_IP, 50, htonl(1)) == 0);
  CHECK(number_at(fd, IPPROTO_IP, 50) == (int)htonl(1));
  FAILS(puts_at(fd, IPPROTO_IP, 50, htonl(77777)), EADDRNOTAVAIL);
  FAILS(setsockopt(fd, IPPROTO_IP, 50, "", 1), EINVAL);
  /* What repairs connections takes a privilege. */
  CHECK(number_at(fd, IPPROTO_TCP, 19) == 0);
  if (geteuid() != 0) FAILS(puts_at(fd, IPPROTO_TCP, 19, 1), EPERM);
  static const int repair[] = {20, 21, 29};
  for (int i = 0; i < 3; i++) {
    length = sizeof value;
    FAILS(getsockopt(fd, IPPROTO_TCP, repair[i], &value, &length), EINVAL);
    FAILS(puts_at(fd, IPPROTO_TCP, repair[i], 1), repair[i] == 21 ? EINVAL : EPERM);
  }
  CHECK(listen(fd, 1) == 0);
  FAILS(puts_at(fd, IPPROTO_TCP, 21, 1), EPERM);
  FAILS(puts_at(fd, IPPROTO_TCP, 24, 1), EPERM);
  CHECK(puts_at(fd, IPPROTO_TCP, 17, 1) == 0 && number_at(fd, IPPROTO_TCP, 17) == 0);
  FAILS(puts_at(fd, IPPROTO_TCP, 17, 2), EINVAL);
  length = sizeof bytes;
  CHECK(getsockopt(fd, IPPROTO_TCP, 28, bytes, &length) == 0 && length == 0);
  FAILS(puts_at(fd, IPPROTO_TCP, 28, 1), ENOPROTOOPT);
  FAILS(puts_at(fd, IPPROTO_TCP, 26, 1), ENOPROTOOPT);
}

BEHAVIOUR(the_older_options_of_ipv6_tell_of_datagrams) {
  struct sockaddr_in6 at = {AF_INET6};
  at.sin6_addr = in6addr_loopback;
  socklen_t size = sizeof at;
  int fd = socket(AF_INET6, SOCK_DGRAM, 0), seen = 0;
  if (fd < 0 || bind(fd, (void *)&at, size) != 0) return;
  CHECK(getsockname(fd, (void *)&at, &size) == 0);
  CHECK(puts_at(fd, IPPROTO_IPV6, 2, 1) == 0 && puts_at(fd, IPPROTO_IPV6, 8, 1) == 0);
  CHECK(sendto(fd, "x", 1, 0, (void *)&at, size) == 1);
  char byte, control[256];
  struct iovec piece = {&byte, 1};
  struct msghdr message = {NULL, 0, &piece, 1, control, sizeof control};
  CHECK(recvmsg(fd, &message, 0) == 1);
  for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
    CHECK(each->cmsg_level == IPPROTO_IPV6);
    if (each->cmsg_type == 8) CHECK(*(int *)CMSG_DATA(each) == 64 && (seen |= 1));
    if (each->cmsg_type == 2) CHECK(memcmp(CMSG_DATA(each), &in6addr_loopback, 16) == 0 && (seen |= 2));
  }
  CHECK(seen == 3);
}
