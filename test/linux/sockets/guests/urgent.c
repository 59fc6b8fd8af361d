/* TCP's urgent byte: in and out of line, its mark, the signal that tells of it. Requests about interfaces. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../guest.h"

static int urgent;
static void on(int signo) { urgent++; }
static int a, b;

static void connected(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  bind(server, (void *)&at, length);
  listen(server, 1);
  getsockname(server, (void *)&at, &length);
  a = socket(AF_INET, SOCK_STREAM, 0);
  connect(a, (void *)&at, length);
  b = accept(server, 0, 0);
  close(server);
}
static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLPRI, 0};
  poll(&p, 1, 0);
  return p.revents;
}
static void state(void) {
  int mark = -1, there = -1;
  ioctl(b, SIOCATMARK, &mark);
  ioctl(b, FIONREAD, &there);
  printf("events %x mark %d there %d signals %d\n", events(b), mark, there, urgent);
}
static void takes(const char *what, int flags) {
  char bytes[40] = "";
  long count = recv(b, bytes, sizeof bytes - 1, flags | MSG_DONTWAIT);
  printf("%s: %ld %s %s\n", what, count, why(count), bytes);
}

static void apart(void) {
  connected();
  urgent = 0;
  fcntl(b, F_SETOWN, getpid());
  takes("nothing out of band", MSG_OOB);
  DID("send", send(a, "abc", 3, 0));
  DID("urgent", send(a, "deU", 3, MSG_OOB));
  DID("more", send(a, "fgh", 3, 0));
  state();
  takes("peek out of band", MSG_OOB | MSG_PEEK);
  takes("out of band", MSG_OOB);
  takes("once only", MSG_OOB);
  state();
  takes("to the mark", 0);
  state();
  takes("behind it", 0);
  state();
  DID("alone", send(a, "V", 1, MSG_OOB));
  state();
  takes("not in the stream", 0);
  takes("out of band", MSG_OOB);
  DID("another", send(a, "xyW", 3, MSG_OOB));
  takes("up to it", 0);
  state();
  DID("a third", send(a, "klZ", 3, MSG_OOB));
  state();
  takes("what was urgent is lost", 0);
  takes("out of band", MSG_OOB);
  close(a);
  takes("end", 0);
  close(b);
}

static void inLine(void) {
  int on = 1;
  connected();
  setsockopt(b, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
  DID("urgent", send(a, "abU", 3, MSG_OOB));
  DID("more", send(a, "cd", 2, 0));
  takes("in line, not by itself", MSG_OOB);
  state();
  takes("to the mark", 0);
  state();
  takes("from the mark on", 0);
  state();
  close(a);
  close(b);
}

static void others(void) {
  int pair[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  SAY("datagram", send(pair[0], "x", 1, MSG_OOB));
  int udp = socket(AF_INET, SOCK_DGRAM, 0), mark;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  SAY("udp", sendto(udp, "x", 1, MSG_OOB, (void *)&at, sizeof at));
}

static void asks(int fd, const char *name, unsigned long request, const char *what) {
  struct ifreq r = {0};
  strcpy(r.ifr_name, name);
  long result = ioctl(fd, request, &r);
  printf("%s of %s: %s", what, name, why(result));
  unsigned char *bytes = (void *)&r.ifr_ifru;
  if (result == 0 && request == SIOCGIFFLAGS) printf(" %x", r.ifr_flags & 0xffff);
  else if (result == 0 && request == SIOCGIFINDEX) printf(" %d", r.ifr_ifindex);
  else if (result == 0 && request == SIOCGIFMTU) printf(" %d", r.ifr_mtu);
  else if (result == 0 && request == SIOCGIFHWADDR) printf(" %d", r.ifr_hwaddr.sa_family);
  else if (result == 0) printf(" %d %s", r.ifr_addr.sa_family, inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
  printf("\n");
}

static void interfaces(void) {
  int inet = socket(AF_INET, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
  asks(inet, "lo", SIOCGIFFLAGS, "flags");
  asks(inet, "lo", SIOCGIFADDR, "address");
  asks(inet, "lo", SIOCGIFNETMASK, "mask");
  asks(inet, "lo", SIOCGIFMTU, "mtu");
  asks(inet, "lo", SIOCGIFINDEX, "index");
  asks(inet, "lo", SIOCGIFHWADDR, "hardware");
  asks(local, "lo", SIOCGIFINDEX, "index");
  asks(local, "lo", SIOCGIFADDR, "address");
  asks(inet, "nowhere0", SIOCGIFINDEX, "index");
  asks(1, "lo", SIOCGIFINDEX, "index");
  asks(inet, "lo", SIOCSIFFLAGS, "new flags");
  SAY("index", if_nametoindex("lo"));
  char name[IF_NAMESIZE] = "";
  printf("name %s\n", if_indextoname(1, name));
  struct ifreq list[8];
  struct ifconf all = {.ifc_len = sizeof list, .ifc_req = list};
  DID("list", ioctl(inet, SIOCGIFCONF, &all));
  printf("first %s %s\n", list[0].ifr_name, inet_ntoa(((struct sockaddr_in *)&list[0].ifr_addr)->sin_addr));
  socklen_t length = sizeof name;
  SAY("bind to device", setsockopt(inet, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
  SAY("which", getsockopt(inet, SOL_SOCKET, SO_BINDTODEVICE, name, &length));
  printf("%d %s\n", length, name);
  SAY("to none that is there", setsockopt(local, SOL_SOCKET, SO_BINDTODEVICE, "nowhere0", 9));
}

int main(void) {
  signal(SIGURG, on);
  apart();
  inLine();
  others();
  interfaces();
  return 0;
}
