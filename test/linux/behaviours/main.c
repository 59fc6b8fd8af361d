/*
 * `PROGRAM` runs all behaviours, each in a process and a folder of its own; `PROGRAM AREA/NAME` one, in the process
 * itself. Each says PASS.
 */
#include "behaviour.h"

#define MOST 512
static struct {
  char name[80];
  void (*run)(void);
} behaviours[MOST];
static int count;

void add_behaviour(const char *file, const char *name, void (*run)(void)) {
  const char *slash = strrchr(file, '/'), *area = slash ? slash + 1 : file;
  if (count == MOST) abort();
  sprintf(behaviours[count].name, "%.*s/%s", (int)strcspn(area, "."), area, name);
  behaviours[count++].run = run;
}

static char text[1 << 18];

char *contents(const char *path) {
  int fd = open(path, O_RDONLY), at = 0, n;
  if (fd < 0) printf("%s\n", path);
  CHECK(fd >= 0);
  while ((n = read(fd, text + at, sizeof text - 1 - at)) > 0) at += n;
  CHECK(n == 0);
  text[at] = 0;
  close(fd);
  return text;
}

long field(const char *path, const char *name) {
  char *line = contents(path);
  size_t length = strlen(name);
  for (; line; line = strchr(line, '\n'), line += line != NULL)
    if (strncmp(line, name, length) == 0 && line[length] == ':') return strtol(line + length + 1, NULL, 0);
  printf("%s has no %s\n", path, name);
  CHECK(0);
}

static void run(int which) {
  char folder[] = "run-XXXXXX";
  CHECK(mkdtemp(folder) && chdir(folder) == 0);
  behaviours[which].run();
  printf("PASS %s\n", behaviours[which].name);
  fflush(stdout);
}

int main(int argc, char **argv) {
  int failed = 0;
  for (int i = 0; i < count; i++) {
    if (argc > 1) {
      if (strcmp(argv[1], behaviours[i].name) != 0) continue;
      run(i);
      return 0;
    }
    pid_t child = fork();
    if (child == 0) {
      run(i);
      _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    if (status == 0) continue;
    printf("FAIL %s: status %x\n", behaviours[i].name, status);
    fflush(stdout);
    failed = 1;
  }
  return failed || argc > 1;
}
