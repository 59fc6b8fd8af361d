/* Sockets of AF_UNIX: pairs, names, messages with descriptors and credentials, flags, options, ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../guest.h"

static int pipes;
static void onpipe(int s) { (void)s; pipes++; }
static int ticks;
static void ontick(int s) { (void)s; ticks++; }

static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0};
  poll(&p, 1, 0);
  return p.revents;
}

static socklen_t name(struct sockaddr_un *a, const char *path, int abstract) {
  memset(a, 0, sizeof *a);
  a->sun_family = AF_UNIX;
  strcpy(a->sun_path + abstract, path);
  return offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;
}

static void stream(void) {
  int s[2];
  char b[64] = "";
  SAY("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
  printf("cloexec %d\n", fcntl(s[0], F_GETFD));
  SAY("write", write(s[0], "hello", 5));
  SAY("write", write(s[0], " world", 6));
  int n;
  ioctl(s[1], FIONREAD, &n);
  printf("there %d, events %x %x\n", n, events(s[0]), events(s[1]));
  SAY("peek", recv(s[1], b, 4, MSG_PEEK));
  SAY("read", read(s[1], b, sizeof b));
  printf("<%.11s>\n", b);
  SAY("nothing", recv(s[1], b, 1, MSG_DONTWAIT));
  struct iovec v[2] = {{"ab", 2}, {"cde", 3}};
  SAY("writev", writev(s[1], v, 2));
  SAY("waitall", recv(s[0], b, 5, MSG_WAITALL));
  SAY("shutdown", shutdown(s[0], SHUT_WR));
  printf("events %x %x\n", events(s[0]), events(s[1]));
  SAY("end", read(s[1], b, 1));
  SAY("back", write(s[1], "x", 1));
  SAY("epipe", send(s[0], "x", 1, MSG_NOSIGNAL));
  printf("signals %d\n", pipes);
  SAY("epipe", write(s[0], "x", 1));
  printf("signals %d\n", pipes);
  close(s[1]);
  printf("events %x\n", events(s[0]));
  SAY("rest", read(s[0], b, 10));
  SAY("rest", read(s[0], b, 10));
  close(s[0]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  write(s[0], "unread", 6);
  write(s[1], "read", 4);
  close(s[1]);
  SAY("data first", read(s[0], b, 10));
  SAY("then reset", read(s[0], b, 10));
  SAY("then end", read(s[0], b, 10));
  close(s[0]);
}

static void packets(int type) {
  int s[2];
  char b[64];
  printf("type %d\n", type);
  socketpair(AF_UNIX, type, 0, s);
  send(s[0], "first", 5, 0);
  send(s[0], "", 0, 0);
  send(s[0], "second", 6, 0);
  int n;
  ioctl(s[1], FIONREAD, &n);
  printf("there %d\n", n);
  SAY("cut", recv(s[1], b, 2, MSG_PEEK));
  SAY("whole length", recv(s[1], b, 2, MSG_TRUNC));
  SAY("empty", recv(s[1], b, sizeof b, 0));
  struct iovec v = {b, 3};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
  SAY("recvmsg", recvmsg(s[1], &m, 0));
  printf("flags %x\n", m.msg_flags);
  SAY("nothing", recv(s[1], b, sizeof b, MSG_DONTWAIT));
  int count = 0;
  while (send(s[0], "x", 1, MSG_DONTWAIT) == 1) count++;
  printf("full %s, some %d\n", strerrorname_np(errno), count > 5);
  close(s[1]);
  SAY("gone", send(s[0], "x", 1, MSG_NOSIGNAL));
  printf("events %x\n", events(s[0]));
  close(s[0]);
}

static void rights(void) {
  int s[2], p[2];
  char b[64];
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  pipe(p);
  union { struct cmsghdr h; char c[CMSG_SPACE(2 * sizeof(int))]; } u;
  struct iovec v = {"ab", 2};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u};
  memset(&u, 0, sizeof u);
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(2 * sizeof(int));
  memcpy(CMSG_DATA(c), p, sizeof p);
  SAY("sendmsg", sendmsg(s[0], &m, 0));
  write(s[0], "later", 5);
  close(p[0]);
  close(p[1]);
  v.iov_base = b;
  v.iov_len = sizeof b;
  memset(&u, 0, sizeof u);
  SAY("recvmsg", recvmsg(s[1], &m, MSG_CMSG_CLOEXEC));
  c = CMSG_FIRSTHDR(&m);
  printf("flags %x level %d type %d length %d\n", m.msg_flags & ~MSG_CMSG_CLOEXEC, c->cmsg_level, c->cmsg_type, (int)(c->cmsg_len - CMSG_LEN(0)));
  memcpy(p, CMSG_DATA(c), sizeof p);
  printf("cloexec %d\n", fcntl(p[0], F_GETFD));
  SAY("pipe", write(p[1], "through", 7));
  SAY("pipe", read(p[0], b, sizeof b));
  SAY("later", read(s[1], b, sizeof b));
  /* Too little room for both: one comes, the rest is lost and told of. */
  memset(&u, 0, sizeof u);
  v.iov_base = "x"; v.iov_len = 1;
  m.msg_controllen = sizeof u;
  c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET; c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(2 * sizeof(int));
  memcpy(CMSG_DATA(c), p, sizeof p);
  SAY("sendmsg", sendmsg(s[0], &m, 0));
  v.iov_base = b;
  m.msg_controllen = CMSG_LEN(sizeof(int));
  SAY("recvmsg", recvmsg(s[1], &m, 0));
  c = CMSG_FIRSTHDR(&m);
  printf("flags %x length %d\n", m.msg_flags, (int)(c->cmsg_len - CMSG_LEN(0)));
  int got;
  memcpy(&got, CMSG_DATA(c), sizeof got);
  close(got);
  /* No room at all. */
  v.iov_base = "x";
  m.msg_controllen = sizeof u;
  c = CMSG_FIRSTHDR(&m);
  c->cmsg_len = CMSG_LEN(2 * sizeof(int));
  memcpy(CMSG_DATA(c), p, sizeof p);
  SAY("sendmsg", sendmsg(s[0], &m, 0));
  v.iov_base = b;
  m.msg_control = NULL;
  m.msg_controllen = 0;
  SAY("recvmsg", recvmsg(s[1], &m, 0));
  printf("flags %x\n", m.msg_flags);
  /* What can't be sent. */
  m.msg_control = &u;
  m.msg_controllen = sizeof u;
  c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET; c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(sizeof(int));
  int bad = 999;
  memcpy(CMSG_DATA(c), &bad, sizeof bad);
  SAY("bad descriptor", sendmsg(s[0], &m, 0));
  c->cmsg_type = 77;
  SAY("bad type", sendmsg(s[0], &m, 0));
  c->cmsg_len = 3;
  SAY("bad length", sendmsg(s[0], &m, 0));
  /* A socket that travels through itself, with something in it. */
  int t[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, t);
  write(t[0], "inside", 6);
  c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(sizeof(int));
  m.msg_controllen = CMSG_SPACE(sizeof(int));
  memcpy(CMSG_DATA(c), &t[1], sizeof(int));
  v.iov_base = "t"; v.iov_len = 1;
  SAY("sendmsg", sendmsg(s[0], &m, 0));
  close(t[1]);
  v.iov_base = b;
  SAY("recvmsg", recvmsg(s[1], &m, 0));
  memcpy(&t[1], CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
  SAY("inside", read(t[1], b, sizeof b));
  close(t[0]);
  SAY("end", read(t[1], b, sizeof b));
}

static void credentials(void) {
  int s[2], one = 1;
  char b[64];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
  struct ucred me;
  socklen_t l = sizeof me;
  SAY("peercred", getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &me, &l));
  printf("me %d %d\n", me.pid == getpid(), me.uid == geteuid());
  SAY("passcred", setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
  send(s[0], "who", 3, 0);
  union { struct cmsghdr h; char c[CMSG_SPACE(sizeof(struct ucred))]; } u;
  struct iovec v = {b, sizeof b};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u};
  SAY("recvmsg", recvmsg(s[1], &m, 0));
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  memcpy(&me, CMSG_DATA(c), sizeof me);
  printf("type %d: %d %d %d\n", c->cmsg_type, me.pid == getpid(), me.uid == getuid(), me.gid == getgid());
  SAY("send", sendmsg(s[0], &m, 0));
  if (getuid() != 0) me.pid = 1; else me.pid = 99999999;
  memcpy(CMSG_DATA(c), &me, sizeof me);
  printf("somebody else %s\n", sendmsg(s[0], &m, 0) < 0 ? "refused" : "sent");
}

static void names(const char *dir) {
  struct sockaddr_un a, from;
  char path[100], b[64];
  snprintf(path, sizeof path, "%s/socket", dir);
  unlink(path);
  int l = socket(AF_UNIX, SOCK_STREAM, 0);
  socklen_t n = name(&a, path, 0);
  SAY("listen unbound", listen(l, 5));
  int c = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  SAY("nobody", connect(c, (void *)&a, n));
  SAY("bind", bind(l, (void *)&a, n));
  SAY("bind again", bind(l, (void *)&a, n));
  int o = socket(AF_UNIX, SOCK_STREAM, 0);
  SAY("taken", bind(o, (void *)&a, n));
  struct stat st;
  SAY("stat", stat(path, &st));
  printf("socket %d size %d\n", S_ISSOCK(st.st_mode), (int)st.st_size);
  SAY("open", open(path, O_RDWR));
  SAY("refused", connect(c, (void *)&a, n));
  SAY("listen", listen(l, 1));
  SAY("connect", connect(c, (void *)&a, n));
  SAY("again", connect(c, (void *)&a, n));
  printf("events %x %x\n", events(l), events(c));
  SAY("write before accept", write(c, "early", 5));
  int c2 = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), c3 = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  SAY("second", connect(c2, (void *)&a, n));
  SAY("third", connect(c3, (void *)&a, n));
  n = sizeof from;
  memset(&from, 1, sizeof from);
  int s = accept4(l, (void *)&from, &n, SOCK_NONBLOCK);
  printf("accepted %d, family %d, length %d, flags %d\n", s >= 0, from.sun_family, (int)n, !!(fcntl(s, F_GETFL) & O_NONBLOCK));
  SAY("read", read(s, b, sizeof b));
  n = sizeof from;
  SAY("getsockname", getsockname(s, (void *)&from, &n));
  printf("%d %d\n", strcmp(from.sun_path, path), (int)n - (int)strlen(path));
  n = sizeof from;
  SAY("getpeername", getpeername(c, (void *)&from, &n));
  printf("%d\n", strcmp(from.sun_path, path));
  SAY("getpeername", getpeername(o, (void *)&from, &n));
  int v; socklen_t vl = sizeof v;
  getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, &v, &vl); printf("accepts %d", v);
  getsockopt(c, SOL_SOCKET, SO_ACCEPTCONN, &v, &vl); printf(" %d", v);
  getsockopt(c, SOL_SOCKET, SO_TYPE, &v, &vl); printf(" type %d", v);
  getsockopt(c, SOL_SOCKET, SO_DOMAIN, &v, &vl); printf(" domain %d\n", v);
  close(l);
  SAY("c2 broken", read(c2, b, 1));
  SAY("c2 broken", read(c2, b, 1));
  SAY("stale", connect(c3, (void *)&a, name(&a, path, 0)));
  SAY("unlink", unlink(path));
  SAY("gone", connect(c3, (void *)&a, name(&a, path, 0)));
  close(s); close(c); close(c2); close(c3); close(o);
  /* Abstract and made up names. */
  n = name(&a, "abstract", 1);
  l = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  SAY("abstract", bind(l, (void *)&a, n));
  listen(l, 0);
  c = socket(AF_UNIX, SOCK_STREAM, 0);
  SAY("other type", connect(c, (void *)&a, n));
  close(c);
  c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  SAY("connect", connect(c, (void *)&a, n));
  s = accept(l, NULL, NULL);
  SAY("send", send(s, "packet", 6, MSG_EOR));
  SAY("recv", recv(c, b, 3, 0));
  close(s);
  SAY("end", recv(c, b, 3, 0));
  close(c); close(l);
  c = socket(AF_UNIX, SOCK_DGRAM, 0);
  sa_family_t family = AF_UNIX;
  SAY("autobind", bind(c, (void *)&family, sizeof family));
  n = sizeof from;
  getsockname(c, (void *)&from, &n);
  printf("length %d\n", (int)n);
  s = socket(AF_UNIX, SOCK_DGRAM, 0);
  SAY("sendto", sendto(s, "dgram", 5, 0, (void *)&from, n));
  SAY("no destination", send(s, "x", 1, 0));
  struct sockaddr_un source;
  socklen_t sl = sizeof source;
  SAY("recvfrom", recvfrom(c, b, sizeof b, 0, (void *)&source, &sl));
  printf("unnamed %d\n", (int)sl);
  SAY("connect", connect(s, (void *)&from, n));
  SAY("send", send(s, "x", 1, 0));
  SAY("eisconn?", sendto(s, "y", 1, 0, (void *)&from, n));
  close(c);
  SAY("refused", send(s, "x", 1, 0));
  SAY("not connected", send(s, "x", 1, 0));
  close(s);
}

static void many(void) {
  int s[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
  struct iovec v[3] = {{"one", 3}, {"two..", 5}, {"three", 5}};
  struct mmsghdr m[3];
  memset(m, 0, sizeof m);
  for (int i = 0; i < 3; i++) { m[i].msg_hdr.msg_iov = &v[i]; m[i].msg_hdr.msg_iovlen = 1; }
  SAY("sendmmsg", sendmmsg(s[0], m, 3, 0));
  printf("%d %d %d\n", m[0].msg_len, m[1].msg_len, m[2].msg_len);
  char b[4][8];
  struct iovec w[4];
  struct mmsghdr r[4];
  memset(r, 0, sizeof r);
  for (int i = 0; i < 4; i++) { w[i].iov_base = b[i]; w[i].iov_len = 4; r[i].msg_hdr.msg_iov = &w[i]; r[i].msg_hdr.msg_iovlen = 1; }
  SAY("recvmmsg", recvmmsg(s[1], r, 4, MSG_WAITFORONE, NULL));
  printf("%d %d %d, %x %x\n", r[0].msg_len, r[1].msg_len, r[2].msg_len, r[0].msg_hdr.msg_flags, r[1].msg_hdr.msg_flags);
  SAY("recvmmsg", recvmmsg(s[1], r, 4, MSG_DONTWAIT, NULL));
}

static void waits(void) {
  int s[2];
  char b[64];
  struct timeval t = {0, 30000};
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  SAY("timeout", setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
  memset(&t, 0, sizeof t);
  socklen_t l = sizeof t;
  getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, &l);
  printf("%d %d %d\n", (int)t.tv_sec, t.tv_usec >= 30000 && t.tv_usec < 40000, l == sizeof t);
  SAY("late", read(s[0], b, 1));
  t.tv_usec = 1000000;
  SAY("bad time", setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
  SAY("short", setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, 3));
  /* A wait that a signal ends, and one that goes on. */
  struct sigaction a = {.sa_handler = ontick};
  sigaction(SIGALRM, &a, NULL);
  struct itimerval i = {{0, 0}, {0, 20000}};
  setitimer(ITIMER_REAL, &i, NULL);
  SAY("interrupted", read(s[1], b, 1));
  a.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &a, NULL);
  if (fork() == 0) {
    struct timespec d = {0, 100000000};
    nanosleep(&d, NULL);
    write(s[0], "x", 1);
    _exit(0);
  }
  setitimer(ITIMER_REAL, &i, NULL);
  SAY("restarted", read(s[1], b, 1));
  wait(NULL);
  printf("ticks %d\n", ticks);
  /* More than there is room for, read by a child. */
  static char data[300000], big[7000];
  for (int k = 0; k < (int)sizeof data; k += 512) data[k] = k / 512;
  pid_t p = fork();
  if (p == 0) {
    long at = 0, n;
    close(s[0]);
    while ((n = read(s[1], big, sizeof big)) > 0 && memcmp(big, data + at, n) == 0) at += n;
    _exit(at == sizeof data);
  }
  close(s[1]);
  SAY("much", write(s[0], data, sizeof data));
  close(s[0]);
  int status;
  waitpid(p, &status, 0);
  printf("all of it %d\n", WEXITSTATUS(status));
  /* MSG_WAITALL over two writes. */
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  if (fork() == 0) {
    struct timespec d = {0, 20000000};
    write(s[0], "abc", 3);
    nanosleep(&d, NULL);
    write(s[0], "defg", 4);
    _exit(0);
  }
  SAY("waitall", recv(s[1], b, 6, MSG_WAITALL));
  printf("<%.6s>\n", b);
  close(s[0]);
  SAY("waitall at the end", recv(s[1], b, 6, MSG_WAITALL));
  wait(NULL);
}

static void errors(void) {
  int s[2], v = 5;
  char b[8];
  socklen_t l = sizeof v;
  SAY("family", socket(99, SOCK_STREAM, 0));
  SAY("type", socket(AF_UNIX, 99, 0));
  SAY("protocol", socket(AF_UNIX, SOCK_STREAM, 7));
  SAY("rdm", socket(AF_UNIX, SOCK_RDM, 0));
  SAY("pair of inet", socketpair(AF_INET, SOCK_STREAM, 0, s));
  SAY("null pair", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, NULL));
  SAY("no socket", recv(1, b, 1, 0));
  SAY("no descriptor", recv(77, b, 1, 0));
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  SAY("lseek", lseek(s[0], 0, SEEK_SET));
  SAY("pread", pread(s[0], b, 1, 0));
  SAY("oob", send(s[0], "x", 1, MSG_OOB) < 0 ? 0 : 0);
  SAY("option", getsockopt(s[0], SOL_SOCKET, 999, &v, &l));
  SAY("level", getsockopt(s[0], 99, 1, &v, &l));
  SAY("set type", setsockopt(s[0], SOL_SOCKET, SO_TYPE, &v, sizeof v));
  SAY("shutdown", shutdown(s[0], 7));
  SAY("listen", listen(s[0], 1));
  SAY("accept", accept(s[0], NULL, NULL));
  SAY("bad buffer", send(s[0], (void *)8, 4, 0));
  SAY("bad length", syscall(SYS_getsockname, s[0], b, (void *)8));
  int d = socket(AF_UNIX, SOCK_DGRAM, 0);
  SAY("dgram listen", listen(d, 1));
  SAY("dgram accept", accept(d, NULL, NULL));
  struct sockaddr_un a;
  memset(&a, 'x', sizeof a);
  a.sun_family = AF_UNIX;
  SAY("long name", bind(d, (void *)&a, sizeof a + 1));
  a.sun_family = AF_INET;
  SAY("wrong family", bind(d, (void *)&a, 20));
  SAY("short", connect(d, (void *)&a, 1));
  int u = socket(AF_UNIX, SOCK_STREAM, 0);
  SAY("unconnected send", send(u, "x", 1, MSG_NOSIGNAL));
  SAY("unconnected recv", recv(u, b, 1, 0));
  printf("events %x %x\n", events(u), events(d));
  struct stat st;
  fstat(u, &st);
  printf("mode %o\n", st.st_mode);
  char link[64], text[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", u);
  long n = readlink(link, text, sizeof text);
  printf("%.8s %d\n", text, n > 9 && text[n - 1] == ']');
  SAY("reopen", open(link, O_RDWR));
  int buffer = 10000;
  setsockopt(u, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  getsockopt(u, SOL_SOCKET, SO_SNDBUF, &buffer, &l);
  printf("buffer %d\n", buffer);
}

int main(void) {
  char dir[] = "unix-XXXXXX";
  signal(SIGPIPE, onpipe);
  if (mkdtemp(dir) == NULL) return 1;
  stream();
  packets(SOCK_DGRAM);
  packets(SOCK_SEQPACKET);
  rights();
  credentials();
  names(dir);
  many();
  waits();
  errors();
  SAY("rmdir", rmdir(dir));
  return 0;
}
