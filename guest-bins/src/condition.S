/* The condition register: logical operations on its bits, fields moved and copied, compares, branches on CTR and both. */
#include "asm.h"

/* All of CR after one logical operation on a known CR; cr0 is left for the output routine. */
#define LOGIC(operation)  \
  mtcr 28;                \
  operation 8, 5, 10;     \
  operation 13, 4, 4;     \
  operation 31, 30, 29;   \
  mfcr 27;                \
  SHOW(27)

ENTRY
  BEGIN_OUTPUT
  lis 28, 0x5a3c
  ori 28, 28, 0x96e1
  LOGIC(crand)
  LOGIC(cror)
  LOGIC(crxor)
  LOGIC(crnand)
  NEW_LINE
  LOGIC(crnor)
  LOGIC(creqv)
  LOGIC(crandc)
  LOGIC(crorc)
  NEW_LINE

  /* Fields. */
  mtcr 28
  mcrf 2, 7
  mcrf 6, 1
  mtcrf 0x21, 29
  mfcr 27
  rlwinm 27, 27, 0, 0, 27
  SHOW(27)
  li 26, -1
  mtcr 28
  mtocrf 0x10, 26
  mfocrf 27, 0x10
  rlwinm 27, 27, 0, 12, 15
  SHOW(27)
  NEW_LINE

  /* Compares in every flavour, into cr1, cr5, cr6, cr7. */
  li 25, -1
  CLEAR_HIGH(25)
  li 24, 5
  mtcr 28
  cmpw cr1, 25, 24
  cmplw cr5, 25, 24
  cmpwi cr6, 24, 5
  cmplwi cr7, 24, 6
  mfcr 27
  SHOW(27)
  mtcr 28
  COMPARE cr1, 24, 25
  andi. 26, 24, 2
  addic. 26, 24, -6
  mfcr 27
  SHOW(27)
  NEW_LINE

  /* Branches: counted, counted with a condition, to the count register and the link register. */
  li 26, 0
  li 25, 10
  mtctr 25
1:
  addi 26, 26, 3
  cmpwi 26, 21
  bdnzf 2, 1b /* while CTR is not zero and cr0 is not equal */
  mfctr 25
  SHOW(26)
  SHOW(25)
  bl 2f
2:
  mflr 24
  addi 24, 24, 6f - 2b
  mtctr 24
  mtlr 24
  bctr
  li 26, 1
6:
  crset 30
  bc 12, 30, 7f
  li 26, 2
7:
  crclr 30
  bf 30, 8f
  li 26, 3
8:
  SHOW(26)
  NEW_LINE

  /* Summary overflow follows into cr0 with the dot forms, and into compares. */
  lis 24, 0x7fff
  ori 24, 24, 0xffff
  li 25, 0
  mtxer 25
#ifdef __powerpc64__
  sldi 24, 24, 32
  oris 24, 24, 0xffff
  ori 24, 24, 0xffff
#endif
  addo. 26, 24, 24
  mfcr 27
  rlwinm 27, 27, 4, 28, 31
  SHOW(27)
  li 24, 1
  addo. 26, 24, 24
  mfcr 27
  rlwinm 27, 27, 4, 28, 31
  SHOW(27)
  mfxer 27
  SHOW(27)
  NEW_LINE
  WRITE_OUTPUT
  li 3, 3
  EXIT

OUTPUT_ROUTINES
