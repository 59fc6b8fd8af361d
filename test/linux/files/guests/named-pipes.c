/* Named pipes in a folder: opening from both sides, waiting, ends; splice, tee and vmsplice. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../guest.h"

static void on(int s) { (void)s; }
static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT, 0};
  poll(&p, 1, 0);
  return p.revents;
}

static void named(void) {
  char b[100] = "";
  struct stat st;
  SAY("mkfifo", mkfifo("fifo", 0644));
  SAY("again", mkfifo("fifo", 0644));
  SAY("stat", stat("fifo", &st));
  printf("fifo %d size %d mode %o\n", S_ISFIFO(st.st_mode), (int)st.st_size, st.st_mode & 0777);
  DID("write, nobody reads", open("fifo", O_WRONLY | O_NONBLOCK));
  int r = open("fifo", O_RDONLY | O_NONBLOCK);
  printf("reader %d events %x\n", r >= 0, events(r));
  SAY("end", read(r, b, 10));
  int w = open("fifo", O_WRONLY | O_NONBLOCK);
  printf("writer %d events %x %x\n", w >= 0, events(r), events(w));
  SAY("empty", read(r, b, 10));
  SAY("write", write(w, "through", 7));
  SAY("read", read(r, b, 10));
  fstat(w, &st);
  printf("fifo %d\n", S_ISFIFO(st.st_mode));
  SAY("seek", lseek(r, 0, SEEK_SET));
  close(w);
  printf("events %x\n", events(r));
  close(r);
  /* Both sides wait for each other. */
  if (fork() == 0) {
    nap(20);
    int f = open("fifo", O_WRONLY);
    write(f, "from the child", 14);
    close(f);
    _exit(1);
  }
  r = open("fifo", O_RDONLY);
  SAY("read", read(r, b, 100));
  SAY("end", read(r, b, 100));
  close(r);
  printf("child %d\n", quit());
  if (fork() == 0) {
    nap(20);
    int f = open("fifo", O_RDONLY);
    _exit(read(f, b, 100));
  }
  w = open("fifo", O_WRONLY);
  SAY("write", write(w, "12345", 5));
  close(w);
  printf("child %d\n", quit());
  /* An open that a signal ends. */
  struct sigaction a = {.sa_handler = on};
  sigaction(SIGALRM, &a, NULL);
  struct itimerval i = {{0, 0}, {0, 20000}};
  setitimer(ITIMER_REAL, &i, NULL);
  DID("interrupted", open("fifo", O_RDONLY));
  DID("nobody waits any more", open("fifo", O_WRONLY | O_NONBLOCK));
  /* Both ways. */
  int both = open("fifo", O_RDWR);
  SAY("both", write(both, "loop", 4));
  SAY("both", read(both, b, 10));
  close(both);
  SAY("rename", rename("fifo", "other"));
  SAY("unlink", unlink("other"));
  DID("gone", open("fifo", O_RDONLY));
  SAY("socket", mknod("socket", S_IFSOCK | 0600, 0));
  stat("socket", &st);
  printf("socket %d\n", S_ISSOCK(st.st_mode));
  DID("open", open("socket", O_RDONLY));
  unlink("socket");
  int f = open("fifo", O_CREAT | O_WRONLY, 0600);
  fstat(f, &st);
  printf("file %d\n", S_ISREG(st.st_mode));
  close(f);
  unlink("fifo");
}

static void spliced(void) {
  int p[2], q[2];
  char b[100] = "";
  pipe(p);
  pipe(q);
  int f = open("data", O_CREAT | O_RDWR | O_TRUNC, 0600);
  write(f, "0123456789", 10);
  off_t at = 2;
  loff_t in = 2;
  SAY("file to pipe", splice(f, &in, p[1], NULL, 5, 0));
  printf("offset %d\n", (int)in);
  SAY("tee", tee(p[0], q[1], 100, 0));
  SAY("read", read(q[0], b, 100));
  printf("<%.5s>\n", b);
  loff_t out = 20;
  SAY("pipe to file", splice(p[0], NULL, f, &out, 100, 0));
  printf("offset %d\n", (int)out);
  SAY("pread", pread(f, b, 100, 20));
  printf("<%.5s>\n", b);
  SAY("own position", (lseek(f, 0, SEEK_SET), splice(f, NULL, p[1], NULL, 4, 0)));
  SAY("position", lseek(f, 0, SEEK_CUR));
  SAY("pipe to pipe", splice(p[0], NULL, q[1], NULL, 3, 0));
  SAY("read", read(q[0], b, 100));
  int s[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  SAY("pipe to socket", splice(p[0], NULL, s[0], NULL, 100, 0));
  SAY("read", read(s[1], b, 100));
  write(s[1], "socket", 6);
  SAY("socket to pipe", splice(s[0], NULL, p[1], NULL, 100, 0));
  SAY("read", read(p[0], b, 100));
  struct iovec v[2] = {{"vm", 2}, {"splice", 6}};
  SAY("vmsplice", vmsplice(p[1], v, 2, 0));
  v[0].iov_base = b; v[0].iov_len = 100;
  SAY("vmsplice out", vmsplice(p[0], v, 1, 0));
  printf("<%.8s>\n", b);
  SAY("nothing", splice(p[0], NULL, f, NULL, 10, SPLICE_F_NONBLOCK));
  SAY("nothing", tee(p[0], q[1], 10, SPLICE_F_NONBLOCK));
  SAY("no pipe", splice(f, NULL, s[0], NULL, 10, 0));
  SAY("same", splice(p[0], NULL, p[1], NULL, 10, 0));
  SAY("offset of a pipe", splice(p[0], &in, f, NULL, 10, 0));
  SAY("flags", splice(p[0], NULL, f, NULL, 10, 0x100));
  SAY("wrong end", splice(p[1], NULL, f, NULL, 10, 0));
  SAY("tee of a file", tee(f, p[1], 10, 0));
  SAY("vmsplice of a file", vmsplice(f, v, 1, 0));
  if (fork() == 0) {
    nap(20);
    write(p[1], "late", 4);
    _exit(0);
  }
  SAY("waits", splice(p[0], NULL, q[1], NULL, 10, 0));
  quit();
  close(p[1]);
  SAY("end", splice(p[0], NULL, q[1], NULL, 10, 0));
  close(f);
  unlink("data");
}

/* Who waits for a pipe gets it, though its name is removed as soon as somebody else has it open. */
static void nameless(void) {
  char b[9] = "";
  SAY("mkfifo", mkfifo("fifo", 0600));
  if (fork() == 0) {
    int fd = open("fifo", O_RDONLY);
    SAY("opened", fd < 0 ? -1 : 0);
    SAY("read", read(fd, b, 8));
    printf("<%s>\n", b);
    fflush(stdout);
    _exit(0);
  }
  nap(20);
  int fd = open("fifo", O_WRONLY);
  unlink("fifo");
  write(fd, "nameless", 8);
  close(fd);
  quit();
  /* One that nobody comes to waits till a signal ends that. */
  mkfifo("fifo", 0600);
  pid_t waits = fork();
  if (waits == 0) _exit(open("fifo", O_RDONLY) < 0 ? errno : 0);
  nap(20);
  unlink("fifo");
  nap(20);
  SAY("still there", kill(waits, SIGKILL));
  printf("child %d\n", quit());
}

int main(void) {
  char dir[] = "pipes-XXXXXX";
  signal(SIGPIPE, SIG_IGN);
  umask(022);
  if (mkdtemp(dir) == NULL || chdir(dir) < 0) return 1;
  named();
  nameless();
  spliced();
  if (chdir("..") < 0) return 1;
  SAY("rmdir", rmdir(dir));
  return 0;
}
