/* Code that writes code: stores an instruction, makes it visible with dcbst, sync, icbi, isync, and runs it, many times over. */
#include "asm.h"

#define MAKE_VISIBLE \
  dcbst 0, 28;       \
  sync;              \
  icbi 0, 28;        \
  sync;              \
  isync

ENTRY
  BEGIN_OUTPUT
  /* One page for reading, writing and executing. */
  li 0, SYS_MMAP
  li 3, 0
  li 4, 4096
  li 5, 7
  li 6, 0x22
  li 7, -1
  li 8, 0
  sc
  bso failed
  mr 28, 3

  /* addi 3,3,N then blr, with a new N every time round. */
  lis 27, 0x4e80
  ori 27, 27, 0x0020
  stw 27, 4(28)
  lis 26, 0x3863
  li 25, 0
  li 24, 1
1:
  add 23, 26, 24
  stw 23, 0(28)
  MAKE_VISIBLE
  mr 3, 25
  mtctr 28
  bctrl
  mr 25, 3
  addi 24, 24, 1
  cmpwi 24, 100
  ble 1b
  SHOW(25)
  NEW_LINE

  /* The same place becomes a subtraction, a negation, and a loop that changes its own second half as it runs. */
  lis 26, 0x3863
  ori 26, 26, 0xff9c
  bl run_one
  SHOW(25)
  lis 26, 0x7c63
  ori 26, 26, 0x00d0
  bl run_one
  SHOW(25)
  NEW_LINE

  /* Patch an instruction of this very program's page copy: a routine copied to the page and called there. */
  ADDRESS(20, routine)
  li 21, (routine_end - routine) / 4
  mtctr 21
  subi 20, 20, 4
  subi 22, 28, 4
2:
  lwzu 21, 4(20)
  stwu 21, 4(22)
  bdnz 2b
  MAKE_VISIBLE
  mtctr 28
  li 3, 0
  mr 4, 28
  bctrl
  mr 25, 3
  SHOW(25)
  NEW_LINE
  WRITE_OUTPUT
  li 3, 11
  EXIT
failed:
  li 3, 1
  EXIT

/* Runs the instruction in r26 on the value in r25. */
run_one:
  mflr 19
  stw 26, 0(28)
  MAKE_VISIBLE
  mr 3, 25
  mtctr 28
  bctrl
  mr 25, 3
  mtlr 19
  blr

/* Ten rounds; in each the addi at `patched` adds one more than in the last, because the loop rewrites it. r4: where it is. */
routine:
  li 5, 10
3:
patched:
  addi 3, 3, 1
  lwz 6, patched - routine(4)
  addi 6, 6, 1
  stw 6, patched - routine(4)
  addi 7, 4, patched - routine
  dcbst 0, 7
  sync
  icbi 0, 7
  sync
  isync
  addic. 5, 5, -1
  bne 3b
  blr
routine_end:

OUTPUT_ROUTINES
