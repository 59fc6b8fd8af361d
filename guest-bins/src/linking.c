/*
 * What a dynamic linker and the start of a C library ask of the system, without either: libraries are looked for where there are none, one (its
 * own file) is opened, read and mapped by segments, pages are protected and given back, then the thread's own numbers, limits, a heap, output.
 * It hashes strings in between, as symbols are looked up, long enough for the quick loop. The build has it run for its code caches.
 * Build: -nostdlib -nostartfiles -ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -Wl,-z,max-page-size=4096 -Wl,-z,noseparate-code
 * Variants: O2
 */
typedef unsigned long word;
typedef unsigned int uint;

enum {
  READ = 3, WRITE = 4, CLOSE = 6, ACCESS = 33, BRK = 45, IOCTL = 54, READLINK = 85, MMAP = 90, MUNMAP = 91, UNAME = 122, MPROTECT = 125,
  PREAD64 = 179, UGETRLIMIT = 190, MMAP2 = 192, SET_TID_ADDRESS = 232, EXIT_GROUP = 234, OPENAT = 286, NEWFSTATAT = 291, FACCESSAT = 298,
  SET_ROBUST_LIST = 300, PRLIMIT64 = 325, GETRANDOM = 359, STATX = 383, RSEQ = 387,
};
enum { AT_FDCWD = -100, AT_EMPTY_PATH = 0x1000, O_CLOEXEC = 02000000, ENOENT = 2 };
enum { PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20 };

static long call(word number, word a, word b, word c, word d, word e, word f) {
  register word r0 __asm__("r0") = number, r3 __asm__("r3") = a, r4 __asm__("r4") = b, r5 __asm__("r5") = c;
  register word r6 __asm__("r6") = d, r7 __asm__("r7") = e, r8 __asm__("r8") = f;
  __asm__ volatile("sc\n\tbns 1f\n\tneg 3,3\n1:"
                   : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8)
                   :
                   : "r9", "r10", "r11", "r12", "cr0", "ctr", "memory");
  return (long)r3;
}

static const char *const missing[] = {
  "/lib/there/is/none/libnone.so", "/usr/lib/there/is/none/libnone.so", "/lib/none/libnone.so", "/none/libnone.so", "none/libnone.so",
};
static uint list[64], status[64];

static uint hash(uint h, const char *text) {
  while (*text) h = h * 33 + (unsigned char)*text++;
  return h;
}
static int failed(long result) { return result < 0 && result > -4096; }
static long look(const char *path, int flags) {
  return sizeof(word) == 8 ? call(NEWFSTATAT, AT_FDCWD, (word)path, (word)status, flags, 0, 0)
                           : call(STATX, AT_FDCWD, (word)path, flags, 0x7ff, (word)status, 0);
}
static long map(word at, word length, int protection, int flags, int fd, word page) {
  return sizeof(word) == 8 ? call(MMAP, at, length, protection, flags, fd, page * 4096)
                           : call(MMAP2, at, length, protection, flags, fd, page);
}

static int life(void) {
  const char *name = "/proc/self/exe";
  uint sum = 5381, failures = 0;
  char head[512];
  word heap = call(BRK, 0, 0, 0, 0, 0, 0);
  char *anonymous = (char *)map(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  failures += call(ACCESS, (word)"/etc/ld.so.preload", 4, 0, 0, 0, 0) != -ENOENT;
  for (int turn = 0; turn < 6; turn++)
    for (uint i = 0; i < sizeof missing / sizeof *missing; i++) {
      failures += call(OPENAT, AT_FDCWD, (word)missing[i], O_CLOEXEC, 0, 0, 0) != -ENOENT;
      failures += look(missing[i], 0) != -ENOENT;
      sum = hash(sum, missing[i]);
    }
  long fd = call(OPENAT, AT_FDCWD, (word)name, O_CLOEXEC, 0, 0, 0);
  failures += fd < 0;
  failures += call(READ, fd, (word)head, sizeof head, 0, 0, 0) != sizeof head;
  failures += sizeof(word) == 8 && call(PREAD64, fd, (word)head, 256, 64, 0, 0) != 256;
  failures += failed(look("/", 0));
  char *library = (char *)map(0, 5 * 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  failures += failed((long)library);
  failures += failed(map((word)library + 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0));
  failures += failed(map((word)library + 8192, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0));
  call(CLOSE, fd, 0, 0, 0, 0, 0);
  for (int i = 0; i < 4096; i += 64) {
    library[4096 + i] += library[i];
    library[8192 + i] = anonymous[i] = library[4096 + i];
    sum = sum * 33 + (library[8192 + i] == library[i]);
  }
  failures += failed(call(MPROTECT, (word)library + 4096, 8192, PROT_READ, 0, 0, 0));
  failures += failed(call(MUNMAP, (word)library + 16384, 4096, 0, 0, 0, 0));
  failures += failed(call(SET_TID_ADDRESS, (word)list, 0, 0, 0, 0, 0));
  call(SET_ROBUST_LIST, (word)list, 3 * sizeof(word), 0, 0, 0, 0);
  call(RSEQ, (word)status, 32, 0, 0x0fe5000b, 0, 0);
  if (sizeof(word) == 8) failures += failed(call(PRLIMIT64, 0, 3, 0, (word)status, 0, 0));
  else failures += failed(call(UGETRLIMIT, 3, (word)status, 0, 0, 0, 0));
  call(UNAME, (word)head, 0, 0, 0, 0, 0);
  failures += call(GETRANDOM, (word)head, 8, 1, 0, 0, 0) != 8;
  failures += call(BRK, heap + 0x21000, 0, 0, 0, 0, 0) != heap + 0x21000;
  failures += failed(sizeof(word) == 8 ? call(NEWFSTATAT, 1, (word) "", (word)status, AT_EMPTY_PATH, 0, 0)
                                       : call(STATX, 1, (word) "", AT_EMPTY_PATH, 0x7ff, (word)status, 0));
  call(IOCTL, 1, 0x402c7413, (word)status, 0, 0, 0);
  char *at = (char *)heap;
  for (int shift = 28; shift >= 0; shift -= 4) *at++ = "0123456789abcdef"[sum >> shift & 15];
  *at++ = failures ? '!' : '.';
  *at++ = '\n';
  call(WRITE, 1, heap, at - (char *)heap, 0, 0, 0);
  return failures;
}

__attribute__((noreturn)) void _start(void) {
  call(EXIT_GROUP, life(), 0, 0, 0, 0, 0);
  for (;;) continue;
}
