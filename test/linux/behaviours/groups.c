/* Groups of multicast on the loopback: who joins them, and who hears what is sent there. */
#include "behaviour.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define GROUP "239.11.22.33"
#define OTHER "239.11.22.44"
#define NOTHING -1

static struct sockaddr_in address(const char *name, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = port};
  CHECK(inet_pton(AF_INET, name, &at.sin_addr) == 1);
  return at;
}
static int with(int fd, int option, int value) { return setsockopt(fd, IPPROTO_IP, option, &value, sizeof value); }

/* A socket for datagrams, which does not wait, at an address of a port that others may have as well; 0: any. */
static int bound(const char *name, int port) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), one = 1;
  struct sockaddr_in at = address(name, port);
  CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
  CHECK(bind(fd, (void *)&at, sizeof at) == 0);
  return fd;
}
static int port_of(int fd) {
  struct sockaddr_in at;
  socklen_t length = sizeof at;
  CHECK(getsockname(fd, (void *)&at, &length) == 0);
  return at.sin_port;
}
/* Changes a membership by the loopback's address. */
static int member(int fd, int option, const char *group, const char *by) {
  struct ip_mreq request = {address(group, 0).sin_addr, address(by, 0).sin_addr};
  return setsockopt(fd, IPPROTO_IP, option, &request, sizeof request);
}
static int join(int fd, const char *group) { return member(fd, IP_ADD_MEMBERSHIP, group, "127.0.0.1"); }
static int leave(int fd, const char *group) { return member(fd, IP_DROP_MEMBERSHIP, group, "127.0.0.1"); }
static int source(int fd, int option, const char *group, const char *from) {
  struct ip_mreq_source request;
  request.imr_multiaddr = address(group, 0).sin_addr;
  request.imr_interface = address("127.0.0.1", 0).sin_addr;
  request.imr_sourceaddr = address(from, 0).sin_addr;
  return setsockopt(fd, IPPROTO_IP, option, &request, sizeof request);
}
/* Sends by the loopback as its interface for groups. */
static int sender(void) {
  int fd = bound("0.0.0.0", 0);
  struct in_addr by = address("127.0.0.1", 0).sin_addr;
  CHECK(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by) == 0);
  return fd;
}
static int say(int fd, const char *to, int port) {
  struct sockaddr_in at = address(to, port);
  return sendto(fd, "hi", 2, 0, (void *)&at, sizeof at);
}
static int heard(int fd) {
  char got[16];
  int n = recv(fd, got, sizeof got, 0);
  CHECK(n == 2 || (n == -1 && errno == EAGAIN));
  return n;
}

BEHAVIOUR(all_members_hear_what_is_sent_to_a_group) {
  int one = bound("0.0.0.0", 0), port = port_of(one), two = bound("0.0.0.0", port), from = sender();
  /* Nobody is in it. */
  CHECK(say(from, GROUP, port) == 2 && heard(one) == NOTHING && heard(two) == NOTHING);
  CHECK(join(one, GROUP) == 0 && say(from, GROUP, port) == 2);
  /* What one has joined others get that have not said otherwise. */
  CHECK(heard(one) == 2 && heard(one) == NOTHING && heard(two) == 2);
  CHECK(with(two, IP_MULTICAST_ALL, 0) == 0 && say(from, GROUP, port) == 2 && heard(one) == 2 && heard(two) == NOTHING);
  CHECK(join(two, GROUP) == 0 && say(from, GROUP, port) == 2 && heard(one) == 2 && heard(two) == 2);
  CHECK(say(from, OTHER, port) == 2 && heard(one) == NOTHING && heard(two) == NOTHING);
  CHECK(leave(one, GROUP) == 0 && say(from, GROUP, port) == 2 && heard(one) == 2 && heard(two) == 2);
  CHECK(with(one, IP_MULTICAST_ALL, 0) == 0 && say(from, GROUP, port) == 2 && heard(one) == NOTHING && heard(two) == 2);
  /* Others leave when they are closed. */
  CHECK(with(one, IP_MULTICAST_ALL, 1) == 0 && close(two) == 0 && say(from, GROUP, port) == 2 && heard(one) == NOTHING);
  /* Everybody is in that of all hosts. */
  CHECK(say(from, "224.0.0.1", port) == 2 && heard(one) == 2);
  CHECK(say(from, "224.0.0.2", port) == 2 && heard(one) == NOTHING);
}

BEHAVIOUR(who_is_bound_to_what_hears_a_group) {
  int group = bound(GROUP, 0), port = port_of(group), own = bound("127.0.0.1", port), from = sender();
  CHECK(join(group, GROUP) == 0 && join(own, GROUP) == 0 && join(own, OTHER) == 0);
  CHECK(say(from, GROUP, port) == 2 && heard(group) == 2 && heard(own) == NOTHING);
  CHECK(say(from, OTHER, port) == 2 && heard(group) == NOTHING && heard(own) == NOTHING);
  CHECK(say(from, "127.0.0.1", port) == 2 && heard(group) == NOTHING && heard(own) == 2);
  /* It sends from the interface's address, and keeps its own. */
  struct sockaddr_in at = address("127.0.0.1", port), got;
  socklen_t length = sizeof got;
  char byte;
  CHECK(sendto(group, "x", 1, 0, (void *)&at, sizeof at) == 1);
  CHECK(recvfrom(own, &byte, 1, 0, (void *)&got, &length) == 1);
  CHECK(got.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && got.sin_port == port);
  length = sizeof got;
  CHECK(getsockname(group, (void *)&got, &length) == 0 && got.sin_addr.s_addr == address(GROUP, 0).sin_addr.s_addr);
  /* Whoever is connected hears its peer alone. */
  struct sockaddr_in peer = address("127.0.0.1", port_of(from));
  int other = sender();
  CHECK(connect(group, (void *)&peer, sizeof peer) == 0);
  CHECK(say(other, GROUP, port) == 2 && heard(group) == NOTHING);
  CHECK(close(from) == 0);
  from = bound("127.0.0.1", peer.sin_port);
  CHECK(say(from, GROUP, port) == 2 && heard(group) == 2);
}

BEHAVIOUR(memberships_that_make_no_sense) {
  int fd = bound("0.0.0.0", 0), stream = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  char room[64] = {0};
  CHECK(join(fd, GROUP) == 0);
  FAILS(join(fd, GROUP), EADDRINUSE);
  FAILS(join(fd, "10.1.2.3"), EINVAL);
  FAILS(join(stream, GROUP), EPROTO);
  FAILS(member(fd, IP_ADD_MEMBERSHIP, OTHER, "198.51.100.7"), ENODEV);
  FAILS(leave(fd, OTHER), EADDRNOTAVAIL);
  FAILS(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, room, 7), EINVAL);
  FAILS(setsockopt(fd, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, room, 11), EINVAL);
  FAILS(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, room, 8), EINVAL);
  struct ip_mreqn by_number = {address(OTHER, 0).sin_addr, {0}, 9999};
  FAILS(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &by_number, sizeof by_number), ENODEV);
  by_number.imr_ifindex = 1;
  CHECK(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &by_number, sizeof by_number) == 0);
  FAILS(join(fd, OTHER), EADDRINUSE);
  CHECK(setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &by_number, sizeof by_number) == 0);
  FAILS(getsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, room, &(socklen_t){64}), ENOPROTOOPT);
  /* No more than twenty. */
  int more = 1;
  for (; more < 40; more++) {
    char name[32];
    sprintf(name, "239.77.0.%d", more);
    if (join(fd, name) != 0) break;
  }
  CHECK(errno == ENOBUFS && more == 20);
  struct in_addr elsewhere = address("198.51.100.7", 0).sin_addr;
  FAILS(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &elsewhere, sizeof elsewhere), EADDRNOTAVAIL);
  FAILS(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, room, 3), EINVAL);
  FAILS(setsockopt(stream, IPPROTO_IP, IP_MULTICAST_IF, room, 4), EINVAL);
  FAILS(with(stream, IP_MULTICAST_TTL, one), EINVAL);
  CHECK(with(stream, IP_MULTICAST_LOOP, one) == 0);
}

BEHAVIOUR(sources_of_a_group_are_chosen) {
  int fd = bound("0.0.0.0", 0), port = port_of(fd), from = sender();
  CHECK(with(fd, IP_MULTICAST_ALL, 0) == 0);
  CHECK(source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1") == 0);
  FAILS(source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1"), EADDRNOTAVAIL);
  CHECK(source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "127.0.0.9") == 0);
  CHECK(say(from, GROUP, port) == 2 && heard(fd) == 2);
  CHECK(source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1") == 0);
  CHECK(say(from, GROUP, port) == 2 && heard(fd) == NOTHING);
  FAILS(source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1"), EADDRNOTAVAIL);
  FAILS(source(fd, IP_BLOCK_SOURCE, GROUP, "127.0.0.1"), EINVAL);
  FAILS(join(fd, GROUP), EADDRINUSE);
  /* To hear nobody is to leave. */
  CHECK(source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, "127.0.0.9") == 0 && join(fd, GROUP) == 0);
  CHECK(say(from, GROUP, port) == 2 && heard(fd) == 2);
  CHECK(source(fd, IP_BLOCK_SOURCE, GROUP, "127.0.0.1") == 0);
  FAILS(source(fd, IP_BLOCK_SOURCE, GROUP, "127.0.0.1"), EADDRNOTAVAIL);
  CHECK(say(from, GROUP, port) == 2 && heard(fd) == NOTHING);
  CHECK(source(fd, IP_UNBLOCK_SOURCE, GROUP, "127.0.0.1") == 0);
  FAILS(source(fd, IP_UNBLOCK_SOURCE, GROUP, "127.0.0.1"), EADDRNOTAVAIL);
  CHECK(say(from, GROUP, port) == 2 && heard(fd) == 2);
  FAILS(source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1"), EINVAL);
  FAILS(source(fd, IP_BLOCK_SOURCE, OTHER, "127.0.0.1"), EINVAL);
}

BEHAVIOUR(all_sources_of_a_group_at_once) {
  int fd = bound("0.0.0.0", 0), port = port_of(fd), from = sender();
  char room[64] = {0};
  struct ip_msfilter *filter = (void *)room;
  socklen_t length = sizeof room;
  filter->imsf_multiaddr = address(GROUP, 0).sin_addr, filter->imsf_interface = address("127.0.0.1", 0).sin_addr;
  FAILS(getsockopt(fd, IPPROTO_IP, IP_MSFILTER, filter, &length), EADDRNOTAVAIL);
  CHECK(with(fd, IP_MULTICAST_ALL, 0) == 0 && join(fd, GROUP) == 0);
  filter->imsf_numsrc = 5;
  CHECK(getsockopt(fd, IPPROTO_IP, IP_MSFILTER, filter, &length) == 0 && length == IP_MSFILTER_SIZE(0));
  CHECK(filter->imsf_fmode == MCAST_EXCLUDE && filter->imsf_numsrc == 0);
  filter->imsf_numsrc = 1, filter->imsf_slist[0] = address("127.0.0.1", 0).sin_addr;
  CHECK(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, filter, IP_MSFILTER_SIZE(1)) == 0);
  CHECK(say(from, GROUP, port) == 2 && heard(fd) == NOTHING);
  filter->imsf_fmode = MCAST_INCLUDE;
  CHECK(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, filter, IP_MSFILTER_SIZE(1)) == 0);
  CHECK(say(from, GROUP, port) == 2 && heard(fd) == 2);
  FAILS(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, filter, IP_MSFILTER_SIZE(1) - 1), EINVAL);
  /* What there is no room for is counted. */
  filter->imsf_numsrc = 0, length = sizeof room;
  CHECK(getsockopt(fd, IPPROTO_IP, IP_MSFILTER, filter, &length) == 0 && length == IP_MSFILTER_SIZE(0));
  CHECK(filter->imsf_fmode == MCAST_INCLUDE && filter->imsf_numsrc == 1);
  filter->imsf_numsrc = 11;
  FAILS(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, filter, IP_MSFILTER_SIZE(11)), ENOBUFS);
  filter->imsf_numsrc = 0;
  CHECK(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, filter, IP_MSFILTER_SIZE(0)) == 0);
  FAILS(leave(fd, GROUP), EADDRNOTAVAIL);
}

static struct sockaddr_storage stored(int family, const char *name) {
  struct sockaddr_storage at = {.ss_family = family};
  if (family == AF_INET) CHECK(inet_pton(family, name, &((struct sockaddr_in *)&at)->sin_addr) == 1);
  else CHECK(inet_pton(family, name, &((struct sockaddr_in6 *)&at)->sin6_addr) == 1);
  return at;
}
static int request(int fd, int level, int option, int by, int family, const char *group) {
  struct group_req all = {by, stored(family, group)};
  return setsockopt(fd, level, option, &all, sizeof all);
}
static int request_source(int fd, int level, int option, int family, const char *group, const char *from) {
  struct group_source_req all = {1, stored(family, group), stored(family, from)};
  return setsockopt(fd, level, option, &all, sizeof all);
}

BEHAVIOUR(groups_by_number_of_the_interface) {
  int fd = bound("0.0.0.0", 0), port = port_of(fd), from = sender();
  CHECK(request(fd, IPPROTO_IP, MCAST_JOIN_GROUP, 1, AF_INET, GROUP) == 0);
  FAILS(request(fd, IPPROTO_IP, MCAST_JOIN_GROUP, 1, AF_INET, GROUP), EADDRINUSE);
  FAILS(request(fd, IPPROTO_IP, MCAST_JOIN_GROUP, 9999, AF_INET, OTHER), ENODEV);
  FAILS(request(fd, IPPROTO_IP, MCAST_JOIN_GROUP, 1, AF_INET6, "ff12::7"), EINVAL);
  CHECK(say(from, GROUP, port) == 2 && heard(fd) == 2);
  CHECK(request_source(fd, IPPROTO_IP, MCAST_BLOCK_SOURCE, AF_INET, GROUP, "127.0.0.1") == 0);
  CHECK(say(from, GROUP, port) == 2 && heard(fd) == NOTHING);
  struct {
    struct group_filter head;
    struct sockaddr_storage more[3];
  } all = {{.gf_interface = 1, .gf_group = stored(AF_INET, GROUP), .gf_numsrc = 4}};
  socklen_t length = sizeof all;
  CHECK(getsockopt(fd, IPPROTO_IP, MCAST_MSFILTER, &all, &length) == 0 && length == GROUP_FILTER_SIZE(1));
  CHECK(all.head.gf_fmode == MCAST_EXCLUDE && all.head.gf_numsrc == 1);
  struct sockaddr_in *told = (void *)&all.head.gf_slist[0];
  CHECK(told->sin_family == AF_INET && told->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
  all.head.gf_fmode = MCAST_INCLUDE;
  CHECK(setsockopt(fd, IPPROTO_IP, MCAST_MSFILTER, &all, GROUP_FILTER_SIZE(1)) == 0);
  CHECK(say(from, GROUP, port) == 2 && heard(fd) == 2);
  CHECK(request_source(fd, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, AF_INET, GROUP, "127.0.0.1") == 0);
  FAILS(request(fd, IPPROTO_IP, MCAST_LEAVE_GROUP, 1, AF_INET, GROUP), EADDRNOTAVAIL);
  CHECK(request_source(fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, AF_INET, GROUP, "127.0.0.1") == 0);
  CHECK(request_source(fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, AF_INET, GROUP, "127.0.0.2") == 0);
  CHECK(request(fd, IPPROTO_IP, MCAST_LEAVE_GROUP, 1, AF_INET, GROUP) == 0);
}

BEHAVIOUR(groups_of_the_new_protocol) {
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), stream = socket(AF_INET6, SOCK_STREAM, 0), one = 1, none = 9999;
  struct ipv6_mreq all = {.ipv6mr_interface = 1};
  CHECK(fd >= 0 && inet_pton(AF_INET6, "ff12::1234:7", &all.ipv6mr_multiaddr) == 1);
  CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &all, sizeof all) == 0);
  FAILS(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &all, sizeof all), EADDRINUSE);
  FAILS(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &all, sizeof all - 1), EINVAL);
  FAILS(setsockopt(stream, IPPROTO_IPV6, IPV6_JOIN_GROUP, &all, sizeof all), EPROTO);
  CHECK(strstr(contents("/proc/net/igmp6"), "ff120000000000000000000012340007     1 00000004 0") != NULL);
  CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &all, sizeof all) == 0);
  FAILS(setsockopt(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &all, sizeof all), EADDRNOTAVAIL);
  all.ipv6mr_interface = none;
  FAILS(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &all, sizeof all), ENODEV);
  all.ipv6mr_interface = 1, all.ipv6mr_multiaddr = in6addr_loopback;
  FAILS(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &all, sizeof all), EINVAL);
  FAILS(setsockopt(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &all, sizeof all), EINVAL);
  CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &one, sizeof one) == 0);
  FAILS(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &none, sizeof none), ENODEV);
  FAILS(setsockopt(stream, IPPROTO_IPV6, IPV6_MULTICAST_IF, &one, sizeof one), ENOPROTOOPT);
  FAILS(setsockopt(stream, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &one, sizeof one), ENOPROTOOPT);

  CHECK(request(fd, IPPROTO_IPV6, MCAST_JOIN_GROUP, 1, AF_INET6, "ff12::8") == 0);
  FAILS(request(fd, IPPROTO_IPV6, MCAST_JOIN_GROUP, 1, AF_INET, GROUP), EADDRNOTAVAIL);
  CHECK(request_source(fd, IPPROTO_IPV6, MCAST_BLOCK_SOURCE, AF_INET6, "ff12::8", "::1") == 0);
  FAILS(request_source(fd, IPPROTO_IPV6, MCAST_BLOCK_SOURCE, AF_INET6, "ff12::8", "::1"), EADDRNOTAVAIL);
  CHECK(request_source(fd, IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, AF_INET6, "ff12::8", "::1") == 0);
  FAILS(request_source(fd, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, AF_INET6, "ff12::8", "::1"), EINVAL);
  CHECK(request(fd, IPPROTO_IPV6, MCAST_LEAVE_GROUP, 1, AF_INET6, "ff12::8") == 0);
  CHECK(request_source(fd, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, AF_INET6, "ff12::8", "::1") == 0);
  CHECK(request_source(fd, IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, AF_INET6, "ff12::8", "::1") == 0);
  FAILS(request(fd, IPPROTO_IPV6, MCAST_LEAVE_GROUP, 1, AF_INET6, "ff12::8"), EADDRNOTAVAIL);
}

/* It takes groups of the old protocol, too. */
BEHAVIOUR(a_socket_of_the_new_protocol_hears_groups_of_the_old) {
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), from = sender();
  struct sockaddr_in6 at = {.sin6_family = AF_INET6}, got;
  socklen_t length = sizeof at;
  char name[64];
  CHECK(bind(fd, (void *)&at, sizeof at) == 0 && getsockname(fd, (void *)&at, &length) == 0);
  CHECK(request(fd, IPPROTO_IP, MCAST_JOIN_GROUP, 1, AF_INET, GROUP) == 0 && say(from, GROUP, at.sin6_port) == 2);
  length = sizeof got;
  CHECK(recvfrom(fd, name, sizeof name, 0, (void *)&got, &length) == 2);
  CHECK(strcmp(inet_ntop(AF_INET6, &got.sin6_addr, name, sizeof name), "::ffff:127.0.0.1") == 0);
  CHECK(leave(fd, GROUP) == 0 && say(from, GROUP, at.sin6_port) == 2);
  FAILS(recv(fd, name, sizeof name, 0), EAGAIN);
}

static struct {
  char from[32], spec[32], to[32];
  int ttl, interface;
} told;

/* Receives a datagram with what its header says. */
static int told_by(int fd) {
  char byte, room[256] __attribute__((aligned(8)));
  struct sockaddr_in from;
  struct iovec part = {&byte, 1};
  struct msghdr message = {&from, sizeof from, &part, 1, room, sizeof room};
  if (recvmsg(fd, &message, 0) < 0) return NOTHING;
  strcpy(told.from, inet_ntoa(from.sin_addr));
  for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
    struct in_pktinfo info;
    if (at->cmsg_type == IP_TTL) memcpy(&told.ttl, CMSG_DATA(at), sizeof told.ttl);
    if (at->cmsg_type != IP_PKTINFO) continue;
    memcpy(&info, CMSG_DATA(at), sizeof info);
    told.interface = info.ipi_ifindex;
    strcpy(told.spec, inet_ntoa(info.ipi_spec_dst));
    strcpy(told.to, inet_ntoa(info.ipi_addr));
  }
  return 0;
}
#define TOLD(from_, spec_, to_)                                                                               \
  CHECK(strcmp(told.from, from_) == 0 && strcmp(told.spec, spec_) == 0 && strcmp(told.to, to_) == 0 && told.interface == 1)

/* From nowhere, where there is no other interface that has an address for others. */
static void told_from_nowhere(const char *to) {
  char *devices = contents("/proc/net/dev");
  int lines = 0;
  for (char *at = devices; *at; at++) lines += *at == '\n';
  CHECK(strcmp(told.to, to) == 0 && told.interface == 1);
  if (lines == 3) CHECK(strcmp(told.from, "0.0.0.0") == 0 && strcmp(told.spec, "0.0.0.0") == 0);
}

BEHAVIOUR(headers_of_datagrams_for_groups) {
  int fd = bound("0.0.0.0", 0), port = port_of(fd), from = sender(), own = bound("127.0.0.1", 0), lo = bound("0.0.0.0", 0);
  struct in_addr by = address("127.0.0.7", 0).sin_addr;
  CHECK(join(fd, GROUP) == 0 && with(fd, IP_PKTINFO, 1) == 0 && with(fd, IP_RECVTTL, 1) == 0);
  CHECK(setsockopt(from, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by) == 0);
  CHECK(say(from, GROUP, port) == 2 && told_by(fd) == 0 && told.ttl == 1);
  TOLD("127.0.0.7", "127.0.0.1", GROUP);
  CHECK(with(from, IP_MULTICAST_TTL, 9) == 0 && with(from, IP_MULTICAST_LOOP, 0) == 0);
  CHECK(say(from, GROUP, port) == 2 && told_by(fd) == 0 && told.ttl == 9 && told_by(fd) == NOTHING);
  by.s_addr = 0;
  socklen_t length = sizeof by;
  CHECK(getsockopt(from, IPPROTO_IP, IP_MULTICAST_IF, &by, &length) == 0 && length == 4 && by.s_addr == htonl(0x7f000007));
  /* Whoever is on the loopback sends by it. */
  CHECK(say(own, GROUP, port) == 2 && told_by(fd) == 0 && told.ttl == 1);
  TOLD("127.0.0.1", "127.0.0.1", GROUP);
  /* So does who is bound to it, from nowhere: its address is for the host itself. */
  CHECK(setsockopt(lo, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0 && say(lo, GROUP, port) == 2 && told_by(fd) == 0);
  told_from_nowhere(GROUP);
  /* To one it is as ever. */
  CHECK(say(from, "127.0.0.5", port) == 2 && told_by(fd) == 0 && told.ttl == 64);
  TOLD("127.0.0.1", "127.0.0.5", "127.0.0.5");
}

BEHAVIOUR(a_message_says_by_which_interface_it_goes) {
  int fd = bound("0.0.0.0", 0), port = port_of(fd), from = bound("0.0.0.0", 0);
  char room[CMSG_SPACE(sizeof(struct in_pktinfo))] __attribute__((aligned(8))) = {0};
  struct iovec part = {"hi", 2};
  struct sockaddr_in at = address(GROUP, port);
  struct msghdr message = {&at, sizeof at, &part, 1, room, sizeof room};
  struct cmsghdr *control = CMSG_FIRSTHDR(&message);
  struct in_pktinfo *info = (void *)CMSG_DATA(control);
  control->cmsg_level = IPPROTO_IP, control->cmsg_type = IP_PKTINFO, control->cmsg_len = CMSG_LEN(sizeof *info);
  CHECK(join(fd, GROUP) == 0 && with(fd, IP_PKTINFO, 1) == 0);
  info->ipi_ifindex = 1;
  CHECK(sendmsg(from, &message, 0) == 2 && told_by(fd) == 0);
  told_from_nowhere(GROUP);
  info->ipi_ifindex = 0, info->ipi_spec_dst = address("127.0.0.9", 0).sin_addr;
  CHECK(sendmsg(from, &message, 0) == 2 && told_by(fd) == 0);
  TOLD("127.0.0.9", "127.0.0.1", GROUP);
  at = address("127.0.0.1", port);
  CHECK(sendmsg(from, &message, 0) == 2 && told_by(fd) == 0);
  TOLD("127.0.0.9", "127.0.0.1", "127.0.0.1");
  info->ipi_ifindex = 9999;
  FAILS(sendmsg(from, &message, 0), ENODEV);
  control->cmsg_len = CMSG_LEN(sizeof *info - 4);
  FAILS(sendmsg(from, &message, 0), EINVAL);
}

BEHAVIOUR(all_hear_a_broadcast) {
  int one = bound("0.0.0.0", 0), port = port_of(one), two = bound("0.0.0.0", port), own = bound("127.0.0.1", port);
  int from = bound("0.0.0.0", 0), yes = 1;
  FAILS(say(from, "127.255.255.255", port), EACCES);
  CHECK(setsockopt(from, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) == 0 && with(one, IP_PKTINFO, 1) == 0);
  CHECK(say(from, "127.255.255.255", port) == 2 && told_by(one) == 0 && heard(two) == 2 && heard(own) == NOTHING);
  TOLD("127.0.0.1", "127.0.0.1", "127.255.255.255");
  CHECK(setsockopt(from, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0);
  CHECK(say(from, "255.255.255.255", port) == 2 && told_by(one) == 0 && heard(two) == 2 && heard(own) == NOTHING);
  told_from_nowhere("255.255.255.255");
}

BEHAVIOUR(groups_are_told_by_proc) {
  int fd = bound("0.0.0.0", 0);
  uint32_t group = address(GROUP, 0).sin_addr.s_addr;
  char line[64];
  CHECK(join(fd, GROUP) == 0 && source(fd, IP_BLOCK_SOURCE, GROUP, "127.0.0.4") == 0);
  sprintf(line, "\t\t\t\t%08X     1 0:00000000\t\t0\n", group);
  CHECK(strstr(contents("/proc/net/igmp"), line) != NULL && strstr(contents("/proc/net/igmp"), "1\tlo        :") != NULL);
  CHECK(strstr(contents("/proc/net/mcfilter"), "  1     lo 0xef0b1621 0x7f000004      0      1\n") != NULL);
  CHECK(leave(fd, GROUP) == 0 && strstr(contents("/proc/net/igmp"), line) == NULL);
}
