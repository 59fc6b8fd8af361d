/*
 * Carries and overflows: the extended additions and subtractions chained over several words, shifts that set CA, XER.
 * XER is shown without OV32 and CA32, which only ISA 3.0 has.
 */
#include "asm.h"

#define GET_XER(register) \
  mfxer register;         \
  rlwinm register, register, 0, 14, 11

#define XER_SHOW \
  GET_XER(27);   \
  SHOW(27)

/* One three-operand instruction on operands with CA set and clear; result and XER of each. */
#define BOTH(operation)     \
  lis 25, 0x2000;           \
  mtxer 25;                 \
  operation 26, 28, 29;     \
  GET_XER(24);              \
  li 25, 0;                 \
  mtxer 25;                 \
  operation 23, 28, 29;     \
  GET_XER(25);              \
  SHOW_FULL(26);            \
  SHOW(24);                 \
  SHOW_FULL(23);            \
  SHOW(25);                 \
  NEW_LINE

#define BOTH_ONE(operation) \
  lis 25, 0x2000;           \
  mtxer 25;                 \
  operation 26, 28;         \
  GET_XER(24);              \
  li 25, 0;                 \
  mtxer 25;                 \
  operation 23, 28;         \
  GET_XER(25);              \
  SHOW_FULL(26);            \
  SHOW(24);                 \
  SHOW_FULL(23);            \
  SHOW(25);                 \
  NEW_LINE

ENTRY
  BEGIN_OUTPUT
  li 28, -1
  li 29, 1
  bl all
  lis 28, 0x8000
  lis 29, 0x7fff
  ori 29, 29, 0xffff
  bl all

  /* 96-bit addition and subtraction, word by word. */
  li 20, -3
  li 21, -1
  li 22, 5
  li 23, 9
  li 24, 0
  li 25, 7
  addc 20, 20, 23
  adde 21, 21, 24
  adde 22, 22, 25
  SHOW_FULL(20)
  SHOW_FULL(21)
  SHOW_FULL(22)
  NEW_LINE
  subfc 20, 23, 20
  subfe 21, 24, 21
  subfe 22, 25, 22
  SHOW_FULL(20)
  SHOW_FULL(21)
  SHOW_FULL(22)
  NEW_LINE

  /* Shift right algebraic sets CA only when ones are lost from a negative number. */
  lis 28, 0x8000
  ori 28, 28, 4
  srawi 26, 28, 3
  XER_SHOW
  srawi 26, 28, 2
  XER_SHOW
  li 29, 40
  sraw 26, 28, 29
  XER_SHOW
  SHOW(26)
  addic 26, 28, -1
  XER_SHOW
  subfic 26, 28, 0
  XER_SHOW
  NEW_LINE
  WRITE_OUTPUT
  li 3, 200
  EXIT

all:
  mflr 19
  BOTH(addc)
  BOTH(addeo)
  BOTH(subfc)
  BOTH(subfeo)
  BOTH(addo)
  BOTH(subfo)
  BOTH(mullwo)
  BOTH(divwo)
  BOTH_ONE(addzeo)
  BOTH_ONE(addmeo)
  BOTH_ONE(subfzeo)
  BOTH_ONE(subfmeo)
  BOTH_ONE(nego)
  mtlr 19
  blr

OUTPUT_ROUTINES
