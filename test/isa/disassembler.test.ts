import { describe, expect, it } from "vitest";
import { disassemble } from "../../emu/isa/disassembler.ts";

describe("disassemble", () => {
  // Text as objdump 2.40 gives it, for an instruction at 0x10000100.
  it.each([
    [0x60000000, "nop"],
    [0x4e800020, "blr"],
    [0x4e800421, "bctrl"],
    [0x38600005, "li      r3,5"],
    [0x3c40fff0, "lis     r2,-16"],
    [0x3864fffb, "addi    r3,r4,-5"],
    [0x7c7f1b78, "mr      r31,r3"],
    [0x7c7f1b79, "mr.     r31,r3"],
    [0x7c6318f8, "not     r3,r3"],
    [0x7c0802a6, "mflr    r0"],
    [0x7c6903a6, "mtctr   r3"],
    [0x80610008, "lwz     r3,8(r1)"],
    [0x80600008, "lwz     r3,8(0)"],
    [0x7c60202e, "lwzx    r3,0,r4"],
    [0x2c090000, "cmpwi   r9,0"],
    [0x2faa0007, "cmpdi   cr7,r10,7"],
    [0x41820010, "beq     10000110"],
    [0x41c20010, "beq-    10000110"],
    [0x40de0010, "bne-    cr7,10000110"],
    [0x40fe0010, "bne+    cr7,10000110"],
    [0x4bffff01, "bl      10000000"],
    [0x48000103, "bla     100"],
    [0x4200fffc, "bdnz    100000fc"],
    [0x4320fffc, "bdnz+   100000fc"],
    [0x4dbe0020, "beqlr+  cr7"],
    [0x4d820420, "beqctr"],
    [0x54641038, "rlwinm  r4,r3,2,0,28"],
    [0x5464103a, "slwi    r4,r3,2"],
    [0x5464f0be, "srwi    r4,r3,2"],
    [0x78640020, "clrldi  r4,r3,32"],
    [0x786445e4, "sldi    r4,r3,8"],
    [0x7fe00008, "trap"],
    [0x0fe30001, "twui    r3,1"],
    [0x7c0004ac, "hwsync"],
    [0x7c2004ac, "lwsync"],
    [0x4cc63182, "crclr   4*cr1+eq"],
    [0x7c642f5e, "isel    r3,r4,r5,4*cr7+gt"],
    [0x7c64289e, "iseleq  r3,r4,r5"],
    [0xf0221250, "xxswapd vs1,vs2"],
    [0x7c6005aa, "stswi   r3,0,32"],
    [0x00000000, ".long 0x0"],
    [0x7c632215, "add.    r3,r3,r4"],
    [0x7c6021ae ^ 1, ".long 0x7c6021af"],
  ] as const)("writes %o as %s", (word, text) => {
    expect(disassemble(word, 0x10000100)).toBe(text);
  });

  it("wraps branch targets at the width of an address", () => {
    expect(disassemble(0x4bfffffc, 0)).toBe("b       fffffffc");
    expect(disassemble(0x4bfffffc, 0n, { is64: true })).toBe("b       fffffffffffffffc");
    expect(disassemble(0x48000008, 0xc000000000000000n, { is64: true })).toBe("b       c000000000000008");
  });
});
