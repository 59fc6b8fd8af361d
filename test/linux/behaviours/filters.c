/* Filters of sockets: programs that say how much is kept of what comes. */
#include "behaviour.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define KEEP(bytes) BPF_STMT(BPF_RET | BPF_K, bytes)
#define KEEP_A BPF_STMT(BPF_RET | BPF_A, 0)
#define LOAD(size, k) BPF_STMT(BPF_LD | size | BPF_ABS, k)
#define LOAD_AT_X(size, k) BPF_STMT(BPF_LD | size | BPF_IND, k)
#define UDP_HEADER 8

static int attach(int fd, struct sock_filter *program, int length) {
  struct sock_fprog all = {length, program};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all);
}
#define ATTACH(fd, ...)                                                                                       \
  ({                                                                                                          \
    struct sock_filter program[] = {__VA_ARGS__};                                                             \
    attach(fd, program, sizeof program / sizeof *program);                                                    \
  })

static int family;
static struct sockaddr_storage at;
static socklen_t length;

/* A socket of UDP that is bound, whose address becomes `at`. */
static int bound(void) {
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  CHECK(fd >= 0 && (family == AF_INET ? bind(fd, (void *)&four, sizeof four) : bind(fd, (void *)&six, sizeof six)) == 0);
  length = sizeof at;
  CHECK(getsockname(fd, (void *)&at, &length) == 0);
  return fd;
}

/* How many bytes of "hello, world" a program keeps, -1: none. */
static int kept(struct sock_filter *program, int count) {
  char got[64];
  int to = bound(), from = socket(family, SOCK_DGRAM, 0), mark = 0;
  CHECK(attach(to, program, count) == 0);
  CHECK(sendto(from, "hello, world", 12, 0, (void *)&at, length) == 12);
  int n = recv(to, got, sizeof got, 0);
  CHECK(n >= 0 ? memcmp(got, "hello, world", n) == 0 : errno == EAGAIN);
  CHECK(close(to) == 0 && close(from) == 0);
  return n;
}
#define KEPT(...)                                                                                             \
  ({                                                                                                          \
    struct sock_filter program[] = {__VA_ARGS__};                                                             \
    kept(program, sizeof program / sizeof *program);                                                          \
  })

/* A is as many bytes of payload as stand there besides the header. */
#define PAYLOAD_A BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, UDP_HEADER), KEEP_A

static void datagrams_of(int which) {
  family = which;
  CHECK(KEPT(KEEP(0)) == -1 && KEPT(KEEP(1)) == 0 && KEPT(KEEP(UDP_HEADER)) == 0);
  CHECK(KEPT(KEEP(UDP_HEADER + 5)) == 5 && KEPT(KEEP(100)) == 12 && KEPT(KEEP(-1)) == 12);
  /* Loads begin at the header of UDP; one that misses the packet drops it. */
  CHECK(KEPT(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 9), KEEP_A) == 3);
  CHECK(KEPT(LOAD(BPF_H, 4), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 18), PAYLOAD_A) == 2);
  CHECK(KEPT(LOAD(BPF_B, UDP_HEADER), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 'h' - 4), PAYLOAD_A) == 4);
  CHECK(KEPT(LOAD(BPF_W, UDP_HEADER), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x68656c6c, 0, 1), KEEP(20), KEEP(0)) == 12);
  CHECK(KEPT(LOAD(BPF_W, 16), KEEP(-1)) == 12 && KEPT(LOAD(BPF_W, 17), KEEP(-1)) == -1);
  CHECK(KEPT(BPF_STMT(BPF_LDX | BPF_IMM, 5), LOAD_AT_X(BPF_B, 4), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 'e' - 1), PAYLOAD_A) == 1);
  CHECK(KEPT(BPF_STMT(BPF_LDX | BPF_IMM, 19), LOAD_AT_X(BPF_H, 0), KEEP(-1)) == -1);
  CHECK(KEPT(BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, UDP_HEADER), BPF_STMT(BPF_MISC | BPF_TXA, 0), KEEP_A) == 12);
  CHECK(KEPT(BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, UDP_HEADER + 2), BPF_STMT(BPF_MISC | BPF_TXA, 0), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 40), PAYLOAD_A) == 8);
  /* The headers of the network and of the link, by offsets of their own. */
  int kind = family == AF_INET ? 4 : 6;
  CHECK(KEPT(LOAD(BPF_B, SKF_NET_OFF), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4), PAYLOAD_A) == kind);
  CHECK(KEPT(LOAD(BPF_B, SKF_NET_OFF + (kind == 4 ? 9 : 6)), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 16), PAYLOAD_A) == 1);
  CHECK(KEPT(LOAD(BPF_H, SKF_LL_OFF + 12), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kind == 4 ? 0x800 : 0x86dd, 0, 1), KEEP(-1), KEEP(0)) == 12);
  CHECK(KEPT(LOAD(BPF_H, SKF_NET_OFF + (kind == 4 ? 20 : 40) + 4), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 18), PAYLOAD_A) == 2);
  /* What stands in no header: type of packets, interface, its kind. */
  CHECK(KEPT(LOAD(BPF_W, SKF_AD_OFF + SKF_AD_PROTOCOL), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kind == 4 ? 0x800 : 0x86dd, 0, 1), KEEP(-1), KEEP(0)) == 12);
  CHECK(KEPT(LOAD(BPF_W, SKF_AD_OFF + SKF_AD_IFINDEX), PAYLOAD_A) == 1);
  CHECK(KEPT(LOAD(BPF_W, SKF_AD_OFF + SKF_AD_HATYPE), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 770), PAYLOAD_A) == 2);
  CHECK(KEPT(LOAD(BPF_W, SKF_AD_OFF + SKF_AD_PKTTYPE), PAYLOAD_A) == 0);
  CHECK(KEPT(LOAD(BPF_W, SKF_AD_OFF + SKF_AD_MARK), PAYLOAD_A) == 0);
  CHECK(KEPT(LOAD(BPF_W, SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT), PAYLOAD_A) == 0);
  CHECK(KEPT(LOAD(BPF_W, SKF_AD_OFF + SKF_AD_PAY_OFFSET), KEEP_A) == 0);
  CHECK(KEPT(BPF_STMT(BPF_LD | BPF_IMM, 6), BPF_STMT(BPF_LDX | BPF_IMM, 5), LOAD(BPF_W, SKF_AD_OFF + SKF_AD_ALU_XOR_X), PAYLOAD_A) == 3);
}

BEHAVIOUR(datagrams_are_cut_as_a_filter_says) { datagrams_of(AF_INET); }
BEHAVIOUR(datagrams_of_the_new_protocol_are_cut_as_a_filter_says) { datagrams_of(AF_INET6); }

BEHAVIOUR(arithmetic_of_filters) {
  family = AF_INET;
#define A_OF(a, op, x)                                                                                        \
  CHECK(KEPT(BPF_STMT(BPF_LD | BPF_IMM, a), BPF_STMT(BPF_ALU | op | BPF_K, x), PAYLOAD_A)                     \
        == KEPT(BPF_STMT(BPF_LDX | BPF_IMM, x), BPF_STMT(BPF_LD | BPF_IMM, a), BPF_STMT(BPF_ALU | op | BPF_X, 0), PAYLOAD_A)); \
  CHECK(KEPT(BPF_STMT(BPF_LD | BPF_IMM, a), BPF_STMT(BPF_ALU | op | BPF_K, x), PAYLOAD_A)
  A_OF(21, BPF_MOD, 12) == 9);
  A_OF(0xfffffffb, BPF_MOD, 7) == 0xfffffffb % 7);
  A_OF(13, BPF_XOR, 6) == 11);
  A_OF(0xffffffff, BPF_XOR, 0xfffffff8) == 7);
  A_OF(63, BPF_DIV, 7) == 9);
  A_OF(0xffffffff, BPF_MUL, 0xfffffffb) == 5);
  A_OF(3, BPF_LSH, 1) == 6);
  A_OF(0x80000000, BPF_RSH, 28) == 8);
  A_OF(13, BPF_AND, 7) == 5);
  A_OF(8, BPF_OR, 3) == 11);
  CHECK(KEPT(BPF_STMT(BPF_LD | BPF_IMM, -9), BPF_STMT(BPF_ALU | BPF_NEG, 0), PAYLOAD_A) == 9);
  /* By nothing is nothing kept. */
  CHECK(KEPT(BPF_STMT(BPF_LD | BPF_IMM, 10), BPF_STMT(BPF_LDX | BPF_IMM, 0), BPF_STMT(BPF_ALU | BPF_MOD | BPF_X, 0), KEEP(-1)) == -1);
  CHECK(KEPT(BPF_STMT(BPF_LD | BPF_IMM, 10), BPF_STMT(BPF_LDX | BPF_IMM, 0), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), KEEP(-1)) == -1);
}

BEHAVIOUR(filters_that_make_no_sense) {
  family = AF_INET;
  int fd = bound();
  struct sock_filter fine[] = {KEEP(-1)};
  struct sock_fprog all = {1, fine};
  FAILS(attach(fd, NULL, 1), EINVAL);
  FAILS(attach(fd, fine, 0), EINVAL);
  FAILS(attach(fd, fine, 5000), EINVAL);
  FAILS(attach(fd, (void *)8, 1), EFAULT);
  FAILS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all - 1), EINVAL);
  FAILS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all + 1), EINVAL);
  FAILS(ATTACH(fd, BPF_STMT(BPF_LD | BPF_IMM, 1)), EINVAL);
  FAILS(ATTACH(fd, BPF_STMT(BPF_LD | BPF_MEM, 0), KEEP_A), EINVAL);
  FAILS(ATTACH(fd, BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 0), KEEP_A), EINVAL);
  FAILS(ATTACH(fd, BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), KEEP_A), EINVAL);
  FAILS(ATTACH(fd, BPF_STMT(BPF_JMP | BPF_JA, 1), KEEP_A), EINVAL);
  FAILS(ATTACH(fd, BPF_STMT(BPF_LD | BPF_W | BPF_MSH, 0), KEEP_A), EINVAL);
  FAILS(ATTACH(fd, LOAD(BPF_W, SKF_AD_OFF + SKF_AD_MAX), KEEP_A), EINVAL);
  FAILS(ATTACH(fd, LOAD(BPF_W, SKF_AD_OFF + 1), KEEP_A), EINVAL);
  FAILS(ATTACH(fd, BPF_STMT(0x1234, 0), KEEP_A), EINVAL);
}

BEHAVIOUR(filters_are_told_locked_and_taken_away) {
  family = AF_INET;
  int fd = bound(), one = 1;
  socklen_t count = 0;
  struct sock_filter got[4];
  char byte;
  CHECK(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &count) == 0 && count == 0);
  FAILS(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &one, sizeof one), ENOENT);
  CHECK(ATTACH(fd, BPF_STMT(BPF_LD | BPF_IMM, 0), KEEP_A) == 0);
  /* They count instructions here. */
  CHECK(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &count) == 0 && count == 2);
  count = 1;
  FAILS(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &count), EINVAL);
  count = 4;
  memset(got, 0x55, sizeof got);
  CHECK(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &count) == 0 && count == 2);
  CHECK(got[0].code == (BPF_LD | BPF_IMM) && got[1].code == (BPF_RET | BPF_A) && got[2].k == 0x55555555);
  CHECK(sendto(fd, "a", 1, 0, (void *)&at, length) == 1);
  FAILS(recv(fd, &byte, 1, 0), EAGAIN);
  CHECK(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &one, sizeof one) == 0);
  CHECK(sendto(fd, "b", 1, 0, (void *)&at, length) == 1 && recv(fd, &byte, 1, 0) == 1 && byte == 'b');
  /* What has come stays, whatever is attached then. */
  CHECK(sendto(fd, "c", 1, 0, (void *)&at, length) == 1 && ATTACH(fd, KEEP(0)) == 0);
  CHECK(recv(fd, &byte, 1, 0) == 1 && byte == 'c');
  CHECK(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof one) == 0);
  FAILS(ATTACH(fd, KEEP(-1)), EPERM);
  FAILS(attach(fd, NULL, 1), EPERM);
  FAILS(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &one, sizeof one), EPERM);
  one = 0;
  FAILS(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof one), EPERM);
}

static void messages_of(int type) {
  int ends[2], one = 1;
  char got[16];
  CHECK(socketpair(AF_UNIX, type, 0, ends) == 0);
  CHECK(ATTACH(ends[1], LOAD(BPF_B, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'h', 0, 1), KEEP(3), KEEP(0)) == 0);
  /* Whoever sends is not told; there are no headers, so nothing can be loaded of an empty one. */
  CHECK(send(ends[0], "jello", 5, 0) == 5 && send(ends[0], "", 0, 0) == 0 && send(ends[0], "hello", 5, 0) == 5);
  CHECK(recv(ends[1], got, sizeof got, 0) == 3 && memcmp(got, "hel", 3) == 0);
  FAILS(recv(ends[1], got, sizeof got, MSG_DONTWAIT), EAGAIN);
  CHECK(ATTACH(ends[1], LOAD(BPF_W, SKF_AD_OFF + SKF_AD_IFINDEX), KEEP(-1)) == 0 && send(ends[0], "h", 1, 0) == 1);
  CHECK(ATTACH(ends[1], LOAD(BPF_B, SKF_LL_OFF), KEEP(-1)) == 0);
  FAILS(recv(ends[1], got, sizeof got, MSG_DONTWAIT), EAGAIN);
  /* Descriptors that come with what is dropped are closed. */
  int pipes[2];
  CHECK(pipe(pipes) == 0 && ATTACH(ends[1], KEEP(0)) == 0);
  char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
  struct iovec part = {"x", 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr *control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = SOL_SOCKET, control->cmsg_type = SCM_RIGHTS, control->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(control), &pipes[1], sizeof(int));
  CHECK(sendmsg(ends[0], &message, 0) == 1 && close(pipes[1]) == 0 && read(pipes[0], got, 1) == 0);
  CHECK(setsockopt(ends[1], SOL_SOCKET, SO_DETACH_FILTER, &one, sizeof one) == 0);
}

BEHAVIOUR(messages_between_processes_are_filtered) {
  messages_of(SOCK_DGRAM);
  messages_of(SOCK_SEQPACKET);
}

/* The kernel's answers pass a filter as well, which may look for attributes. */
BEHAVIOUR(answers_of_netlink_are_filtered) {
  struct {
    struct nlmsghdr head;
    struct ifinfomsg body;
  } ask = {{sizeof ask, RTM_GETLINK, NLM_F_REQUEST, 1}, {.ifi_index = 1}};
  char got[4096];
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  CHECK(fd >= 0 && ATTACH(fd, KEEP(0)) == 0 && send(fd, &ask, sizeof ask, 0) == sizeof ask);
  FAILS(recv(fd, got, sizeof got, MSG_DONTWAIT), EAGAIN);
  CHECK(ATTACH(fd, BPF_STMT(BPF_LDX | BPF_IMM, IFLA_IFNAME), BPF_STMT(BPF_LD | BPF_IMM, sizeof ask),
               LOAD(BPF_W, SKF_AD_OFF + SKF_AD_NLATTR), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, sizeof ask, 0, 1),
               KEEP(-1), KEEP(0)) == 0);
  CHECK(send(fd, &ask, sizeof ask, 0) == sizeof ask && recv(fd, got, sizeof got, MSG_DONTWAIT) > (int)sizeof ask);
  CHECK(ATTACH(fd, BPF_STMT(BPF_LDX | BPF_IMM, 250), BPF_STMT(BPF_LD | BPF_IMM, sizeof ask),
               LOAD(BPF_W, SKF_AD_OFF + SKF_AD_NLATTR), KEEP_A) == 0);
  CHECK(send(fd, &ask, sizeof ask, 0) == sizeof ask);
  FAILS(recv(fd, got, sizeof got, MSG_DONTWAIT), EAGAIN);
}
