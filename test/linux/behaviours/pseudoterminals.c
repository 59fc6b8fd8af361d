/* Pseudo-terminals: the line discipline, both sides, sessions and jobs. */
#include "behaviour.h"
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

static int master, slave;

/* Opens a pair; the size is 24 by 80. */
static void pair(void) {
  struct winsize size = {24, 80, 0, 0};
  CHECK(openpty(&master, &slave, NULL, NULL, &size) == 0);
}
static void set(tcflag_t in, tcflag_t out, tcflag_t local, int min, int time) {
  struct termios t;
  CHECK(tcgetattr(slave, &t) == 0);
  t.c_iflag = in;
  t.c_oflag = out;
  t.c_lflag = local;
  t.c_cc[VMIN] = min;
  t.c_cc[VTIME] = time;
  CHECK(tcsetattr(slave, TCSANOW, &t) == 0);
}
static void type(const char *text) { CHECK(write(master, text, strlen(text)) == (ssize_t)strlen(text)); }
/* Whether one read of a side gives exactly `text`. */
static int gives(int fd, const char *text) {
  char got[8192];
  ssize_t n = read(fd, got, sizeof got);
  if (n == (ssize_t)strlen(text) && memcmp(got, text, n) == 0) return 1;
  printf("read %zd:", n);
  for (ssize_t i = 0; i < n; i++) printf(got[i] >= 32 && got[i] < 127 ? "%c" : "\\%02x", (unsigned char)got[i]);
  printf("\n");
  return 0;
}
static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT, 0};
  CHECK(poll(&p, 1, 0) >= 0);
  return p.revents;
}
/* A child that leads a session of its own, with the pair as its terminal. */
static pid_t leader(void) {
  pair();
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(setsid() == getpid());
    CHECK(ioctl(slave, TIOCSCTTY, 0) == 0);
    close(master);
  }
  return child;
}
/* One that does nothing more but to wait for signals. */
static pid_t leader_that_waits(void) {
  pid_t child = leader();
  if (child == 0) {
    CHECK(write(slave, "!", 1) == 1);
    for (;;) pause();
  }
  CHECK(gives(master, "!"));
  return child;
}
static void ignored(int signo) { (void)signo; }

BEHAVIOUR(pair_has_a_name_and_a_lock) {
  char name[64], link[64] = "", path[64];
  struct stat st;
  int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY), number = -1;
  CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 2));
  CHECK(ioctl(fd, TIOCGPTN, &number) == 0 && number >= 0);
  sprintf(name, "/dev/pts/%d", number);
  CHECK(strcmp(ptsname(fd), name) == 0);
  FAILS(open(name, O_RDWR | O_NOCTTY), EIO);
  CHECK(grantpt(fd) == 0 && unlockpt(fd) == 0);
  int side = open(name, O_RDWR | O_NOCTTY);
  CHECK(side >= 0 && isatty(side) && isatty(fd) && strcmp(ttyname(side), name) == 0);
  CHECK(fstat(side, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(136, number));
  sprintf(path, "/proc/self/fd/%d", side);
  CHECK(readlink(path, link, sizeof link) > 0 && strcmp(link, name) == 0);
  int peer = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY);
  CHECK(peer >= 0 && strcmp(ttyname(peer), name) == 0);
  close(peer), close(side), close(fd);
  FAILS(open(name, O_RDWR | O_NOCTTY), ENOENT);
}

BEHAVIOUR(lines_are_edited_and_echoed) {
  pair();
  type("abx\177c\n");
  CHECK(gives(master, "abx\b \bc\r\n") && gives(slave, "abc\n"));
  type("one two\027three\n");
  CHECK(gives(master, "one two\b \b\b \b\b \bthree\r\n") && gives(slave, "one three\n"));
  type("gone\025kept\r");
  CHECK(gives(master, "gone\b \b\b \b\b \b\b \bkept\r\n") && gives(slave, "kept\n"));
  type("\026\003\001\n");
  CHECK(gives(master, "^\b^C^A\r\n") && gives(slave, "\003\001\n"));
  type("a\tb\177\177\n");
  CHECK(gives(master, "a\tb\b \b\b\b\b\b\b\b\b\r\n") && gives(slave, "a\n"));
  type("ab\022\n");
  CHECK(gives(master, "ab^R\r\nab\r\n") && gives(slave, "ab\n"));
}

BEHAVIOUR(line_is_read_whole_and_an_end_ends_it) {
  char got[8];
  int count = -1;
  pair();
  set(0, 0, ICANON, 1, 0);
  FAILS((fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK), read(slave, got, 8)), EAGAIN);
  type("abc");
  FAILS(read(slave, got, 8), EAGAIN);
  CHECK(events(slave) == POLLOUT);
  type("def\nx\n");
  CHECK(events(slave) == (POLLIN | POLLOUT));
  CHECK(ioctl(slave, FIONREAD, &count) == 0 && count == 9);
  CHECK(read(slave, got, 3) == 3 && memcmp(got, "abc", 3) == 0);
  CHECK(gives(slave, "def\n") && gives(slave, "x\n"));
  type("ab\004\004");
  CHECK(read(slave, got, 2) == 2 && read(slave, got, 8) == 0);
  FAILS(read(slave, got, 8), EAGAIN);
}

BEHAVIOUR(bytes_come_as_they_are_without_lines) {
  char got[8];
  pair();
  set(0, 0, 0, 3, 0);
  fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
  type("ab");
  CHECK(events(slave) == POLLOUT);
  type("\003\r\n");
  CHECK(events(slave) == (POLLIN | POLLOUT) && gives(slave, "ab\003\r\n"));
  set(0, 0, 0, 0, 0);
  fcntl(slave, F_SETFL, O_RDWR);
  CHECK(read(slave, got, 8) == 0);
  set(0, 0, 0, 0, 1);
  CHECK(read(slave, got, 8) == 0);
  set(0, 0, 0, 4, 1);
  type("xy");
  CHECK(gives(slave, "xy"));
}

BEHAVIOUR(output_is_mapped) {
  pair();
  CHECK(write(slave, "a\nb\tc\n", 6) == 6 && gives(master, "a\r\nb\tc\r\n"));
  set(ICRNL, OPOST | ONLCR | XTABS, 0, 1, 0);
  CHECK(write(slave, "ab\tc\n\t.", 7) == 7 && gives(master, "ab      c\r\n        ."));
  set(ICRNL, OPOST | OCRNL, 0, 1, 0);
  CHECK(write(slave, "a\rb\n", 4) == 4 && gives(master, "a\nb\n"));
  set(ICRNL, ONLCR, 0, 1, 0);
  CHECK(write(slave, "a\n", 2) == 2 && gives(master, "a\n"));
  set(INLCR, 0, 0, 1, 0);
  type("\n");
  CHECK(gives(slave, "\r"));
  set(IGNCR | ISTRIP, 0, 0, 1, 0);
  type("a\r\341");
  CHECK(gives(slave, "aa"));
}

BEHAVIOUR(settings_change_what_was_typed) {
  pair();
  struct pollfd p = {slave, POLLIN, 0};
  set(0, 0, ICANON, 1, 0);
  type("abc");
  set(0, 0, 0, 1, 0);
  CHECK(gives(slave, "abc"));
  type("def");
  CHECK(poll(&p, 1, -1) == 1);
  set(0, 0, ICANON, 1, 0);
  CHECK(gives(slave, "def"));
  struct termios t;
  type("lost\n");
  CHECK(poll(&p, 1, -1) == 1);
  CHECK(tcgetattr(master, &t) == 0 && t.c_lflag == ICANON && tcsetattr(slave, TCSAFLUSH, &t) == 0);
  type("kept\n");
  CHECK(gives(slave, "kept\n"));
  type("lost\n");
  CHECK(poll(&p, 1, -1) == 1);
  CHECK(tcflush(slave, TCIFLUSH) == 0);
  type("kept\n");
  CHECK(gives(slave, "kept\n"));
}

BEHAVIOUR(output_can_be_stopped) {
  pair();
  fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
  struct pollfd p = {master, POLLIN, 0};
  type("\023");
  while (events(slave) & POLLOUT) sched_yield();
  FAILS(write(slave, "a", 1), EAGAIN);
  CHECK(events(slave) == 0);
  type("\021");
  while (!(events(slave) & POLLOUT)) sched_yield();
  CHECK(write(slave, "a", 1) == 1 && poll(&p, 1, -1) == 1 && gives(master, "a"));
  CHECK(tcflow(slave, TCOOFF) == 0);
  FAILS(write(slave, "a", 1), EAGAIN);
  CHECK(tcflow(slave, TCOON) == 0 && write(slave, "b", 1) == 1 && poll(&p, 1, -1) == 1 && gives(master, "b"));
  CHECK(tcflow(slave, TCIOFF) == 0 && poll(&p, 1, -1) == 1 && gives(master, "\023"));
}

BEHAVIOUR(writer_waits_for_room) {
  char block[4096];
  memset(block, 'x', sizeof block);
  pair();
  set(0, 0, 0, 1, 0);
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 16; i++) CHECK(write(slave, block, sizeof block) == sizeof block);
    _exit(0);
  }
  size_t all = 0;
  while (all < 16 * sizeof block) {
    ssize_t n = read(master, block, sizeof block);
    CHECK(n > 0);
    all += n;
  }
  reap(child, 0);
}

BEHAVIOUR(program_that_closes_leaves_an_error) {
  char got[8];
  pair();
  CHECK(events(master) == POLLOUT);
  CHECK(write(slave, "bye", 3) == 3);
  close(slave);
  CHECK(events(master) == (POLLIN | POLLOUT | POLLHUP));
  CHECK(gives(master, "bye"));
  FAILS(read(master, got, 8), EIO);
  slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  CHECK(slave >= 0 && events(master) == POLLOUT);
}

BEHAVIOUR(hangup_ends_the_line) {
  char got[8];
  struct termios t;
  pair();
  close(master);
  CHECK(read(slave, got, 8) == 0);
  FAILS(write(slave, "a", 1), EIO);
  FAILS(tcgetattr(slave, &t), EIO);
  CHECK((events(slave) & (POLLHUP | POLLIN | POLLOUT)) == (POLLHUP | POLLIN | POLLOUT));
}

BEHAVIOUR(keys_send_signals_to_the_foreground) {
  int status;
  pid_t child = leader_that_waits();
  /* The group is orphaned: it can't be stopped. */
  type("\032");
  type("\003");
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

BEHAVIOUR(hangup_tells_the_leader) {
  int status;
  pid_t child = leader_that_waits();
  close(master);
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
}

BEHAVIOUR(end_of_the_leader_tells_the_foreground) {
  char got[8];
  int report[2];
  CHECK(pipe(report) == 0);
  pid_t child = leader();
  if (child == 0) {
    pid_t job = fork();
    if (job == 0) {
      sigset_t set;
      int signo;
      sigemptyset(&set);
      sigaddset(&set, SIGHUP);
      sigprocmask(SIG_BLOCK, &set, NULL);
      CHECK(write(report[1], "!", 1) == 1);
      CHECK(sigwait(&set, &signo) == 0 && signo == SIGHUP);
      CHECK(write(slave, "a", 1) == 1);
      FAILS(tcgetpgrp(slave), ENOTTY);
      FAILS(open("/dev/tty", O_RDWR), ENXIO);
      CHECK(write(report[1], "?", 1) == 1);
      _exit(0);
    }
    CHECK(read(report[0], got, 1) == 1);
    _exit(0);
  }
  close(slave);
  reap(child, 0);
  CHECK(read(report[0], got, 1) == 1 && got[0] == '?');
  CHECK(gives(master, "a"));
}

BEHAVIOUR(window_has_a_size) {
  struct winsize size;
  pid_t child = leader();
  if (child == 0) {
    sigset_t set;
    int got;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    CHECK(write(slave, "!", 1) == 1);
    signal(SIGWINCH, ignored);
    CHECK(sigwait(&set, &got) == 0 && got == SIGWINCH);
    CHECK(ioctl(slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 50 && size.ws_col == 132 && size.ws_xpixel == 7);
    _exit(0);
  }
  CHECK(gives(master, "!"));
  CHECK(ioctl(master, TIOCGWINSZ, &size) == 0 && size.ws_row == 24 && size.ws_col == 80);
  size.ws_row = 50, size.ws_col = 132, size.ws_xpixel = 7;
  CHECK(ioctl(master, TIOCSWINSZ, &size) == 0);
  reap(child, 0);
}

BEHAVIOUR(session_has_one_terminal) {
  pid_t child = leader();
  if (child == 0) {
    int tty = open("/dev/tty", O_RDWR), other_master, other;
    CHECK(tty >= 0 && write(tty, "tty", 3) == 3 && isatty(tty));
    CHECK(tcgetpgrp(tty) == getpid() && tcgetsid(tty) == getpid());
    CHECK(openpty(&other_master, &other, NULL, NULL, NULL) == 0);
    FAILS(ioctl(other, TIOCSCTTY, 0), EPERM);
    FAILS(tcgetpgrp(other), ENOTTY);
    FAILS(tcsetpgrp(tty, 999999), ESRCH);
    signal(SIGHUP, SIG_IGN);
    CHECK(ioctl(tty, TIOCNOTTY) == 0);
    FAILS(open("/dev/tty", O_RDWR), ENXIO);
    int again = open(ttyname(slave), O_RDWR);
    CHECK(again >= 0 && tcgetpgrp(again) == getpid());
    _exit(0);
  }
  CHECK(gives(master, "tty"));
  reap(child, 0);
}

BEHAVIOUR(background_jobs_stop) {
  int status;
  pid_t child = leader();
  if (child == 0) {
    signal(SIGTTOU, SIG_IGN);
    pid_t job = fork();
    if (job == 0) {
      char got[8];
      CHECK(setpgid(0, 0) == 0);
      signal(SIGTTOU, SIG_DFL);
      CHECK(read(slave, got, 8) == 3);
      struct termios t;
      CHECK(tcgetattr(slave, &t) == 0);
      t.c_lflag |= TOSTOP;
      CHECK(tcsetattr(slave, TCSANOW, &t) == 0);
      CHECK(write(slave, "x", 1) == 1);
      _exit(0);
    }
    CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
    CHECK(tcsetpgrp(slave, job) == 0 && tcgetpgrp(slave) == job);
    kill(-job, SIGCONT);
    CHECK(write(slave, "?", 1) == 1);
    CHECK(waitpid(job, &status, 0) == job && status == 0);
    CHECK(tcsetpgrp(slave, getpid()) == 0);
    job = fork();
    if (job == 0) {
      CHECK(setpgid(0, 0) == 0);
      signal(SIGTTOU, SIG_DFL);
      write(slave, "y", 1);
      _exit(1);
    }
    CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
    kill(job, SIGKILL);
    waitpid(job, &status, 0);
    _exit(0);
  }
  CHECK(gives(master, "?"));
  type("ab\n");
  reap(child, 0);
}

BEHAVIOUR(packets_tell_of_flow) {
  int on = 1;
  pair();
  CHECK(ioctl(master, TIOCPKT, &on) == 0);
  on = 0;
  struct termios locked;
  memset(&locked, 1, sizeof locked);
  CHECK(ioctl(slave, TIOCGLCKTRMIOS, &locked) == 0 && locked.c_lflag == 0 && locked.c_cc[0] == 0);
  CHECK(ioctl(master, TIOCGPKT, &on) == 0 && on == 1);
  char got[8];
  CHECK(write(slave, "a", 1) == 1 && read(master, got, 8) == 2 && got[0] == TIOCPKT_DATA && got[1] == 'a');
  set(0, 0, ICANON, 1, 0);
  CHECK(read(master, got, 8) == 1 && got[0] == TIOCPKT_NOSTOP);
  set(IXON, 0, ICANON, 1, 0);
  CHECK(read(master, got, 8) == 1 && got[0] == TIOCPKT_DOSTOP);
  CHECK(tcflow(slave, TCOOFF) == 0 && read(master, got, 8) == 1 && got[0] == TIOCPKT_STOP);
  CHECK(tcflow(slave, TCOON) == 0 && read(master, got, 8) == 1 && got[0] == TIOCPKT_START);
}
