/* What ioctl(2) tells of files, devices and sockets, and which of them epoll(7) takes. */
#include "behaviour.h"
#include <arpa/inet.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int asked(int fd, unsigned long request) {
  int value = -99;
  CHECK(ioctl(fd, request, &value) == 0);
  return value;
}

BEHAVIOUR(what_is_left_of_files_counts_from_their_size) {
  static const char *without[] = {"/proc/self/status", "/proc/uptime", "/proc/sys/kernel/ostype", "/proc/self/ns/net"};
  char bytes[4];
  for (int i = 0; i < 4; i++) {
    int fd = open(without[i], O_RDONLY), none;
    CHECK(fd >= 0 && asked(fd, FIONREAD) == 0);
    if (i < 2) CHECK(read(fd, bytes, 4) == 4 && asked(fd, FIONREAD) == -4);
    if (geteuid() != 0) FAILS(ioctl(fd, FIBMAP, &none), EPERM);
    close(fd);
  }
  int fd = file_with("f", "some text");
  CHECK(asked(fd, FIONREAD) == 0 && lseek(fd, 4, SEEK_SET) == 4 && asked(fd, FIONREAD) == 5);
  CHECK(lseek(fd, 20, SEEK_SET) == 20 && asked(fd, FIONREAD) == -11);
}

BEHAVIOUR(everything_has_a_block_size) {
  int ends[2], pair[2];
  CHECK(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  int fds[] = {ends[0], pair[0], epoll_create1(0), open("/dev/null", O_RDONLY), open("/proc/self/status", O_RDONLY)};
  for (int i = 0; i < 5; i++) CHECK(asked(fds[i], FIGETBSZ) > 0);
}

BEHAVIOUR(devices_of_noise_know_no_request_in_their_own_way) {
  unsigned long requests[] = {FIONREAD, TIOCOUTQ, FIBMAP, SIOCATMARK, SIOCGIFFLAGS, 0x12345678};
  struct ifreq request = {0};
  int noise = open("/dev/urandom", O_RDONLY), null = open("/dev/null", O_RDONLY);
  for (int i = 0; i < 6; i++) {
    FAILS(ioctl(noise, requests[i], &request), EINVAL);
    FAILS(ioctl(null, requests[i], &request), ENOTTY);
  }
}

BEHAVIOUR(local_sockets_tell_what_nobody_has_read) {
  static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
  for (int i = 0; i < 3; i++) {
    int pair[2], mark;
    char bytes[9];
    CHECK(socketpair(AF_UNIX, types[i], 0, pair) == 0 && asked(pair[0], SIOCOUTQ) == 0);
    CHECK(send(pair[0], "hello", 5, 0) == 5 && asked(pair[0], SIOCOUTQ) >= 5 && asked(pair[1], SIOCOUTQ) == 0);
    CHECK(asked(pair[1], SIOCINQ) == 5 && recv(pair[1], bytes, 9, 0) == 5 && asked(pair[0], SIOCOUTQ) == 0);
    FAILS(ioctl(pair[0], SIOCOUTQNSD, &mark), ENOTTY);
    FAILS(ioctl(pair[0], SIOCOUTQ, NULL), EFAULT);
    if (types[i] == SOCK_STREAM) CHECK(asked(pair[0], SIOCATMARK) == 0);
    else FAILS(ioctl(pair[0], SIOCATMARK, &mark), EOPNOTSUPP);
    CHECK(close(pair[1]) == 0 && asked(pair[0], SIOCOUTQ) == 0);
    close(pair[0]);
  }
}

BEHAVIOUR(sockets_of_the_internet_tell_what_has_not_arrived) {
  struct sockaddr_in at = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof at;
  static char bytes[65536];
  int listener = socket(AF_INET, SOCK_STREAM, 0), none;
  CHECK(asked(listener, SIOCOUTQ) == 0 && asked(listener, SIOCOUTQNSD) == 0);
  CHECK(bind(listener, (void *)&at, size) == 0 && listen(listener, 1) == 0);
  CHECK(getsockname(listener, (void *)&at, &size) == 0);
  FAILS(ioctl(listener, SIOCOUTQ, &none), EINVAL);
  FAILS(ioctl(listener, SIOCOUTQNSD, &none), EINVAL);
  FAILS(ioctl(listener, SIOCINQ, &none), EINVAL);
  int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  connect(client, (void *)&at, size);
  int server = accept(listener, NULL, NULL);
  CHECK(server >= 0);
  while (write(client, bytes, sizeof bytes) > 0);
  CHECK(errno == EAGAIN && asked(client, SIOCOUTQ) > 0);
  int packets = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK(asked(packets, SIOCOUTQ) == 0);
  FAILS(ioctl(packets, SIOCATMARK, &none), ENOTTY);
  FAILS(ioctl(packets, SIOCOUTQNSD, &none), ENOTTY);
}

BEHAVIOUR(requests_of_drivers_need_an_interface_that_has_them) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq request = {0};
  FAILS(ioctl(fd, SIOCDEVPRIVATE, &request), ENODEV);
  FAILS(ioctl(fd, SIOCDEVPRIVATE + 15, NULL), EFAULT);
  strcpy(request.ifr_name, "lo");
  FAILS(ioctl(fd, SIOCDEVPRIVATE, &request), EOPNOTSUPP);
  FAILS(ioctl(fd, 0x8999, &request), ENOTTY);
  FAILS(ioctl(fd, 0x8999, NULL), EFAULT);
}

BEHAVIOUR(sets_take_what_can_tell_when_it_is_ready) {
  static const struct { const char *name; int is_taken; } files[] = {
      {"/dev/null", 0}, {"/dev/zero", 0}, {"/dev/full", 0}, {"/dev/urandom", 0}, {"/dev/random", 1},
      {"/proc/self/status", 0}, {"/proc/self/mem", 0}, {"/proc/self/task", 0}, {"/proc/self/ns/net", 0}, {"/proc", 0},
      {"/proc/self/mounts", 1}, {"/proc/self/mountinfo", 1}, {"/proc/self/mountstats", 0}, {"/proc/uptime", 1},
      {"/proc/sys/kernel/ostype", 1}, {"/sys/devices/system/cpu/online", 1}, {"/sys", 0}, {"f", 0}};
  close(file_with("f", "text"));
  int set = epoll_create1(0), ends[2];
  CHECK(pipe(ends) == 0);
  struct epoll_event event = {EPOLLIN}, odd = {EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT};
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
    int fd = open(files[i].name, O_RDONLY);
    CHECK(fd >= 0);
    if (files[i].is_taken) CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
    else {
      for (int operation = 0; operation < 5; operation++) {
        FAILS(epoll_ctl(set, operation, fd, &event), EPERM);
        FAILS(epoll_ctl(set, operation, fd, &odd), EPERM);
      }
      FAILS(epoll_ctl(ends[0], EPOLL_CTL_ADD, fd, &event), EPERM);
      FAILS(epoll_ctl(fd, EPOLL_CTL_ADD, fd, &event), EPERM);
    }
    FAILS(epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event), EINVAL);
    close(fd);
  }
  FAILS(epoll_ctl(set, 9, ends[0], &event), EINVAL);
}
