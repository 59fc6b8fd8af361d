/*
 * Executes single instructions on given register states: the guest side of the differential campaign.
 *
 * Standard input is a sequence of groups: two words (the instruction, and a no-op or its suffix), a word (the number of
 * states), the states; standard output the same states after the instruction. All in the guest's byte order. `slot` are
 * two instructions inside run_state (case-runner-entry.S) that are overwritten for each group. Registers 1, 2 and 13 are not the
 * case's to use. The 256 bytes at MEMORY are part of the state; the page after them is not mapped.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#define MEMORY ((unsigned char *)0x20000000)
#define MEMORY_AT (MEMORY + 4096 - 256)

struct state {
    uint64_t gpr[32];
    uint64_t cr, xer, lr, ctr;
    uint64_t vsr[64][2];
    uint64_t fpscr;
    uint64_t fault; /* signal << 8 | si_code, or 0 */
    uint64_t vscr[2];
    unsigned char memory[256];
};

/* What run_state works on: the same with registers of the machine's width. */
struct frame {
    unsigned long gpr[32];
    unsigned long cr, xer, lr, ctr;
    uint64_t vsr[64][2];
    uint64_t vscr[2];
    uint64_t fpscr;
};

extern void run_state(struct frame *);
extern uint32_t slot[];

static volatile uint64_t fault;

static void on_signal(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    fault = (uint64_t)signo << 8 | (info->si_code & 0xff);
#ifdef __powerpc64__
    uc->uc_mcontext.gp_regs[32] = (unsigned long)(slot + 2);
#else
    uc->uc_mcontext.uc_regs->gregs[32] = (unsigned long)(slot + 2);
#endif
}

static void read_fully(void *into, size_t n)
{
    if (fread(into, 1, n, stdin) != n)
        exit(n ? 1 : 0);
}

int main(void)
{
    static struct state s;
    static struct frame f __attribute__((aligned(16)));
    uint32_t head[3];
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
    int signals[] = { SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP };

    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, 0);
    prctl(PR_SET_FPEXC, PR_FP_EXC_DISABLED);
    uintptr_t page = (uintptr_t)slot & ~4095ul;
    if (mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) ||
        mmap(MEMORY, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MEMORY)
        return 2;
    while (fread(head, sizeof head, 1, stdin) == 1) {
        slot[0] = head[0];
        slot[1] = head[1];
        __asm__ volatile("dcbst 0,%0; sync; icbi 0,%0; sync; isync" : : "r"(slot) : "memory");
        for (uint32_t n = 0; n < head[2]; n++) {
            read_fully(&s, sizeof s);
            for (int i = 0; i < 32; i++)
                f.gpr[i] = s.gpr[i];
            f.cr = s.cr, f.xer = s.xer, f.lr = s.lr, f.ctr = s.ctr;
            memcpy(f.vsr, s.vsr, sizeof f.vsr);
            memcpy(f.vscr, s.vscr, sizeof f.vscr);
            f.fpscr = s.fpscr;
            memcpy(MEMORY_AT, s.memory, 256);
            fault = 0;
            run_state(&f);
            for (int i = 0; i < 32; i++)
                s.gpr[i] = f.gpr[i];
            s.cr = f.cr, s.xer = f.xer, s.lr = f.lr, s.ctr = f.ctr;
            memcpy(s.vsr, f.vsr, sizeof f.vsr);
            memcpy(s.vscr, f.vscr, sizeof f.vscr);
            s.fpscr = f.fpscr;
            s.fault = fault;
            memcpy(s.memory, MEMORY_AT, 256);
            fwrite(&s, sizeof s, 1, stdout);
        }
        fflush(stdout);
    }
    return 0;
}
