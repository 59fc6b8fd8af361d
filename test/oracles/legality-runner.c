/*
 * Which instructions a processor of qemu-user's has: standard input are pairs of words (an instruction, and a no-op or its
 * suffix), standard output has a byte for each, 1 where it raised SIGILL. Whatever else an instruction does is over with the
 * trap behind it, whose handler jumps back. Registers 1, 2 and 13 are not to be changed.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

static sigjmp_buf back;

static void on_signal(int signo)
{
    siglongjmp(back, signo);
}

#define ZEROS ".irp n,3,4,5,6,7,8,9,10,11,12,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31; li \\n,0; .endr;"

/* With zeros in the registers, so that loads and stores reach nothing of the program's. */
static void execute(const uint32_t *at)
{
    __asm__ volatile("mtctr %0; li 0,0;" ZEROS "bctr" : : "r"(at) : "ctr", "memory");
}

int main(void)
{
    static char stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
    int signals[] = { SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP };
    uint32_t words[2];

    sigaltstack(&alternate, 0);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, 0);
    setvbuf(stdout, 0, _IONBF, 0);
    uint32_t *slot = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    while (fread(words, sizeof words, 1, stdin) == 1) {
        slot[0] = words[0];
        slot[1] = words[1];
        slot[2] = 0x7fe00008; /* trap */
        __asm__ volatile("dcbst 0,%0; sync; icbi 0,%0; sync; isync" : : "r"(slot) : "memory");
        int signo = sigsetjmp(back, 1);
        if (signo == 0)
            execute(slot);
        putchar(signo == SIGILL);
    }
    return 0;
}
