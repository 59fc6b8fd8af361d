/*
 * Position-independent and static, without a C library: finds its own load address in the auxiliary vector, applies
 * its relative relocations, and checks that pointers in data then lead where they should.
 * Build: -nostdlib -nostartfiles -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -Wl,-z,max-page-size=4096 -Wl,-z,noseparate-code
 * Variants: pie
 */
#include <elf.h>

#ifdef __powerpc64__
typedef Elf64_Ehdr Header;
typedef Elf64_Phdr Segment;
typedef Elf64_Dyn Dynamic;
typedef Elf64_Rela Relocation;
#define RELOCATION_TYPE ELF64_R_TYPE
#else
typedef Elf32_Ehdr Header;
typedef Elf32_Phdr Segment;
typedef Elf32_Dyn Dynamic;
typedef Elf32_Rela Relocation;
#define RELOCATION_TYPE ELF32_R_TYPE
#endif
typedef unsigned long word;

enum { WRITE = 4, EXIT_GROUP = 234, RELATIVE = 22 };

static long call(word number, word a, const void *b, word c) {
  register word r0 __asm__("r0") = number, r3 __asm__("r3") = a, r5 __asm__("r5") = c;
  register const void *r4 __asm__("r4") = b;
  __asm__ volatile("sc" : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5) : : "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "memory");
  return (long)r3;
}

static void print(const char *text) {
  word length = 0;
  while (text[length]) length++;
  call(WRITE, 1, text, length);
}

static int first(int n) { return n + 1; }
static int second(int n) { return n * 2; }

/* Each of these words needs a relocation. */
static const char *volatile names[] = {"alpha\n", "beta\n", "gamma\n"};
static int (*volatile functions[])(int) = {first, second, first};
static const char *volatile *volatile indirect = &names[1];

static int relocate(char *base, const Dynamic *dynamic) {
  const Relocation *table = 0;
  word size = 0, count = 0;
  for (; dynamic->d_tag != DT_NULL; dynamic++) {
    if (dynamic->d_tag == DT_RELA) table = (const Relocation *)(base + dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_RELASZ) size = dynamic->d_un.d_val;
  }
  for (; count < size / sizeof *table; count++) {
    if (RELOCATION_TYPE(table[count].r_info) != RELATIVE) return -1;
    *(word *)(base + table[count].r_offset) = (word)base + table[count].r_addend;
  }
  return (int)count;
}

static int start(word *stack) {
  word *entry = stack + 1 + stack[0] + 1; /* past argc and argv to the environment */
  const Segment *segments = 0;
  word count = 0;
  while (*entry++) continue;
  for (; entry[0] != AT_NULL; entry += 2) {
    if (entry[0] == AT_PHDR) segments = (const Segment *)entry[1];
    if (entry[0] == AT_PHNUM) count = entry[1];
  }
  char *base = (char *)segments - sizeof(Header);
  const Dynamic *dynamic = 0;
  for (word i = 0; i < count; i++)
    if (segments[i].p_type == PT_DYNAMIC) dynamic = (const Dynamic *)(base + segments[i].p_vaddr);
  if (dynamic == 0 || relocate(base, dynamic) <= 0) return 1;
  for (int i = 0; i < 3; i++) print(names[i]);
  print(*indirect);
  return functions[0](20) + functions[1](10) + functions[2](0);
}

__attribute__((noreturn)) void _start(void) {
  word *frame = __builtin_frame_address(0); /* its back chain is the stack pointer the kernel gave */
  call(EXIT_GROUP, start((word *)frame[0]), 0, 0);
  for (;;) continue;
}
