/* void run_state(struct frame *): loads the registers, executes `slot`, stores the registers. */
#ifdef __powerpc64__
#define L ld
#define S std
#define SU stdu
#define W 8
#define LR_SAVE 16
#else
#define L lwz
#define S stw
#define SU stwu
#define W 4
#define LR_SAVE 4
#endif
#define FRAME 512
#define SAVED_GPR 112           /* r14..r31 */
#define SAVED_FPR 272           /* f14..f31 */
#define SAVED_CR 424
#define STATE 432
#define SCRATCH 440
#define CR_AT (32 * W)
#define VSR_AT (36 * W)
#define VSCR_AT (VSR_AT + 1024)
#define FPSCR_AT (VSCR_AT + 16)

/* Moves between VSRs and the frame: first doubleword 0, then doubleword 1, in both byte orders. 32-bit runners have Altivec only. */
#ifdef __powerpc64__
#define LOAD_VR(n) lxvd2x 32 + n, 31, 0
#define STORE_VR(n) stxvd2x 32 + n, 31, 0
#else
#define LOAD_VR(n) lvx n, 31, 0
#define STORE_VR(n) stvx n, 31, 0
#endif
    .macro load_vsrs
    li 0, VSCR_AT
    LOAD_VR(0)
    mtvscr 0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    li 0, VSR_AT + 16 * (32 + \n)
    LOAD_VR(\n)
#ifdef __powerpc64__
    li 0, VSR_AT + 16 * \n
    lxvd2x \n, 31, 0
#else
    lfd \n, VSR_AT + 16 * \n(31)
#endif
    .endr
    .endm
    .macro store_vsrs
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    li 0, VSR_AT + 16 * (32 + \n)
    STORE_VR(\n)
#ifdef __powerpc64__
    li 0, VSR_AT + 16 * \n
    stxvd2x \n, 31, 0
#else
    stfd \n, VSR_AT + 16 * \n(31)
#endif
    .endr
    mfvscr 0
    li 0, VSCR_AT
    STORE_VR(0)
    .endm

    .machine "any"
    .text
    .balign 64
    .globl slot
#if defined(__powerpc64__) && _CALL_ELF != 2
    .section ".opd", "aw"
    .balign 8
    .globl run_state
run_state:
    .quad .run_state, .TOC.@tocbase, 0
    .type run_state, @function
    .text
.run_state:
#else
#if _CALL_ELF == 2
    .abiversion 2
#endif
    .globl run_state
    .type run_state, @function
run_state:
#endif
    mflr 0
    S 0, LR_SAVE(1)
    SU 1, -FRAME(1)
    .irp n, 14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    S \n, SAVED_GPR + (\n - 14) * W(1)
    stfd \n, SAVED_FPR + (\n - 14) * 8(1)
    .endr
    mfcr 0
    stw 0, SAVED_CR(1)
    S 3, STATE(1)
    mr 31, 3
    lfd 0, FPSCR_AT(31)
    mtfsf 0xff, 0
    load_vsrs
    L 0, CR_AT(31)
    mtcrf 0xff, 0
    L 0, CR_AT + W(31)
    mtxer 0
    L 0, CR_AT + 2 * W(31)
    mtlr 0
    L 0, CR_AT + 3 * W(31)
    mtctr 0
    .irp n, 0,3,4,5,6,7,8,9,10,11,12,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    L \n, \n * W(31)
    .endr
    L 31, 31 * W(31)
    b slot
    .balign 64
slot:
    nop
    nop
    S 31, SCRATCH(1)
    L 31, STATE(1)
    .irp n, 0,3,4,5,6,7,8,9,10,11,12,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    S \n, \n * W(31)
    .endr
    L 0, SCRATCH(1)
    S 0, 31 * W(31)
    mfcr 0
    S 0, CR_AT(31)
    mfxer 0
    S 0, CR_AT + W(31)
    mflr 0
    S 0, CR_AT + 2 * W(31)
    mfctr 0
    S 0, CR_AT + 3 * W(31)
    store_vsrs
    mffs 0
    stfd 0, FPSCR_AT(31)
    li 0, 0
    stw 0, SCRATCH(1)
    stw 0, SCRATCH + 4(1)
    lfd 0, SCRATCH(1)
    mtfsf 0xff, 0
    lwz 0, SAVED_CR(1)
    mtcrf 0xff, 0
    .irp n, 14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    L \n, SAVED_GPR + (\n - 14) * W(1)
    lfd \n, SAVED_FPR + (\n - 14) * 8(1)
    .endr
    addi 1, 1, FRAME
    L 0, LR_SAVE(1)
    mtlr 0
    blr
#ifndef __powerpc64__
    .section .note.GNU-stack, "", @progbits
#endif
