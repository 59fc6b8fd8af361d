/* Which families of sockets there are, and what the kernel says to those who ask by netlink. */
#include "behaviour.h"
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

struct request {
  struct nlmsghdr head;
  struct genlmsghdr family;
  char attributes[32];
};

/* Asks by a generic netlink socket for the family of a name; the answer's length. */
static int ask_for(int fd, int flags, int command, const char *name, void *answer, int room) {
  struct request asked = {{0, GENL_ID_CTRL, flags | NLM_F_REQUEST, 7, 0}, {command, 1}};
  struct nlattr *attribute = (struct nlattr *)asked.attributes;
  int length = strlen(name) + 1;
  attribute->nla_type = CTRL_ATTR_FAMILY_NAME;
  attribute->nla_len = NLA_HDRLEN + length;
  memcpy(attribute + 1, name, length);
  asked.head.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) + NLA_ALIGN(attribute->nla_len);
  if (send(fd, &asked, asked.head.nlmsg_len, 0) != (int)asked.head.nlmsg_len) return -1;
  return recv(fd, answer, room, 0);
}

static int error_of(const void *answer) {
  const struct nlmsghdr *head = answer;
  return head->nlmsg_type == NLMSG_ERROR ? ((const struct nlmsgerr *)NLMSG_DATA(head))->error : 1;
}

BEHAVIOUR(families_of_messages_are_found_by_name) {
  _Alignas(8) char answer[65536];
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
  struct sockaddr_nl self = {AF_NETLINK};
  CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&self, sizeof self) == 0);
  struct nlmsghdr *head = (struct nlmsghdr *)answer;
  int length = ask_for(fd, 0, CTRL_CMD_GETFAMILY, "nlctrl", answer, sizeof answer);
  CHECK(length == (int)head->nlmsg_len && head->nlmsg_type == GENL_ID_CTRL && head->nlmsg_seq == 7);
  CHECK(head->nlmsg_pid == (unsigned)getpid());
  CHECK(((struct genlmsghdr *)NLMSG_DATA(head))->cmd == CTRL_CMD_NEWFAMILY);
  int id = 0, groups = 0;
  for (int at = NLMSG_LENGTH(GENL_HDRLEN); at < length;) {
    struct nlattr *each = (struct nlattr *)(answer + at);
    CHECK(each->nla_len >= NLA_HDRLEN);
    if (each->nla_type == CTRL_ATTR_FAMILY_NAME) CHECK(strcmp((char *)(each + 1), "nlctrl") == 0);
    if (each->nla_type == CTRL_ATTR_FAMILY_ID) id = *(unsigned short *)(each + 1);
    if ((each->nla_type & NLA_TYPE_MASK) == CTRL_ATTR_MCAST_GROUPS) groups++;
    at += NLA_ALIGN(each->nla_len);
  }
  CHECK(id == GENL_ID_CTRL && groups == 1);
  CHECK(ask_for(fd, NLM_F_ACK, CTRL_CMD_GETFAMILY, "nlctrl", answer, sizeof answer) == length);
  CHECK(recv(fd, answer, sizeof answer, 0) == 36 && error_of(answer) == 0 && head->nlmsg_flags == NLM_F_CAPPED);
  /* Errors come with all that was asked. */
  CHECK(ask_for(fd, 0, CTRL_CMD_GETFAMILY, "no_such_thing", answer, sizeof answer) == 60 && error_of(answer) == -ENOENT);
  CHECK(ask_for(fd, 0, 77, "nlctrl", answer, sizeof answer) > 0 && error_of(answer) == -EOPNOTSUPP);
  struct nlmsghdr only = {sizeof only, 999, NLM_F_REQUEST, 1, 0};
  CHECK(send(fd, &only, sizeof only, 0) == sizeof only && recv(fd, answer, sizeof answer, 0) > 0);
  CHECK(error_of(answer) == -ENOENT);
  only.nlmsg_type = NLMSG_NOOP, only.nlmsg_flags |= NLM_F_ACK;
  CHECK(send(fd, &only, sizeof only, 0) == sizeof only && recv(fd, answer, sizeof answer, 0) > 0 && error_of(answer) == 0);
}

BEHAVIOUR(notices_of_devices_are_waited_for) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT), on = 1;
  struct sockaddr_nl self = {AF_NETLINK, 0, 0, 2}, other = {AF_NETLINK, 0, 12345, 0};
  struct pollfd ready = {fd, POLLIN};
  socklen_t length = sizeof self;
  char byte;
  CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&self, sizeof self) == 0);
  CHECK(getsockname(fd, (struct sockaddr *)&self, &length) == 0 && self.nl_groups == 2 && self.nl_pid == (unsigned)getpid());
  CHECK(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
  CHECK(poll(&ready, 1, 20) == 0);
  FAILS(recv(fd, &byte, 1, 0), EAGAIN);
  if (geteuid() == 0) return;
  FAILS(sendto(fd, "x", 1, 0, (struct sockaddr *)&other, sizeof other), EPERM);
  FAILS(connect(fd, (struct sockaddr *)&other, sizeof other), EPERM);
}

BEHAVIOUR(who_may_not_look_at_packets_is_told_so) {
  if (geteuid() == 0) return;
  FAILS(socket(AF_PACKET, SOCK_RAW, 0), EPERM);
  FAILS(socket(AF_PACKET, SOCK_DGRAM, 0), EPERM);
  FAILS(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
}
