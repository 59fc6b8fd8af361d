/* What the kernel tells of sockets by NETLINK_SOCK_DIAG, as ss(8) asks. */
#include "behaviour.h"
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static char answer[65536] __attribute__((aligned(8)));
static int asked, left;

/* Asks, and reads the first messages of the answer. */
static struct nlmsghdr *ask(const void *request, int size, int flags, int type) {
  struct {
    struct nlmsghdr head;
    char contents[64];
  } message = {{NLMSG_LENGTH(size), type, NLM_F_REQUEST | flags, 5}};
  memcpy(message.contents, request, size);
  if (asked) close(asked);
  asked = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  CHECK(asked >= 0 && send(asked, &message, message.head.nlmsg_len, 0) == (int)message.head.nlmsg_len);
  left = recv(asked, answer, sizeof answer, 0);
  CHECK(left > 0 && NLMSG_OK((struct nlmsghdr *)answer, left));
  return (void *)answer;
}
static struct nlmsghdr *next(struct nlmsghdr *at) {
  at = NLMSG_NEXT(at, left);
  if (NLMSG_OK(at, left)) return at;
  left = recv(asked, answer, sizeof answer, 0);
  CHECK(left > 0);
  return (void *)answer;
}
static int error_of(struct nlmsghdr *at) {
  CHECK(at->nlmsg_type == NLMSG_ERROR);
  return -((struct nlmsgerr *)NLMSG_DATA(at))->error;
}
static const void *attribute(struct nlmsghdr *at, int size, int type) {
  int rest = at->nlmsg_len - NLMSG_SPACE(size);
  for (struct rtattr *each = (void *)((char *)at + NLMSG_SPACE(size)); RTA_OK(each, rest); each = RTA_NEXT(each, rest))
    if (each->rta_type == type) return RTA_DATA(each);
  return NULL;
}

BEHAVIOUR(sockets_of_tcp_are_told_of) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (void *)&at, length) == 0 && listen(listener, 5) == 0);
  CHECK(getsockname(listener, (void *)&at, &length) == 0 && connect(client, (void *)&at, length) == 0);
  struct inet_diag_req_v2 request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = -1};
  request.id.idiag_sport = at.sin_port;
  int listening = 0, waiting = 0, others = 0;
  struct nlmsghdr *each = ask(&request, sizeof request, NLM_F_DUMP, SOCK_DIAG_BY_FAMILY);
  for (; each->nlmsg_type != NLMSG_DONE; each = next(each)) {
    struct inet_diag_msg *told = NLMSG_DATA(each);
    CHECK(each->nlmsg_type == SOCK_DIAG_BY_FAMILY && each->nlmsg_seq == 5 && each->nlmsg_flags & NLM_F_MULTI);
    CHECK(told->idiag_family == AF_INET && told->id.idiag_sport == at.sin_port);
    CHECK(told->id.idiag_src[0] == at.sin_addr.s_addr && attribute(each, sizeof *told, INET_DIAG_SHUTDOWN) != NULL);
    if (told->idiag_state == 10) {
      listening++;
      CHECK(told->idiag_inode != 0 && told->idiag_rqueue == 1 && told->idiag_wqueue == 5);
      CHECK(told->idiag_uid == getuid() && told->id.idiag_dport == 0);
    } else if (told->idiag_state == 1) {
      waiting++;
      CHECK(told->idiag_inode == 0 && told->id.idiag_dport != 0);
    }
    else {
      others++;
    }
  }
  CHECK(listening == 1 && waiting == 1 && others == 0);
  request.idiag_states = 1 << 10;
  each = ask(&request, sizeof request, NLM_F_DUMP, SOCK_DIAG_BY_FAMILY);
  CHECK(each->nlmsg_type == SOCK_DIAG_BY_FAMILY && next(each)->nlmsg_type == NLMSG_DONE);
  /* One alone, by its ends. */
  request.id.idiag_src[0] = at.sin_addr.s_addr;
  request.id.idiag_cookie[0] = request.id.idiag_cookie[1] = -1;
  each = ask(&request, sizeof request, 0, SOCK_DIAG_BY_FAMILY);
  CHECK(each->nlmsg_type == SOCK_DIAG_BY_FAMILY && ((struct inet_diag_msg *)NLMSG_DATA(each))->idiag_state == 10);
  CHECK(close(listener) == 0 && error_of(ask(&request, sizeof request, 0, SOCK_DIAG_BY_FAMILY)) == ENOENT);
}

BEHAVIOUR(sockets_of_processes_are_told_of) {
  int ends[2], listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un at = {AF_UNIX};
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && write(ends[0], "hello", 5) == 5);
  sprintf(at.sun_path + 1, "told-%d", getpid());
  int length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(at.sun_path + 1);
  CHECK(bind(listener, (void *)&at, length) == 0 && listen(listener, 4) == 0 && connect(client, (void *)&at, length) == 0);
  struct unix_diag_req request = {.sdiag_family = AF_UNIX, .udiag_states = -1};
  request.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN;
  request.udiag_cookie[0] = request.udiag_cookie[1] = -1;
  int listening = 0, full = 0;
  struct nlmsghdr *told = ask(&request, sizeof request, NLM_F_DUMP, SOCK_DIAG_BY_FAMILY);
  for (; told->nlmsg_type != NLMSG_DONE; told = next(told)) {
    struct unix_diag_msg *head = NLMSG_DATA(told);
    const char *name = attribute(told, sizeof *head, UNIX_DIAG_NAME);
    const unsigned *peer = attribute(told, sizeof *head, UNIX_DIAG_PEER), *queues = attribute(told, sizeof *head, UNIX_DIAG_RQLEN);
    const unsigned *waiting = attribute(told, sizeof *head, UNIX_DIAG_ICONS);
    CHECK(told->nlmsg_type == SOCK_DIAG_BY_FAMILY && head->udiag_family == AF_UNIX && head->udiag_ino != 0 && queues);
    full += head->udiag_type == SOCK_STREAM && head->udiag_state == 1 && peer && *peer != 0 && queues[0] == 5;
    if (!name || memcmp(name, at.sun_path, strlen(at.sun_path + 1) + 1) != 0) continue;
    listening++;
    CHECK(head->udiag_state == 10 && waiting && *waiting != 0 && queues[0] == 1 && queues[1] == 4);
  }
  CHECK(listening == 1 && full >= 1);
  request.udiag_ino = 0x7ffffff0;
  CHECK(error_of(ask(&request, sizeof request, 0, SOCK_DIAG_BY_FAMILY)) == ENOENT);
  request.udiag_ino = 0;
  CHECK(error_of(ask(&request, sizeof request, 0, SOCK_DIAG_BY_FAMILY)) == EINVAL);
}

BEHAVIOUR(questions_about_sockets_that_make_no_sense) {
  struct inet_diag_req_v2 request = {.sdiag_family = 99, .sdiag_protocol = IPPROTO_TCP, .idiag_states = -1};
  CHECK(error_of(ask(&request, sizeof request, NLM_F_DUMP, SOCK_DIAG_BY_FAMILY)) == EINVAL);
  CHECK(error_of(ask(&request, 1, NLM_F_DUMP, SOCK_DIAG_BY_FAMILY)) == EINVAL);
  request.sdiag_family = AF_INET;
  CHECK(error_of(ask(&request, sizeof request, NLM_F_DUMP, 50)) == EINVAL);
}
