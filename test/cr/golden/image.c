/*
 * Writes the worked example of docs/image-format.md as a kernel with the patch would: C structs, laid out by a
 * powerpc compiler. The images beside this file are its output:
 *
 *   powerpc-linux-gnu-gcc -static -o image image.c && qemu-ppc ./image > ppc32.img
 *   powerpc64-linux-gnu-gcc -static -o image image.c && qemu-ppc64 ./image > ppc64.img
 *   powerpc64-linux-gnu-gcc -static -DTS_FPRWIDTH=2 -o image image.c && qemu-ppc64 ./image > ppc64-vsx.img
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <asm/ptrace.h>

#ifndef TS_FPRWIDTH
#define TS_FPRWIDTH 1
#endif
#ifdef __powerpc64__
#define MACHINE "ppc64"
#else
#define MACHINE "ppc"
#endif

typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

struct cr_hdr { int16_t type, len; u32 parent; };
struct head {
	u64 magic;
	u16 major, minor, patch, rev;
	u64 time, flags;
	char release[64], version[64], machine[64];
} __attribute__((aligned(8)));
struct dummy { u32 unimplemented; };
struct tree { u32 tasks_nr; } __attribute__((aligned(8)));
struct pids { int32_t vpid, vtgid, vppid; } __attribute__((aligned(8)));
struct task { u32 state, exit_state, exit_code, exit_signal; int32_t comm_len; } __attribute__((aligned(8)));
struct mm {
	u32 objref, map_count;
	u64 start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	u64 arg_start, arg_end, env_start, env_end;
} __attribute__((aligned(8)));
struct vma { u32 type, padding; u64 start, end, prot, flags, pgoff; } __attribute__((aligned(8)));
struct pgarr { u64 nr_pages; } __attribute__((aligned(8)));
struct files { u32 objref, nfds; } __attribute__((aligned(8)));
struct fd_ent { u32 objref; int32_t fd; u32 close_on_exec; } __attribute__((aligned(8)));
struct fd_data { u16 type, mode; u32 flags; u64 pos, version; } __attribute__((aligned(8)));
struct tail { u64 magic; } __attribute__((aligned(8)));
struct cpu {
	struct pt_regs regs;
	double fpr[32][TS_FPRWIDTH];
	unsigned int fpscr;
	int fpexc_mode;
	unsigned long dabr;
};

static void record(int type, u32 parent, const void *payload, int len)
{
	struct cr_hdr h = { type, len, parent };
	fwrite(&h, sizeof h, 1, stdout);
	fwrite(payload, len, 1, stdout);
}
#define RECORD(type, parent, payload) record(type, parent, &(payload), sizeof(payload))

static const struct dummy beef = { 0xdeadbeef };
static const struct pgarr none = { 0 };

static void name(const char *path)
{
	record(5, 0, path, strlen(path) + 1);
}

static void page(unsigned long address)
{
	struct pgarr one = { 1 };
	unsigned char contents[4096];
	for (int at = 0; at < 4096; at++)
		contents[at] = address / 4096 * 31 + at * 7 + (at >> 8);
	RECORD(203, 0, one);
	fwrite(&address, sizeof address, 1, stdout);
	fwrite(contents, sizeof contents, 1, stdout);
}

static void cpu(u32 pid)
{
	struct cpu c;
	memset(&c, 0, sizeof c);
	for (int n = 0; n < 32; n++) {
		u64 bits = (u64)n << 52;
		c.regs.gpr[n] = (unsigned long)(n * 0x0101010101010101ull);
		memcpy(&c.fpr[n][0], &bits, 8);
	}
	c.regs.orig_gpr3 = c.regs.gpr[3];
	c.regs.nip = 0x10000400;
	c.regs.ctr = 0x10000500;
	c.regs.link = 0x10000600;
	c.regs.xer = 0x20000011;
	c.regs.ccr = 0x24000028;
	c.regs.trap = 0x900;
#ifdef __powerpc64__
	c.regs.msr = 0x800000000000d032;
	c.regs.softe = 1;
#else
	c.regs.msr = 0xd032;
#endif
	c.fpscr = 0x82004000;
	c.fpexc_mode = 0x900;
	RECORD(104, pid, c);
}

int main(void)
{
	const u32 pid = 1234;
	struct head head = { 0x00feed0cc0a2d200, 2, 6, 28, 3, 0x497f3d00, 1, "6.1.0", "#1", MACHINE };
	struct tree tree = { 1 };
	struct pids pids = { pid, pid, 1 };
	struct task task = { 0, 0, 0, 17, 16 };
	char comm[16] = "self";
	struct mm mm = { 0, 2, 0x10000000, 0x10000800, 0x10010000, 0x10010100, 0x10020000, 0x10020000,
		0xbffff000, 0xbffff100, 0xbffff110, 0xbffff110, 0xbffff200 };
	struct vma text = { 2, 0, 0x10000000, 0x10001000, 0, 0x08001875, 0 };
	struct vma data = { 1, 0, 0x10010000, 0x10011000, 0, 0x00100073, 0x10010 };
	struct files files = { 0, 1 };
	struct fd_ent entry = { 1, 0, 0 };
	struct fd_data file = { 1, 0x1f, 0200002, 0, 0 };
	struct tail tail = { 0x002d2a0cc0deef00 };

	RECORD(1, 0, head);
	RECORD(2, 0, beef);
	RECORD(101, 0, tree);
	fwrite(&pids, sizeof pids, 1, stdout);
	RECORD(102, 0, task);
	RECORD(4, 0, comm);
	RECORD(201, pid, mm);
	RECORD(202, 0, text);
	name("/tmp/self");
	RECORD(203, 0, none);
	RECORD(202, 0, data);
	page(0x10010000);
	RECORD(203, 0, none);
	RECORD(204, 0, beef);
	RECORD(301, pid, files);
	RECORD(302, 0, entry);
	RECORD(303, 1, file);
	name("/tmp/out.self");
	RECORD(103, pid, beef);
	cpu(pid);
	RECORD(5001, 0, tail);
	return 0;
}
