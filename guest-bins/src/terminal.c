/*
 * What a program does with its terminal: asks whether there is one, reads a line without echo, single keys without waiting for a line, gives up
 * waiting for a key after a while, gets SIGINT for ^C in between. With an argument it stops for a key before it says whether the settings hold.
 * Without a terminal it says so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"

static volatile sig_atomic_t interrupts;
static void handler(int number) { interrupts += number == SIGINT; }

static void say(const char *text) {
  fputs(text, stdout);
  fflush(stdout);
}

int main(int argc, char **argv) {
  (void)argv;
  struct termios before, now;
  if (tcgetattr(0, &before) != 0) {
    printf("no terminal: %s\n", strerror(errno));
    return 0;
  }
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGINT, &action, NULL);
  struct winsize size;
  CHECK(ioctl(1, TIOCGWINSZ, &size) == 0);
  char line[80], key;

  now = before;
  now.c_lflag &= ~ECHO;
  CHECK(tcsetattr(0, TCSAFLUSH, &now) == 0);
  say("secret? ");
  CHECK(fgets(line, sizeof line, stdin) != NULL);
  CHECK(tcsetattr(0, TCSAFLUSH, &before) == 0);
  printf("(%d letters)\nline? ", (int)strlen(line) - 1);
  fflush(stdout);
  CHECK(fgets(line, sizeof line, stdin) != NULL);

  now.c_lflag &= ~ICANON;
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  CHECK(tcsetattr(0, TCSANOW, &now) == 0);
  struct termios seen;
  CHECK(tcgetattr(1, &seen) == 0 && seen.c_lflag == now.c_lflag);
  /* Held back but in the wait for it, so that it can't come between the look and the wait. */
  sigset_t interrupt, none;
  sigemptyset(&none);
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  CHECK(sigprocmask(SIG_BLOCK, &interrupt, NULL) == 0);
  say("key? ");
  CHECK(read(0, &key, 1) == 1);
  printf("(%c) interrupt? ", key);
  fflush(stdout);
  struct pollfd keys = {.fd = 0, .events = POLLIN};
  while (interrupts == 0) CHECK(ppoll(&keys, 1, NULL, &none) == -1 && errno == EINTR);
  CHECK(sigprocmask(SIG_UNBLOCK, &interrupt, NULL) == 0);

  now.c_cc[VMIN] = 0;
  now.c_cc[VTIME] = 2;
  CHECK(tcsetattr(0, TCSANOW, &now) == 0);
  CHECK(read(0, &key, 1) == 0);
  say("nothing came\n");
  if (argc > 1) {
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    CHECK(tcsetattr(0, TCSANOW, &now) == 0);
    say("frozen? ");
    CHECK(read(0, &key, 1) == 1);
    CHECK(tcgetattr(0, &seen) == 0 && seen.c_lflag == now.c_lflag && seen.c_cc[VMIN] == 1);
    printf("(%c)\n", key);
  }
  CHECK(tcsetattr(0, TCSADRAIN, &before) == 0);
  say("done\n");
  return 0;
}
