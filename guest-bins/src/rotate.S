/* Rotates with masks of every shape, inserts, shifts by any amount, counts of leading zeros, sign extension, multiplication. */
#include "asm.h"

#define R1(instruction...)  \
  instruction;              \
  SHOW_FULL(26)

ENTRY
  BEGIN_OUTPUT
  lis 28, 0x9abc
  ori 28, 28, 0xdef1
  CLEAR_HIGH(28)
  lis 29, 0x1357
  ori 29, 29, 0x9bdf
  li 25, 13
  li 24, 45
  R1(rlwinm 26, 28, 4, 8, 23)
  R1(rlwinm 26, 28, 31, 24, 7)
  R1(rlwinm 26, 28, 16, 0, 31)
  R1(rlwinm 26, 28, 0, 31, 0)
  NEW_LINE
  mr 26, 29
  R1(rlwimi 26, 28, 12, 4, 19)
  mr 26, 29
  R1(rlwimi 26, 28, 5, 28, 3)
  R1(rlwnm 26, 28, 25, 2, 30)
  R1(rlwnm 26, 28, 24, 20, 10)
  NEW_LINE
  R1(slw 26, 28, 25)
  R1(slw 26, 28, 24)
  R1(srw 26, 28, 25)
  R1(srw 26, 28, 24)
  R1(sraw 26, 28, 25)
  R1(srawi 26, 28, 31)
  NEW_LINE
  R1(cntlzw 26, 28)
  R1(cntlzw 26, 29)
  R1(extsb 26, 28)
  R1(extsh 26, 28)
  R1(mulhw 26, 28, 29)
  R1(mulhwu 26, 28, 29)
  R1(mullw 26, 28, 29)
  R1(mulli 26, 28, -77)
  NEW_LINE
  R1(nand 26, 28, 29)
  R1(nor 26, 28, 29)
  R1(eqv 26, 28, 29)
  R1(andc 26, 28, 29)
  R1(orc 26, 28, 29)
  R1(xoris 26, 28, 0xffff)
  R1(divw 26, 28, 25)
  R1(divwu 26, 28, 25)
  NEW_LINE
#ifdef __powerpc64__
  sldi 28, 28, 29
  oris 28, 28, 0x8001
  R1(rldicl 26, 28, 11, 20)
  R1(rldicr 26, 28, 53, 40)
  R1(rldic 26, 28, 9, 13)
  mr 26, 29
  R1(rldimi 26, 28, 17, 30)
  NEW_LINE
  R1(rldcl 26, 28, 24, 7)
  R1(rldcr 26, 28, 25, 50)
  R1(sld 26, 28, 24)
  R1(srd 26, 28, 24)
  li 23, 100
  R1(sld 26, 28, 23)
  R1(srad 26, 28, 23)
  R1(sradi 26, 28, 63)
  NEW_LINE
  R1(cntlzd 26, 29)
  R1(extsw 26, 28)
  R1(mulhd 26, 28, 29)
  R1(mulhdu 26, 28, 29)
  R1(mulld 26, 28, 29)
  R1(divd 26, 28, 29)
  R1(divdu 26, 28, 29)
  NEW_LINE
#endif
  WRITE_OUTPUT
  li 3, 0
  EXIT

OUTPUT_ROUTINES
