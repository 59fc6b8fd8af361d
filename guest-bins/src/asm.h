/*
 * What the assembly programs share: one source for both ABIs, an entry point, system calls, and output of numbers.
 * Registers: r31 is the output pointer within `buffer`; the macros clobber r0, r3 to r12 and CR0.
 */
#ifdef __powerpc64__
#define WORD 8
#define LOAD ld
#define STORE std
#define STORE_UPDATE stdu
#define COMPARE cmpd
#define CLEAR_HIGH(register) clrldi register, register, 32
#else
#define WORD 4
#define LOAD lwz
#define STORE stw
#define STORE_UPDATE stwu
#define COMPARE cmpw
#define CLEAR_HIGH(register)
#endif

#define SYS_WRITE 4
#define SYS_MMAP 90
#define SYS_EXIT_GROUP 234

/* Loads the address of a symbol; everything here is linked below 2 GiB. */
#define ADDRESS(register, symbol) \
  lis register, symbol@ha;        \
  addi register, register, symbol@l

/* Defines _start: a descriptor on ppc64 (ELFv1), the code itself on ppc32 and ppc64le. */
#if _CALL_ELF == 2
  .abiversion 2
#endif
#if defined(__powerpc64__) && _CALL_ELF != 2
#define ENTRY                       \
  .section ".opd", "aw";            \
  .balign 8;                        \
  .globl _start;                    \
  _start:;                          \
  .quad .L_start, .TOC.@tocbase, 0; \
  .text;                            \
  .L_start:
#else
#define ENTRY     \
  .text;          \
  .globl _start;  \
  _start:
#endif

/* Ends the program with the status in r3. */
#define EXIT             \
  li 0, SYS_EXIT_GROUP;  \
  sc

/* Writes `length` bytes at `symbol` to standard output. */
#define PRINT(symbol, length) \
  li 0, SYS_WRITE;            \
  li 3, 1;                    \
  ADDRESS(4, symbol);         \
  li 5, length;               \
  sc

/* Appends the 32-bit value of a register to the buffer as eight hexadecimal digits and a blank. */
#define SHOW(register) \
  mr 3, register;      \
  bl show_word

/* On ppc64 both halves of the register, on ppc32 the register. */
#ifdef __powerpc64__
#define SHOW_FULL(register) \
  mr 30, register;          \
  srdi 3, 30, 32;           \
  bl show_word;             \
  SHOW(30)
#else
#define SHOW_FULL(register) SHOW(register)
#endif

#define NEW_LINE  \
  li 3, 10;       \
  stb 3, 0(31);   \
  addi 31, 31, 1

/* The routine behind SHOW, the buffer, and what writes it out; once in each program that shows numbers. */
#define OUTPUT_ROUTINES            \
  .text;                           \
  show_word:;                      \
  li 4, 8;                         \
  mtctr 4;                         \
  1:;                              \
  rlwinm 3, 3, 4, 0, 31;           \
  andi. 4, 3, 15;                  \
  cmplwi 4, 10;                    \
  addi 4, 4, 48;                   \
  blt 2f;                          \
  addi 4, 4, 39;                   \
  2:;                              \
  stb 4, 0(31);                    \
  addi 31, 31, 1;                  \
  bdnz 1b;                         \
  li 4, 32;                        \
  stb 4, 0(31);                    \
  addi 31, 31, 1;                  \
  blr;                             \
  .section ".bss";                 \
  .balign 16;                      \
  buffer: .space 8192

#define BEGIN_OUTPUT ADDRESS(31, buffer)

#define WRITE_OUTPUT   \
  li 0, SYS_WRITE;     \
  li 3, 1;             \
  ADDRESS(4, buffer);  \
  subf 5, 4, 31;       \
  sc
