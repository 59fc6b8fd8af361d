/* Memory: mappings of files and of nothing, their protection, and who sees what. */
#include "behaviour.h"
#include <setjmp.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/sysmacros.h>

static sigjmp_buf out;
static volatile int code;
static void *volatile where;
static void caught(int signo, siginfo_t *info, void *context) {
  (void)context;
  code = info->si_code;
  where = info->si_addr;
  siglongjmp(out, signo);
}
static int touches(volatile char *at, int write) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  int signo = sigsetjmp(out, 1);
  if (signo) return signo;
  if (write) *at = 1;
  else (void)*at;
  return 0;
}
#define PAGE 65536L
static char *pages(int n, int prot) {
  char *at = mmap(NULL, n * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED);
  return at;
}
#define RW (PROT_READ | PROT_WRITE)

BEHAVIOUR(anonymous_memory_is_zero) {
  char *at = pages(16, RW);
  for (long i = 0; i < 16 * PAGE; i += 4096) CHECK(at[i] == 0);
  memset(at, 7, 16 * PAGE);
  CHECK(madvise(at + PAGE, PAGE, MADV_DONTNEED) == 0);
  CHECK(at[PAGE - 1] == 7 && at[PAGE] == 0 && at[2 * PAGE] == 7);
  CHECK(munmap(at, 16 * PAGE) == 0 && touches(at, 0) == SIGSEGV);
}

BEHAVIOUR(protection_is_enforced) {
  char *at = pages(3, RW);
  at[PAGE] = 5;
  CHECK(mprotect(at + PAGE, PAGE, PROT_READ) == 0);
  CHECK(touches(at + PAGE, 0) == 0 && touches(at + PAGE, 1) == SIGSEGV);
  CHECK(code == SEGV_ACCERR && where == at + PAGE);
  CHECK(mprotect(at + PAGE, PAGE, PROT_NONE) == 0 && touches(at + PAGE, 0) == SIGSEGV);
  CHECK(touches(at, 1) == 0 && touches(at + 2 * PAGE, 1) == 0);
  CHECK(mprotect(at + PAGE, PAGE, RW) == 0 && at[PAGE] == 5);
  CHECK(munmap(at + PAGE, PAGE) == 0 && touches(at + PAGE, 0) == SIGSEGV && code == SEGV_MAPERR);
}

/* Loads need any permission; a debugger needs none, and process_vm_readv that to read. */
BEHAVIOUR(memory_that_is_not_to_be_read) {
  char *at = pages(2, RW), got = 0;
  struct iovec here = {&got, 1}, there = {at, 1};
  int fd = open("/proc/self/mem", O_RDWR);
  *at = 5;
  CHECK(mprotect(at, PAGE, PROT_WRITE) == 0 && touches(at, 0) == 0 && touches(at, 1) == 0 && (*at = 6));
  FAILS(process_vm_readv(getpid(), &here, 1, &there, 1, 0), EFAULT);
  CHECK(mprotect(at, PAGE, PROT_NONE) == 0 && touches(at, 0) == SIGSEGV && code == SEGV_ACCERR);
  CHECK(pread64(fd, &got, 1, (off64_t)(uintptr_t)at) == 1 && got == 6);
  got = 7;
  CHECK(pwrite64(fd, &got, 1, (off64_t)(uintptr_t)at) == 1);
  FAILS(process_vm_readv(getpid(), &here, 1, &there, 1, 0), EFAULT);
  CHECK(mprotect(at, PAGE, PROT_READ) == 0 && *at == 7);
  CHECK(process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1 && got == 7);
}

#ifdef __powerpc__
#include <sys/auxv.h>
/* What may be executed and nothing else can't be read where Linux has radix page tables. */
BEHAVIOUR(memory_that_is_only_executable) {
  int is_radix = (getauxval(AT_HWCAP2) & 0x00800000) != 0;
  char *at = pages(2, RW), got[4] = {0};
  uint32_t *code_at = (uint32_t *)at;
  int fd = file_with("a", ""), mem = open("/proc/self/mem", O_RDONLY);
#if defined __powerpc64__ && _CALL_ELF != 2
  struct { uint32_t *entry; long toc, environment; } descriptor = {code_at, 0, 0};
  long (*function)(long) = (long (*)(long))&descriptor;
#else
  long (*function)(long) = (long (*)(long))code_at;
#endif
  code_at[0] = 0x38630003; /* addi 3,3,3 */
  code_at[1] = 0x4e800020; /* blr */
  for (int pass = 0; pass < 2; pass++) {
    CHECK(mprotect(at, PAGE, PROT_EXEC) == 0);
    __builtin___clear_cache(at, at + 8);
    for (int i = 0; i < 300; i++) CHECK(function(i) == i + 3);
    code = 0;
    CHECK(touches(at + 4, 0) == (is_radix ? SIGSEGV : 0) && code == (is_radix ? SEGV_ACCERR : 0));
    if (is_radix) CHECK(where == at + 4);
    CHECK(touches(at, 1) == SIGSEGV && code == SEGV_ACCERR && where == at);
    errno = 0;
    CHECK(write(fd, at, 4) == (is_radix ? -1 : 4) && errno == (is_radix ? EFAULT : 0));
    CHECK(pread64(mem, got, 4, (off64_t)(uintptr_t)at) == 4 && memcmp(got, (uint32_t[]){0x38630003}, 4) == 0);
    CHECK(function(7) == 10);
    pid_t child = fork();
    if (child == 0) _exit(touches(at + 8, 0) == (is_radix ? SIGSEGV : 0) && function(1) == 4 ? 3 : 4);
    reap(child, 3);
    CHECK(mprotect(at, PAGE, PROT_READ | PROT_EXEC) == 0 && code_at[1] == 0x4e800020 && function(1) == 4);
    CHECK(mprotect(at, PAGE, PROT_WRITE | PROT_EXEC) == 0 && code_at[1] == 0x4e800020 && function(1) == 4);
  }
}
/* PROT_SAO is a bit more, and nothing else is. */
BEHAVIOUR(strong_ordering_can_be_asked_for) {
  char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | 0x10, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED && (*at = 1) && mprotect(at, 4096, PROT_READ | 0x10) == 0 && *at == 1);
  CHECK(mmap(NULL, 4096, PROT_READ | 0x20, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
}
#endif
BEHAVIOUR(private_mapping_of_a_file) {
  int fd = file_with("a", "original");
  char *at = mmap(NULL, 4096, RW, MAP_PRIVATE, fd, 0);
  CHECK(at != MAP_FAILED && memcmp(at, "original", 8) == 0 && at[8] == 0 && at[4095] == 0);
  at[0] = 'O';
  CHECK(holds(fd, 0, "original"));
  close(fd);
  CHECK(memcmp(at, "Original", 8) == 0);
}

BEHAVIOUR(shared_mapping_of_a_file) {
  int fd = file_with("a", "original");
  char *one = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0), *two = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0);
  one[0] = 'O';
  CHECK(two[0] == 'O' && holds(fd, 0, "Original"));
  CHECK(pwrite(fd, "X", 1, 1) == 1 && one[1] == 'X' && two[1] == 'X');
  CHECK(msync(one, 4096, MS_SYNC) == 0 && munmap(one, 4096) == 0);
  two[2] = 'Y';
  CHECK(munmap(two, 4096) == 0 && holds(fd, 0, "OXYginal"));
}

/* What one access brings in must not take away what it had before: a linker lost pages of its output so. */
BEHAVIOUR(accesses_across_pages_of_a_shared_file) {
  enum { PAGES = 24, LENGTH = PAGES * 4096 };
  struct __attribute__((packed)) unaligned {
    uint64_t value;
  };
  static unsigned char expected[LENGTH], got[LENGTH];
  int fd = file_with("across", "");
  CHECK(ftruncate(fd, LENGTH) == 0);
  unsigned char *at = mmap(NULL, LENGTH, RW, MAP_SHARED, fd, 0);
  unsigned char *own = mmap(NULL, LENGTH, RW, MAP_PRIVATE, fd, 0);
  CHECK(at != MAP_FAILED && own != MAP_FAILED);
  for (int page = 1; page < PAGES; page++) {
    int end = page * 4096, later = end - 100 * page;
    volatile struct unaligned *across = (void *)(at + end - 3), *model = (void *)(expected + end - 3);
    model->value = across->value = 0x0102030405060708 + page;
    CHECK(across->value == model->value);
    if (page % 3 == 0) at[LENGTH - end] = expected[LENGTH - end] = page;
    at[later] = expected[later] = page;
    if (page % 4 == 0) CHECK(own[end] == expected[end]);
  }
  CHECK(memcmp(at, expected, LENGTH) == 0);
  CHECK(pread(fd, got, LENGTH, 0) == LENGTH && memcmp(got, expected, LENGTH) == 0);
  for (int i = 0; i < LENGTH; i += 500) at[i] = expected[i] = i;
  CHECK(munmap(at, LENGTH) == 0);
  CHECK(pread(fd, got, LENGTH, 0) == LENGTH && memcmp(got, expected, LENGTH) == 0);
}

BEHAVIOUR(mapping_behind_the_end_of_a_file) {
  int fd = file_with("a", "x");
  char *at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
  CHECK(touches(at, 1) == 0 && touches(at + PAGE, 0) == SIGBUS);
  CHECK(ftruncate(fd, 2 * PAGE) == 0 && touches(at + PAGE, 1) == 0);
  CHECK(ftruncate(fd, 1) == 0 && touches(at + PAGE, 0) == SIGBUS);
}

BEHAVIOUR(mapping_modes_follow_the_descriptor) {
  close(file_with("a", "x"));
  int fd = open("a", O_RDONLY);
  CHECK(mmap(NULL, 4096, RW, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
  CHECK(mmap(NULL, 4096, RW, MAP_PRIVATE, fd, 0) != MAP_FAILED);
  CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF);
  CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EINVAL);
  CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 1) == MAP_FAILED && errno == EINVAL);
}

BEHAVIOUR(shared_anonymous_memory_and_fork) {
  volatile int *shared = mmap(NULL, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  volatile int *own = mmap(NULL, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *shared = *own = 1;
  pid_t child = fork();
  if (child == 0) {
    CHECK(*shared == 1 && *own == 1);
    *shared = *own = 2;
    _exit(0);
  }
  reap(child, 0);
  CHECK(*shared == 2 && *own == 1);
}

BEHAVIOUR(fixed_places) {
  char *at = pages(4, RW);
  memset(at, 1, 4 * PAGE);
  CHECK(mmap(at + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at + PAGE);
  CHECK(at[PAGE - 1] == 1 && at[PAGE] == 0 && at[2 * PAGE] == 1);
  void *none = mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0);
  CHECK(none == MAP_FAILED && errno == EEXIST);
  CHECK(mmap(at + 1, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
}

BEHAVIOUR(remap_grows_moves_and_shrinks) {
  char *at = pages(2, RW);
  at[0] = 1;
  at[2 * PAGE - 1] = 2;
  char *big = mremap(at, 2 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
  CHECK(big != MAP_FAILED && big[0] == 1 && big[2 * PAGE - 1] == 2 && big[39 * PAGE] == 0);
  CHECK(mremap(big, 40 * PAGE, PAGE, 0) == big && touches(big + PAGE, 0) == SIGSEGV);
  char *there = pages(1, RW);
  CHECK(mremap(big, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, there) == there && there[0] == 1);
  CHECK(touches(big, 0) == SIGSEGV);
}

BEHAVIOUR(program_break) {
  char *before = sbrk(0);
  CHECK(sbrk(3 * PAGE) == before);
  memset(before, 9, 3 * PAGE);
  CHECK(sbrk(-2 * PAGE) == before + 3 * PAGE && before[PAGE - 1] == 9);
  CHECK(sbrk(2 * PAGE) == before + PAGE && before[2 * PAGE] == 0);
}

BEHAVIOUR(memory_files) {
  int fd = memfd_create("mine", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
  char *at = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0);
  strcpy(at, "in memory");
  CHECK(holds(fd, 0, "in memory"));
  FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
  CHECK(munmap(at, 4096) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK) == 0);
  FAILS(pwrite(fd, "x", 1, 0), EPERM);
  FAILS(ftruncate(fd, 1), EPERM);
  CHECK(ftruncate(fd, 8192) == 0 && fcntl(fd, F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_SHRINK));
}

BEHAVIOUR(shared_memory_by_name) {
  char name[32];
  sprintf(name, "/behaviour-%d", getpid());
  int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
  CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
  volatile int *at = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0);
  pid_t child = fork();
  if (child == 0) {
    int other = shm_open(name, O_RDWR, 0);
    int *there = mmap(NULL, 4096, RW, MAP_SHARED, other, 0);
    there[10] = 1234;
    _exit(0);
  }
  reap(child, 0);
  CHECK(at[10] == 1234 && shm_unlink(name) == 0);
  FAILS(shm_open(name, O_RDWR, 0), ENOENT);
  CHECK(at[10] == 1234);
}

BEHAVIOUR(code_that_is_written) {
#ifdef __powerpc__
  unsigned *code = mmap(NULL, 4096, RW | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(code != MAP_FAILED);
  for (int n = 0; n < 3; n++) {
    code[0] = 0x38600000 | (40 + n);
    code[1] = 0x4e800020;
    __asm__ volatile("dcbst 0,%0; sync; icbi 0,%0; isync" : : "r"(code) : "memory");
    long result;
    __asm__ volatile("mtctr %1; bctrl; mr %0,3" : "=r"(result) : "r"(code) : "3", "ctr", "lr", "memory");
    CHECK(result == 40 + n);
  }
#endif
}

BEHAVIOUR(residency_and_locks) {
  char *at = pages(4, RW);
  unsigned char present[8 * PAGE / 4096];
  at[0] = 1;
  long page = sysconf(_SC_PAGESIZE);
  CHECK(mincore(at, page, present) == 0 && (present[0] & 1) == 1);
  CHECK(mlock(at, page) == 0 && munlock(at, page) == 0);
  /* What is locked or populated is there, unless it is to come when it is touched. */
  char *more = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(mincore(more, 8 * PAGE, present) == 0 && !(present[0] & 1) && !(present[8 * PAGE / page - 1] & 1));
  CHECK(mlock(more, 4 * PAGE) == 0 && mincore(more, 8 * PAGE, present) == 0);
  CHECK((present[0] & 1) && (present[4 * PAGE / page - 1] & 1) && !(present[4 * PAGE / page] & 1));
  CHECK(syscall(SYS_mlock2, more + 4 * PAGE, 4 * PAGE, 1 /* MLOCK_ONFAULT */) == 0);
  CHECK(mincore(more + 4 * PAGE, page, present) == 0 && !(present[0] & 1) && munmap(more, 8 * PAGE) == 0);
  more = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  CHECK(mincore(more, 2 * PAGE, present) == 0 && (present[0] & 1) && (present[2 * PAGE / page - 1] & 1));
  CHECK(munmap(more, 2 * PAGE) == 0);
  FAILS(mincore(at + 1, page, present), EINVAL);
  CHECK(munmap(at, 4 * PAGE) == 0);
  FAILS(mincore(at, page, present), ENOMEM);
}

BEHAVIOUR(stack_grows) {
  volatile char deep[2 * 1024 * 1024];
  deep[0] = 1;
  deep[sizeof deep - 1] = 2;
  CHECK(deep[0] + deep[sizeof deep - 1] == 3);
}

BEHAVIOUR(maps_tell_of_areas) {
  char *at = pages(3, RW), line[512];
  CHECK(mprotect(at + PAGE, PAGE, PROT_READ) == 0);
  int middle = 0, stack = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) {
    unsigned long start, end;
    char letters[5];
    CHECK(sscanf(line, "%lx-%lx %4s", &start, &end, letters) == 3 && start < end);
    if (start == (unsigned long)at + PAGE) middle = end == start + PAGE && strcmp(letters, "r--p") == 0;
    if (start <= (unsigned long)&line && (unsigned long)&line < end) stack = strstr(line, "[stack]") != NULL;
  }
  CHECK(middle && stack);
}

/* The line of an area names what it shows: files by their numbers, and shared memory, which the kernel keeps as files. */
static int shows(void *at, unsigned long device, unsigned long inode, const char *name) {
  char line[512];
  int found = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) {
    unsigned long start, major, minor, number;
    int end = 0;
    CHECK(sscanf(line, "%lx-%*x %*s %*x %lx:%lx %lu %n", &start, &major, &minor, &number, &end) == 4);
    if (start != (unsigned long)at) continue;
    found = (makedev(major, minor) == device && (inode == 0 || number == inode)) && strstr(line + end, name) != NULL;
  }
  fclose(maps);
  return found;
}

BEHAVIOUR(maps_tell_what_areas_show) {
  struct stat st;
  int fd = file_with("shown", "some text"), memory = memfd_create("held", 0);
  char *file = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
  CHECK(file != MAP_FAILED && fstat(fd, &st) == 0 && shows(file, st.st_dev, st.st_ino, "/shown\n"));
  CHECK(ftruncate(memory, PAGE) == 0);
  char *held = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, memory, 0);
  CHECK(held != MAP_FAILED && fstat(memory, &st) == 0 && shows(held, st.st_dev, st.st_ino, "/memfd:held (deleted)\n"));
  char *shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED && shows(shared, makedev(0, 1), 0, "/dev/zero (deleted)\n"));
  int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
  char *segment = shmat(id, NULL, 0);
  CHECK(segment != (void *)-1 && shmctl(id, IPC_RMID, NULL) == 0);
  CHECK(shows(segment, makedev(0, 1), id, "/SYSV00000000 (deleted)\n"));
}

BEHAVIOUR(advice) {
  char *at = pages(4, RW);
  memset(at, 3, 4 * PAGE);
  int kinds[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK};
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) CHECK(madvise(at, 4 * PAGE, kinds[i]) == 0);
  CHECK(at[PAGE] == 3);
  FAILS(madvise(at + 1, PAGE, MADV_NORMAL), EINVAL);
  FAILS(madvise(at, PAGE, 9999), EINVAL);
  CHECK(madvise(at, PAGE, MADV_FREE) == 0 && (at[0] == 3 || at[0] == 0) && at[PAGE] == 3);
}

BEHAVIOUR(many_areas) {
  char *at = pages(60, RW);
  for (int i = 0; i < 60; i += 2) CHECK(mprotect(at + i * PAGE, PAGE, PROT_READ) == 0);
  for (int i = 1; i < 60; i += 2) at[i * PAGE] = i;
  for (int i = 0; i < 60; i += 2) CHECK(munmap(at + i * PAGE, PAGE) == 0);
  for (int i = 1; i < 60; i += 2) CHECK(at[i * PAGE] == (char)i);
}

BEHAVIOUR(zeros_of_a_device_are_shared) {
  int fd = open("/dev/zero", O_RDWR);
  volatile char *shared = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), *own = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
  volatile char *other = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
  shared[0] = own[0] = 1;
  pid_t child = fork();
  if (child == 0) {
    shared[1] = own[1] = 2;
    _exit(0);
  }
  reap(child, 0);
  CHECK(shared[0] == 1 && shared[1] == 2 && own[0] == 1 && own[1] == 0 && other[0] == 0);
}

BEHAVIOUR(sharing_to_read_stays_so) {
  close(file_with("a", "data"));
  int fd = open("a", O_RDONLY);
  char *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
  CHECK(at != MAP_FAILED && close(fd) == 0 && memcmp(at, "data", 4) == 0);
  FAILS(mprotect(at, 4096, RW), EACCES);
  /* Whoever may write the same file changes nothing about that. */
  int writes = open("a", O_RDWR);
  char *beside = mmap(NULL, 4096, PROT_READ, MAP_SHARED, writes, 0);
  CHECK(beside != MAP_FAILED && mprotect(beside, 4096, RW) == 0);
  memcpy(beside, "more", 4);
  CHECK(memcmp(at, "more", 4) == 0);
  FAILS(mprotect(at, 4096, RW), EACCES);
}

BEHAVIOUR(attachments_and_sealed_files_stay_read_only) {
  int id = shmget(IPC_PRIVATE, 4096, 0600);
  char *writes = shmat(id, NULL, 0), *reads = shmat(id, NULL, SHM_RDONLY);
  CHECK(id >= 0 && reads != (void *)-1 && mprotect(writes, 4096, PROT_READ) == 0 && mprotect(writes, 4096, RW) == 0);
  FAILS(mprotect(reads, 4096, RW), EACCES);
  CHECK(shmctl(id, IPC_RMID, NULL) == 0);
  int fd = memfd_create("mine", MFD_ALLOW_SEALING);
  CHECK(ftruncate(fd, 4096) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
  char *sealed = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  CHECK(sealed != MAP_FAILED && mprotect(sealed, 4096, RW) == 0);
}

BEHAVIOUR(limits_of_shared_memory) {
  struct shminfo limits;
  CHECK(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits) >= 0);
  CHECK(limits.shmall == strtoull(contents("/proc/sys/kernel/shmall"), NULL, 0));
  CHECK(limits.shmmax == strtoull(contents("/proc/sys/kernel/shmmax"), NULL, 0));
  CHECK(limits.shmmni == strtoull(contents("/proc/sys/kernel/shmmni"), NULL, 0));
}

/* Whether the pages of `length` bytes are there. */
static int is_there(char *at, size_t length) {
  unsigned char present[64];
  long page = sysconf(_SC_PAGESIZE);
  CHECK(length / page <= sizeof present && mincore(at, length, present) == 0);
  for (size_t i = 0; i < length / page; i++)
    if (!(present[i] & 1)) return 0;
  return 1;
}

BEHAVIOUR(what_is_mapped_later_is_locked_and_there) {
  size_t length = 128 * 1024;
  CHECK(mlockall(MCL_FUTURE) == 0);
  char *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED && is_there(at, length) && munmap(at, length) == 0);
  char *end = (char *)(((uintptr_t)sbrk(0) + 0xffff) & ~0xffffUL);
  CHECK(brk(end) == 0 && sbrk(length) == end && is_there(end, length) && brk(end) == 0);
  CHECK(mlockall(MCL_FUTURE | MCL_ONFAULT) == 0);
  at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED && !is_there(at, length) && munmap(at, length) == 0);
  CHECK(munlockall() == 0);
}

/* A heap that persists in a file wants the place that it had, wherever that was. */
BEHAVIOUR(a_free_place_that_is_wished_for_is_taken) {
  char *wished = sizeof(void *) == 8 ? (char *)(0x2aULL << 40) : (char *)0x31000000;
  size_t length = 4 << 20;
  int fd = memfd_create("heap", 0);
  CHECK(ftruncate(fd, length) == 0);
  char *at = mmap(wished, length, RW, MAP_SHARED, fd, 0);
  CHECK(at == wished);
  at[length - 1] = 5;
  CHECK(munmap(at, length) == 0);
  at = mmap(wished, length, RW, MAP_PRIVATE, fd, 0);
  CHECK(at == wished && at[length - 1] == 5 && munmap(at, length) == 0);
  at = mmap(wished, length, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(at == wished);
  char *other = mmap(wished + 4096, 4096, RW, MAP_SHARED, fd, 0);
  CHECK(other != MAP_FAILED && (other < wished || other >= wished + length));
}
