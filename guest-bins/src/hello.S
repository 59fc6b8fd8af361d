/* The smallest program that says something: two system calls. */
#include "asm.h"

ENTRY
  PRINT(text, 6)
  li 3, 0
  EXIT

  .section ".rodata"
text:
  .ascii "hello\n"
