/* Tries to get out of what it was granted, alone and with other processes of its machine. Names what it reaches;
   adversary.test.ts looks from outside at what it may have changed.
   adversary GRANTED READONLY OUTSIDE HOST_PID PORT ABSTRACT_SOCKET */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SECRET_SIZE 6151
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char *granted, *readonly, *outside;
static int tries;

static void reached(const char *how, const char *path) { printf("REACHED %s: %s\n", how, path); }

/* A call that must fail. */
static void denied(const char *how, long result) {
  tries++;
  if (result >= 0) reached(how, "a call that must fail");
}

static const char *in(const char *folder, const char *rest) {
  static char rooms[16][1024];
  static int next;
  char *room = rooms[next++ % 16];
  snprintf(room, sizeof rooms[0], "%s/%s", folder, rest);
  return room;
}

static void put(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (fd < 0 || write(fd, "decoy", 5) != 5) printf("no decoy at %s\n", path);
  close(fd);
}

static void inspect(int fd, const char *how, const char *path) {
  struct stat status;
  char bytes[6], link[40];
  if (fstat(fd, &status) == 0 && status.st_size == SECRET_SIZE) reached(how, path);
  if (pread(fd, bytes, 6, 0) == 6 && memcmp(bytes, "secret", 6) == 0) reached(how, path);
  if (fstatat(fd, "secret", &status, 0) == 0 && status.st_size == SECRET_SIZE) reached(how, path);
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int again = open(link, O_RDWR);
  if (again < 0) return;
  if (fstat(again, &status) == 0 && status.st_size == SECRET_SIZE) reached("reopened", path);
  close(again);
}

/* What attacks lead by and may have taken away: links like those that the host has made, and a file. */
static void lay(void) {
  put(in(granted, "mine"));
  const char *links[][2] = {{"hostlink", in(outside, "secret")}, {"hostfolder", "../outside"}};
  char to[1024];
  for (unsigned i = 0; i < COUNT(links); i++) {
    const char *name = in(granted, links[i][0]);
    if (readlink(name, to, sizeof to) > 0) continue;
    unlink(name), rmdir(name);
    symlink(links[i][1], name);
  }
}

/* What takes a path alone. */
static void attack_by_name(const char *path) {
  struct stat status;
  struct statfs system;
  tries += 7;
  truncate(path, 0);
  setxattr(path, "user.mine", "1", 1, 0);
  if (statfs(path, &system) == 0 && stat(path, &status) == 0 && status.st_size == SECRET_SIZE) reached("statfs", path);
  int watch = inotify_init();
  if (inotify_add_watch(watch, path, IN_ALL_EVENTS) >= 0 && stat(path, &status) == 0 && status.st_size == SECRET_SIZE)
    reached("inotify", path);
  close(watch);
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  for (int i = 0; i < 2; i++) {
    snprintf(name.sun_path, sizeof name.sun_path, "%s%s", path, i ? "/new" : "");
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(s, (struct sockaddr *)&name, sizeof name);
    close(s);
  }
  int here = open(".", O_RDONLY);
  if (chdir(path) == 0) {
    int fd = open(".", O_RDONLY);
    inspect(fd, "chdir", path);
    close(fd);
    fchdir(here);
  }
  close(here);
}

/* All that can be done with a path from a directory; what may take the path itself away comes last. */
static void attack(int at, const char *path) {
  static const int ways[] = {O_RDONLY, O_WRONLY, O_RDWR | O_TRUNC, O_RDONLY | O_CREAT, O_PATH, O_PATH | O_NOFOLLOW,
                             O_RDONLY | O_DIRECTORY, O_TMPFILE | O_RDWR, O_WRONLY | O_APPEND};
  const char *stolen = in(granted, "stolen"), *mine = in(granted, "mine");
  char below[1200];
  struct stat status;
  struct statx extended;
  lay();
  for (unsigned i = 0; i < COUNT(ways); i++, tries++) {
    int fd = openat(at, path, ways[i], 0666);
    if (fd < 0) continue;
    inspect(fd, "open", path);
    close(fd);
  }
  for (int flag = 0; flag <= AT_SYMLINK_NOFOLLOW; flag += AT_SYMLINK_NOFOLLOW) {
    tries += 5;
    if (fstatat(at, path, &status, flag) == 0 && status.st_size == SECRET_SIZE) reached("stat", path);
    if (statx(at, path, flag, STATX_ALL, &extended) == 0 && extended.stx_size == SECRET_SIZE) reached("statx", path);
    fchownat(at, path, getuid(), getgid(), flag);
    utimensat(at, path, (struct timespec[2]){{1, 1}, {2, 2}}, flag);
    if (linkat(at, path, AT_FDCWD, stolen, flag ? 0 : AT_SYMLINK_FOLLOW) == 0) {
      int fd = open(stolen, O_RDONLY);
      if (fd >= 0) inspect(fd, "link", path);
      close(fd);
      unlink(stolen);
    }
  }
  if (at == AT_FDCWD) attack_by_name(path);
  fchmodat(at, path, 0777, 0);
  renameat2(at, path, AT_FDCWD, mine, RENAME_EXCHANGE);
  renameat(AT_FDCWD, mine, at, path);
  unlinkat(at, path, 0);
  unlinkat(at, path, AT_REMOVEDIR);
  snprintf(below, sizeof below, "%s/new", path);
  mkdirat(at, below, 0777);
  mknodat(at, below, S_IFIFO | 0666, 0);
  mknodat(at, below, S_IFREG | 0666, 0);
  symlinkat("x", at, below);
  put(mine);
  linkat(AT_FDCWD, mine, at, below, 0);
  renameat(AT_FDCWD, mine, at, below);
  tries += 12;
}

static void links(void) {
  static const char *const places[] = {"", "/tmp", "/dev/shm"};
  for (unsigned i = 0; i < COUNT(places); i++) {
    const char *folder = i == 0 ? granted : places[i];
    const char *secret = in(outside, "secret");
    char path[1024];
    struct { const char *name, *to, *reach, *below; } made[] = {
        {"absolute", secret, "absolute", ""},   {"relative", "../outside/secret", "relative", ""},
        {"folder", outside, "folder/secret", ""}, {"folder2", "../outside", "folder2/secret", ""},
        {"root", "/", "root", outside},         {"chain", "folder2", "chain/secret", ""},
        {"self", "/proc/self/root", "self", outside}, {"up", "../../../../..", "up", outside},
        {"loop", "loop", "loop/secret", ""},
    };
    for (unsigned k = 0; k < COUNT(made); k++) {
      symlink(made[k].to, in(folder, made[k].name));
      snprintf(path, sizeof path, "%s/%s%s%s", folder, made[k].reach, made[k].below, *made[k].below ? "/secret" : "");
      attack(AT_FDCWD, path);
      if (strcmp(made[k].name, "folder2") != 0) unlink(in(folder, made[k].name));
    }
    unlink(in(folder, "folder2"));
  }
}

/* Ways to write the path; the last ones lead by what other tasks and hosts have in /proc. */
static void spellings(int child, int host, int fd) {
  static const char *const forms[] = {"%s/secret", "/../../../..%s/secret", "//%s//secret", "/.%s/./secret", "%s",
                                      "/proc/self/root%s/secret", "/proc/thread-self/root%s/secret",
                                      "/dev/pts/..%s/secret", "/dev/pts/../..%s/secret", "/dev/shm/../..%s/secret",
                                      "/tmp/..%s/secret", "/sys/..%s/secret", "/proc/..%s/secret",
                                      "/proc/self/task/../root%s/secret", "/proc/1/root%s/secret"};
  static const char *const below[] = {"../outside/secret", "sub/../../outside/secret", "./sub/.././../outside/secret",
                                      "hostlink", "hostfolder/secret", "hostfolder"};
  static const char *const tasks[] = {"root%s/secret", "cwd/../outside/secret", "exe/../outside/secret",
                                      "fd/%d/../outside/secret", "map_files", "environ", "mem"};
  char path[1100];
  for (unsigned i = 0; i < COUNT(forms); i++) {
    snprintf(path, sizeof path, forms[i], outside);
    attack(AT_FDCWD, path);
  }
  for (unsigned i = 0; i < COUNT(below); i++) {
    attack(AT_FDCWD, below[i]);
    attack(AT_FDCWD, in(granted, below[i]));
    attack(AT_FDCWD, in("/proc/self/cwd", below[i]));
  }
  for (unsigned i = 0; i < COUNT(tasks); i++) {
    int who[] = {child, host};
    for (int k = 0; k < 2; k++) {
      int length = snprintf(path, sizeof path, "/proc/%d/", who[k]);
      if (strstr(tasks[i], "%d")) snprintf(path + length, sizeof path - length, tasks[i], fd);
      else snprintf(path + length, sizeof path - length, tasks[i], outside);
      if (who[k] == host) denied(path, open(path, O_RDONLY));
      else if (strchr(tasks[i], '/')) attack(AT_FDCWD, path);
    }
  }
  snprintf(path, sizeof path, "/dev/fd/%d/../outside/secret", fd);
  attack(AT_FDCWD, path);
}

static void send_fd(int s, int fd) {
  char space[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec one = {"x", 1};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  sendmsg(s, &message, 0);
}

static int receive_fd(int s) {
  char space[CMSG_SPACE(sizeof(int))], byte;
  struct iovec one = {&byte, 1};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  int fd = -1;
  if (recvmsg(s, &message, 0) == 1 && CMSG_FIRSTHDR(&message)) memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

static void attack_from(int fd) {
  attack(fd, "../outside/secret");
  attack(fd, "../../outside/secret");
  attack(fd, "../../../outside/secret");
  attack(fd, "hostlink");
  attack(fd, "hostfolder/secret");
  attack(fd, outside + 1);
  attack(fd, "secret");
  attack(fd, "");
}

/* Descriptors of folders and links that another process passes, which moves them about meanwhile. */
static void descriptors(void) {
  static const char *const names[] = {".", "sub", "/", "hostfolder", "hostlink", "/proc/self/root", "/proc/self", "/dev/pts",
                                      "deep/a/b/c", "/tmp"};
  int pair[2];
  socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
  mkdir("deep", 0777), mkdir("deep/a", 0777), mkdir("deep/a/b", 0777), mkdir("deep/a/b/c", 0777);
  int child = fork();
  if (child == 0) {
    for (unsigned i = 0; i < COUNT(names); i++) {
      send_fd(pair[1], open(names[i], O_PATH | O_NOFOLLOW));
      send_fd(pair[1], open(names[i], O_RDONLY | O_DIRECTORY));
    }
    for (int i = 0; i < 40; i++) {
      rename("deep/a/b/c", "c"), sched_yield(), rename("c", "deep/a/b/c"), sched_yield();
    }
    _exit(0);
  }
  close(pair[1]);
  for (unsigned i = 0; i < 2 * COUNT(names); i++) {
    int fd = receive_fd(pair[0]);
    if (fd < 0) continue;
    attack_from(fd);
    sched_yield();
    int here = open(".", O_RDONLY);
    if (fchdir(fd) == 0) attack(AT_FDCWD, "../../../outside/secret"), fchdir(here);
    close(here), close(fd);
  }
  waitpid(child, NULL, 0);
}

/* A folder that another process swaps for a link to what is outside, all the time. */
static void races(void) {
  int child = fork();
  if (child == 0) {
    for (;;) {
      rename("sub", "old"), sched_yield(), symlink(outside, "sub"), sched_yield();
      unlink("sub"), sched_yield(), rename("old", "sub"), sched_yield();
    }
  }
  for (int i = 0; i < 60; i++) {
    attack(AT_FDCWD, i & 1 ? "sub/secret" : in(granted, "sub/secret"));
    sched_yield();
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  unlink("sub");
  rename("old", "sub");
}

static void network(int port, const char *abstract) {
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port)};
  static const char *const hosts[] = {"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "169.254.169.254", "255.255.255.255"};
  for (unsigned i = 0; i < COUNT(hosts); i++) {
    inet_aton(hosts[i], &there.sin_addr);
    int s = socket(AF_INET, SOCK_STREAM, 0), d = socket(AF_INET, SOCK_DGRAM, 0);
    denied(hosts[i], connect(s, (struct sockaddr *)&there, sizeof there));
    sendto(d, "out", 3, 0, (struct sockaddr *)&there, sizeof there);
    close(s), close(d);
  }
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++) {
    int s = socket(AF_UNIX, type, 0);
    if (s < 0) continue;
    strcpy(name.sun_path, in(outside, "socket"));
    denied("socket of the host", connect(s, (struct sockaddr *)&name, sizeof name));
    memset(name.sun_path, 0, sizeof name.sun_path);
    strcpy(name.sun_path + 1, abstract);
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(abstract);
    denied("abstract socket of the host", connect(s, (struct sockaddr *)&name, length));
    close(s);
  }
  denied("raw socket", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
  denied("packet socket", socket(AF_PACKET, SOCK_RAW, 0));
}

/* Processes, memory and names of the host's kernel. */
static void host_kernel(int host) {
  char byte;
  struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
  struct rlimit limit;
  denied("kill", kill(host, SIGKILL));
  denied("kill of its group", kill(-host, SIGKILL));
  denied("tgkill", syscall(SYS_tgkill, host, host, SIGKILL));
  denied("pidfd_open", syscall(SYS_pidfd_open, host, 0));
  denied("process_vm_readv", process_vm_readv(host, &here, 1, &there, 1, 0));
  denied("prlimit", prlimit(host, RLIMIT_CPU, &limit, NULL));
  denied("ptrace", ptrace(PTRACE_ATTACH, host, 0, 0));
  denied("setpgid", setpgid(host, host));
  denied("setpriority", setpriority(PRIO_PROCESS, host, 19));
  denied("mount", mount("/", in(granted, "sub"), NULL, MS_BIND, NULL));
  denied("umount", umount("/"));
  denied("chroot", chroot(granted));
  denied("pivot_root", syscall(SYS_pivot_root, granted, granted));
  denied("unshare", unshare(CLONE_NEWNS | CLONE_NEWUSER));
  denied("setns", setns(0, 0));
  denied("sethostname", sethostname("mine", 4));
  denied("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0x1234567, 0));
  denied("init_module", syscall(SYS_init_module, &byte, 1, ""));
  denied("bpf", syscall(SYS_bpf, 0, 0, 0));
  denied("perf_event_open", syscall(SYS_perf_event_open, 0, 0, -1, -1, 0));
  denied("userfaultfd", syscall(SYS_userfaultfd, 0));
  denied("io_uring_setup", syscall(SYS_io_uring_setup, 1, 0));
  denied("open_by_handle_at", open_by_handle_at(AT_FDCWD, &(struct { struct file_handle h; char b[8]; }){{8, 1}, {2}}.h, 0));
  denied("acct", acct(in(granted, "mine")));
  denied("swapon", syscall(SYS_swapon, in(granted, "mine"), 0));
  denied("quotactl", syscall(SYS_quotactl, 0x800002, "/", 0, 0));
  denied("settimeofday", syscall(SYS_settimeofday, &(long[2]){1, 1}, 0));
  denied("a device", mknod(in(granted, "device"), S_IFCHR | 0666, 0x103));
  denied("a disk", mknod(in(granted, "device"), S_IFBLK | 0666, 0x800));
  static const char *const devices[] = {"/dev/mem", "/dev/kmem", "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/fuse", "/dev/pts/0",
                                        "/dev/console", "/dev/tty1", "/proc/kcore", "/proc/sysrq-trigger", "/proc/kmsg"};
  for (unsigned i = 0; i < COUNT(devices); i++) denied(devices[i], open(devices[i], O_RDWR));
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  denied("typing at a terminal that is not its own", ioctl(master, TIOCSTI, "x"));
  close(master);
}

/* A folder that may only be read, and the program's own file. */
static void read_only(const char *program) {
  const char *paths[] = {in(readonly, "theirs"), program, "/proc/self/exe"};
  char link[40];
  for (unsigned i = 0; i < COUNT(paths); i++) {
    static const int ways[] = {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_WRONLY | O_APPEND};
    for (unsigned k = 0; k < COUNT(ways); k++) denied(paths[i], open(paths[i], ways[k]));
    for (int k = 0; k < 2; k++) {
      int fd = open(paths[i], k ? O_PATH : O_RDONLY);
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      denied("reopened for writing", open(link, O_RDWR));
      denied("reopened and cut", open(link, O_RDONLY | O_TRUNC));
      denied("cut", ftruncate(fd, 0));
      denied("written", pwrite(fd, "x", 1, 0));
      denied("mapped for writing", mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
      void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
      if (at != MAP_FAILED) denied("made writable", mprotect(at, 4096, PROT_READ | PROT_WRITE));
      denied("given a mode", fchmod(fd, 0777));
      denied("sent into", sendfile(fd, 0, NULL, 1));
      denied("copied into", copy_file_range(open(in(granted, "mine"), O_RDONLY), NULL, fd, NULL, 1, 0));
      close(fd);
    }
    denied("truncated", truncate(paths[i], 0));
    denied("removed", unlink(paths[i]));
    denied("renamed", rename(paths[i], in(granted, "stolen")));
    denied("renamed over", rename(in(granted, "mine"), paths[i]));
    denied("linked", link[0] ? linkat(AT_FDCWD, paths[i], AT_FDCWD, in(granted, "stolen"), AT_SYMLINK_FOLLOW) : -1);
    denied("given times", utimensat(AT_FDCWD, paths[i], NULL, 0));
  }
  denied("made", open(in(readonly, "new"), O_WRONLY | O_CREAT, 0666));
  denied("made a folder", mkdir(in(readonly, "new"), 0777));
  denied("made a link", symlink("x", in(readonly, "new")));
  denied("made without a name", open(readonly, O_TMPFILE | O_RDWR, 0666));
}

/* Programs that are outside, by their names and by those that scripts give them. */
static void executions(void) {
  const char *paths[] = {in(outside, "program"), "../outside/program", "hostfolder/program", "/proc/self/cwd/../outside/program"};
  for (unsigned i = 0; i < COUNT(paths); i++) {
    FILE *script = fopen("script", "w");
    fprintf(script, "#!%s\n", paths[i]);
    fclose(script);
    chmod("script", 0777);
    for (int k = 0; k < 2; k++, tries++) {
      if (vfork() == 0) {
        execl(k ? "./script" : paths[i], "adversary", "executed", (char *)0);
        _exit(0);
      }
      wait(NULL);
    }
  }
}

int main(int argc, char **argv) {
  if (argc < 7) {
    reached("execution", argv[0]);
    return 2;
  }
  granted = argv[1], readonly = argv[2], outside = argv[3];
  int host = atoi(argv[4]);
  setvbuf(stdout, NULL, _IOLBF, 0);
  put("mine");
  chmod("mine", 06777);
  put("sub/secret");
  int child = fork();
  if (child == 0) for (;;) pause();
  int fd = open(granted, O_RDONLY | O_DIRECTORY);
  attack_from(fd);
  spellings(child, host, fd);
  executions();
  links();
  descriptors();
  races();
  network(atoi(argv[5]), argv[6]);
  host_kernel(host);
  put("mine");
  read_only(argv[0]);
  kill(-1, SIGKILL);
  printf("tried %d\n", tries);
  return 0;
}
