/* Reservations: load-and-reserve with conditional stores that succeed, fail without one, fail after another address, and loops. */
#include "asm.h"

/* CR0 after a conditional store, as four bits. */
#define SHOW_CR0          \
  mfcr 27;                \
  rlwinm 27, 27, 4, 28, 31; \
  SHOW(27)

ENTRY
  BEGIN_OUTPUT
  ADDRESS(28, cell)
  li 26, 77
  li 25, 0
  mtxer 25

  /* Load, store: succeeds. A second store without a new reservation: fails. */
  lwarx 24, 0, 28
  stwcx. 26, 0, 28
  SHOW_CR0
  li 26, 78
  stwcx. 26, 0, 28
  SHOW_CR0
  lwz 24, 0(28)
  SHOW(24)
  NEW_LINE

  /* A store to another place ends the reservation without storing. */
  li 23, 128
  lwarx 24, 0, 28
  stwcx. 26, 23, 28
  SHOW_CR0
  lwz 24, 128(28)
  SHOW(24)
  stwcx. 26, 0, 28
  SHOW_CR0
  NEW_LINE

  /* The summary overflow bit goes along. */
  lis 25, 0x8000
  mtxer 25
  lwarx 24, 0, 28
  stwcx. 26, 0, 28
  SHOW_CR0
  li 25, 0
  mtxer 25
  NEW_LINE

  /* Loops: add a hundred numbers atomically, exchange, and keep the largest. */
  li 22, 100
1:
  lwarx 24, 0, 28
  add 24, 24, 22
  stwcx. 24, 0, 28
  bne- 1b
  addic. 22, 22, -1
  bne 1b
  lwz 24, 0(28)
  SHOW(24)
  li 22, 9999
2:
  lwarx 24, 0, 28
  cmpw 24, 22
  bge 3f
  stwcx. 22, 0, 28
  bne- 2b
3:
  lwz 24, 0(28)
  SHOW(24)
  NEW_LINE

#ifdef __powerpc64__
  /* Doublewords. */
  li 22, -2
  sldi 22, 22, 20
4:
  ldarx 24, 0, 28
  add 24, 24, 22
  stdcx. 24, 0, 28
  bne- 4b
  SHOW_CR0
  ld 24, 0(28)
  SHOW_FULL(24)
  NEW_LINE
#endif
  lwsync
  eieio
  sync
  WRITE_OUTPUT
  li 3, 64
  EXIT

  .data
  .balign 128
cell:
  .space 256

OUTPUT_ROUTINES
