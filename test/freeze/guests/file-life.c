/* What was opened or mapped before its name went away, used after a while in which the machine may be frozen. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void wait_a_while(void) {
  for (volatile int i = 0; i < 60000; i++)
    ;
}

static int made(const char *name, const char *text, int flags) {
  int f = open(name, flags | O_CREAT, 0640);
  if (write(f, text, strlen(text)) < 0) perror("write");
  return f;
}

static char *mapped(int f, int kind) {
  if (ftruncate(f, 10000)) perror("ftruncate");
  return mmap(0, 10000, PROT_READ | PROT_WRITE, kind, f, 0);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  char b[10] = "";
  struct stat s;
  if (!strcmp(what, "map")) { /* two mappings of a removed file, and a private one that was written to */
    int f = made("m", "hello", O_RDWR);
    char *p = mapped(f, MAP_SHARED), *q = mapped(f, MAP_SHARED), *r = mapped(f, MAP_PRIVATE);
    r[0] = 'j';
    close(f);
    unlink("m");
    wait_a_while();
    strcpy(p + 5000, "there");
    printf("%s %s %s %d\n", p, q + 5000, r, r[4999]);
  } else if (!strcmp(what, "map-fd")) { /* a mapping and a descriptor of one removed file see each other */
    int f = made("m", "hello", O_RDWR);
    char *p = mapped(f, MAP_SHARED);
    unlink("m");
    wait_a_while();
    pwrite(f, "J", 1, 0);
    p[1] = 'E';
    pread(f, b, 5, 0);
    printf("%s %s\n", p, b);
  } else if (!strcmp(what, "replaced")) {
    int f = made("m", "hello", O_RDWR);
    char *p = mapped(f, MAP_SHARED);
    close(f);
    close(made("n", "NEW!!", O_RDWR));
    rename("n", "m");
    wait_a_while();
    f = open("m", O_RDONLY);
    read(f, b, 5);
    printf("%s %s\n", p, b);
  } else if (!strcmp(what, "link")) { /* the name it was opened by is gone, another is there */
    int f = made("a", "data", O_RDWR);
    link("a", "b");
    unlink("a");
    wait_a_while();
    int r = pread(f, b, 10, 0);
    fstat(f, &s);
    printf("read %d nlink %d\n", r, (int)s.st_nlink);
  } else if (!strcmp(what, "write-only")) {
    int f = made("a", "data", O_WRONLY);
    fchmod(f, 0200);
    unlink("a");
    wait_a_while();
    int r = write(f, "more", 4);
    fstat(f, &s);
    printf("write %d size %d mode %o\n", r, (int)s.st_size, s.st_mode);
  } else if (!strcmp(what, "folder")) {
    mkdir("d", 0700);
    int f = open("d", O_RDONLY | O_DIRECTORY);
    rmdir("d");
    mkdir("d", 0700);
    close(made("d/new", "", O_WRONLY));
    wait_a_while();
    int r = fstat(f, &s), e = faccessat(f, "new", F_OK, 0);
    printf("fstat %d nlink %d new %s\n", r, (int)s.st_nlink, e ? "no" : "yes");
  } else if (!strcmp(what, "cwd")) {
    mkdir("d", 0700);
    chdir("d");
    rmdir("../d");
    mkdir("../d", 0700);
    wait_a_while();
    char *r = getcwd(b, sizeof b);
    printf("%s %s\n", r ? r : strerror(errno), access("../d", F_OK) ? "lost" : "up");
  } else if (!strcmp(what, "path")) { /* O_PATH of a file that is replaced */
    close(made("p", "old", O_WRONLY));
    int f = open("p", O_PATH);
    unlink("p");
    close(made("p", "newer", O_WRONLY));
    wait_a_while();
    sprintf(b, "%d", f);
    char name[40] = "/proc/self/fd/";
    int g = open(strcat(name, b), O_RDONLY);
    fstat(f, &s);
    memset(b, 0, sizeof b);
    read(g, b, 9);
    printf("size %d %s\n", (int)s.st_size, b);
  } else if (!strcmp(what, "forbidden")) { /* the mode forbids by now what the descriptor may */
    int f = made("q", "data", O_RDWR);
    fchmod(f, 0);
    wait_a_while();
    printf("write %d\n", (int)write(f, "more", 4));
  } else if (!strcmp(what, "set-id")) {
    int f = made("x", "data", O_RDWR);
    fchmod(f, 06755);
    wait_a_while();
    fstat(f, &s);
    printf("mode %o", s.st_mode & 07777);
    write(f, "more", 4);
    fstat(f, &s);
    printf(" %o\n", s.st_mode & 07777);
  } else if (!strcmp(what, "path-nodes")) { /* O_PATH of what is no file and has been removed */
    symlink("where it leads", "l");
    mkfifo("n", 0640);
    int l = open("l", O_PATH | O_NOFOLLOW), n = open("n", O_PATH);
    unlink("l");
    unlink("n");
    wait_a_while();
    char text[40] = "";
    readlinkat(l, "", text, sizeof text);
    fstat(l, &s);
    printf("%s %o size %d", text, s.st_mode, (int)s.st_size);
    fstat(n, &s);
    printf(" %o links %d\n", s.st_mode, (int)s.st_nlink);
  } else if (!strcmp(what, "written")) { /* a file that keeps its name, open and mapped to be written */
    int f = made("w", "hello", O_RDWR);
    char *p = mapped(f, MAP_SHARED);
    wait_a_while();
    pwrite(f, "J", 1, 0);
    p[1] = 'E';
    pread(f, b, 5, 0);
    printf("%s %s\n", p, b);
  } else {
    wait_a_while();
    printf("plain\n");
  }
  return 0;
}
