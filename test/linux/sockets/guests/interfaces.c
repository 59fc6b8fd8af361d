/* What C libraries ask of interfaces by netlink, ioctl and /proc/net; only those of the loopback are looked at. */
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
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The address in the request, as text. */
static const char *address(struct ifreq *r) {
  return inet_ntoa(((struct sockaddr_in *)&r->ifr_addr)->sin_addr);
}

static void requests(void) {
  int s = socket(AF_INET, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
  struct ifreq r = {.ifr_name = "lo"};
  printf("index %d of if_nametoindex\n", if_nametoindex("lo"));
  char name[IF_NAMESIZE];
  printf("name %s\n", if_indextoname(1, name));
  printf("no such index %d", if_indextoname(999999, name) == NULL);
  printf(" %s\n", strerrorname_np(errno));
  printf("flags %d", ioctl(s, SIOCGIFFLAGS, &r));
  printf(" %x\n", r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING));
  printf("mtu %d", ioctl(local, SIOCGIFMTU, &r));
  printf(" %d\n", r.ifr_mtu);
  printf("address %d", ioctl(s, SIOCGIFADDR, &r));
  printf(" family %d %s\n", r.ifr_addr.sa_family, address(&r));
  printf("mask %d", ioctl(s, SIOCGIFNETMASK, &r));
  printf(" %s\n", address(&r));
  printf("hardware %d", ioctl(s, SIOCGIFHWADDR, &r));
  printf(" %d\n", r.ifr_hwaddr.sa_family);
  printf("of a local socket %d", ioctl(local, SIOCGIFADDR, &r));
  printf(" %s\n", strerrorname_np(errno));
  printf("of a stranger's name %d", ioctl(s, SIOCGIFINDEX, &(struct ifreq){.ifr_name = "lo0123456789abcd"}));
  printf(" %s\n", strerrorname_np(errno));
  struct ifreq list[64];
  struct ifconf c = {.ifc_len = sizeof list, .ifc_req = list};
  printf("list %d", ioctl(s, SIOCGIFCONF, &c));
  printf(" %s %s\n", list[0].ifr_name, address(list));
  int whole = c.ifc_len;
  c.ifc_req = NULL;
  printf("length %d", ioctl(s, SIOCGIFCONF, &c));
  printf(" %d\n", c.ifc_len == whole && whole % sizeof r == 0);
  c.ifc_req = list;
  c.ifc_len = sizeof r - 1;
  printf("no room %d", ioctl(s, SIOCGIFCONF, &c));
  printf(" %d\n", c.ifc_len);
  printf("bound %d\n", setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
  socklen_t n = sizeof name;
  printf("to %d", getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &n));
  printf(" %s %d\n", name, n);
  printf("to nothing there %d", setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "none0", 5));
  printf(" %s\n", strerrorname_np(errno));
  close(s);
  close(local);
}

/* The lines of a file of /proc/net that are about the loopback, and its first one. */
static void file_of(const char *path) {
  char line[300];
  FILE *f = fopen(path, "r");
  for (int k = 0; f != NULL && fgets(line, sizeof line, f); k++) {
    char first[16];
    sscanf(line, "%15s", first);
    if (k == 0) printf("%s", line);
    else if (strcmp(first, "lo:") == 0) printf("%s\n", first);
  }
  if (f != NULL) fclose(f);
}

int main(void) {
  requests();
  file_of("/proc/net/dev");
  file_of("/proc/self/net/route");
  file_of("/proc/net/arp");
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
