/* What C libraries ask by netlink: interfaces and addresses, of which only those of the loopback are looked at. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  struct ifaddrs *all, *i;
  printf("getifaddrs %d\n", getifaddrs(&all));
  for (i = all; i != NULL; i = i->ifa_next) {
    char text[64] = "";
    if (strcmp(i->ifa_name, "lo") != 0 || i->ifa_addr == NULL) continue;
    if (i->ifa_addr->sa_family == AF_INET) inet_ntop(AF_INET, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, text, sizeof text);
    else if (i->ifa_addr->sa_family == AF_INET6) continue;
    printf("%s family %d flags %x %s\n", i->ifa_name, i->ifa_addr->sa_family, i->ifa_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING), text);
  }
  freeifaddrs(all);
  struct if_nameindex *names = if_nameindex();
  printf("first %d %s\n", names[0].if_index, names[0].if_name);
  int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  struct sockaddr_nl me = {.nl_family = AF_NETLINK};
  printf("bind %d\n", bind(s, (void *)&me, sizeof me));
  socklen_t n = sizeof me;
  getsockname(s, (void *)&me, &n);
  printf("family %d length %d mine %d\n", me.nl_family, (int)n, me.nl_pid == getpid());
  int none = socket(AF_NETLINK, SOCK_RAW, 99);
  printf("other protocol %d %s\n", none < 0, strerrorname_np(errno));
  struct { struct nlmsghdr h; struct ifinfomsg i; } r = {{sizeof r, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 7, 0}};
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  printf("sendto %d\n", sendto(s, &r, sizeof r, 0, (void *)&kernel, sizeof kernel) == sizeof r);
  char b[8192];
  int got = recv(s, b, sizeof b, 0);
  struct nlmsghdr *h = (void *)b;
  printf("type %d multi %d sequence %d mine %d\n", h->nlmsg_type, !!(h->nlmsg_flags & NLM_F_MULTI), h->nlmsg_seq, h->nlmsg_pid == getpid());
  printf("whole %d\n", got > 0 && NLMSG_OK(h, got));
  while (recv(s, b, sizeof b, MSG_DONTWAIT) > 0) continue;
  /* Answers that nobody reads are lost beyond the buffer, which is told once. */
  r.h.nlmsg_flags = NLM_F_REQUEST;
  r.i.ifi_index = 1;
  for (int k = 0; k < 3000; k++) send(s, &r, sizeof r, 0);
  got = recv(s, b, sizeof b, MSG_DONTWAIT);
  printf("lost %d %s\n", got, strerrorname_np(errno));
  got = recv(s, b, sizeof b, MSG_DONTWAIT);
  printf("kept %d\n", got > 0);
  close(s);
  return 0;
}
