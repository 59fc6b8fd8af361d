/* Load and store multiple, the string instructions of every length (lswi, stswi, lswx, stswx), and byte-reversed access. The
   assembler knows the first two in big-endian mode only.
   Targets: ppc32 ppc64 */
#include "asm.h"

ENTRY
  BEGIN_OUTPUT
  ADDRESS(29, source)
  ADDRESS(28, target)

  /* Multiple: r20 to r31 from memory, two of them changed, to another place; then a shorter one from there. */
  mr 10, 31
  mr 9, 29
  mr 8, 28
  lmw 20, 0(9)
  add 20, 20, 27
  xor 27, 27, 21
  stmw 20, 0(8)
  lmw 27, 20(8)
  add 20, 27, 30
  xor 21, 28, 31
  mr 31, 10
  mr 29, 9
  mr 28, 8
  SHOW(20)
  SHOW(21)
  lwz 26, 0(28)
  SHOW(26)
  NEW_LINE

  /* String immediate: 13 bytes into r20 to r23, left justified, the rest of r23 cleared. */
  li 23, -1
  addi 3, 29, 3
  lswi 20, 3, 13
  addi 4, 28, 5
  stswi 20, 4, 11
  SHOW(20)
  SHOW(23)
  lwz 26, 4(28)
  SHOW(26)
  lwz 26, 12(28)
  SHOW(26)
  NEW_LINE

  /* String indexed: every count from 0 to 17. */
  li 25, 0
1:
  mtxer 25
  li 14, 0x111
  li 15, 0x222
  li 16, 0x333
  li 17, 0x444
  li 18, 0x555
  li 3, 1
  lswx 14, 3, 29
  stswx 14, 25, 28
  add 26, 14, 15
  xor 26, 26, 16
  add 26, 26, 17
  xor 26, 26, 18
  SHOW(26)
  lwzx 26, 25, 28
  SHOW(26)
  NEW_LINE
  addi 25, 25, 1
  cmpwi 25, 18
  blt 1b

  /* Byte-reversed loads and stores. */
  li 3, 2
  lwbrx 20, 3, 29
  lhbrx 21, 0, 29
  stwbrx 20, 0, 28
  sthbrx 21, 3, 28
  lwz 22, 0(28)
  SHOW(20)
  SHOW(21)
  SHOW(22)
  NEW_LINE

  /* Update forms leave the address in the base register. */
  mr 20, 29
  lwzu 21, 4(20)
  lhau 22, 2(20)
  lbzu 23, -1(20)
  li 24, 7
  lhzux 25, 20, 24
  subf 20, 29, 20
  SHOW(20)
  SHOW(21)
  SHOW(22)
  SHOW(23)
  SHOW(25)
  NEW_LINE

  mfxer 20
  SHOW(20)
  NEW_LINE
  WRITE_OUTPUT
  li 3, 17
  EXIT

  .section ".rodata"
  .balign 16
source:
  .long 0x01234567, 0x89abcdef, 0xfedcba98, 0x76543210, 0x0f1e2d3c, 0x4b5a6978, 0x8796a5b4, 0xc3d2e1f0
  .ascii "and some letters for the tail"

  .section ".bss"
  .balign 16
target:
  .space 128

OUTPUT_ROUTINES
