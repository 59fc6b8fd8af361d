/** Branch, condition register and system call instructions: Power ISA 3.0B, Book I, chapter 2. */
import { lazily } from "../../lazily.ts";
import { aalk, B, fix, group, I, lk, SC, XL } from "../forms.ts";

export const BRANCH = lazily(() => [
  ...group("I.2.4", "P1", "base", true, [
    ["b", aalk(I(18)), "LI", "Branch"],
    ["bc", aalk(B(16)), "BO,BI,BD", "Branch Conditional"],
    ["bclr", lk(XL(19, 16)), "BO,BI,BH", "Branch Conditional to Link Register"],
    ["bcctr", lk(XL(19, 528)), "BO,BI,BH", "Branch Conditional to Count Register"],
    [
      "bctar",
      lk(XL(19, 560)),
      "BO,BI,BH",
      "Branch Conditional to Branch Target Address Register",
      { version: "2.07" },
    ],
  ]),
  ...group("I.2.5.1", "P1", "base", true, [
    ["crand", XL(19, 257), "BT,BA,BB", "Condition Register AND"],
    ["crnand", XL(19, 225), "BT,BA,BB", "Condition Register NAND"],
    ["cror", XL(19, 449), "BT,BA,BB", "Condition Register OR"],
    ["crxor", XL(19, 193), "BT,BA,BB", "Condition Register XOR"],
    ["crnor", XL(19, 33), "BT,BA,BB", "Condition Register NOR"],
    ["creqv", XL(19, 289), "BT,BA,BB", "Condition Register Equivalent"],
    ["crandc", XL(19, 129), "BT,BA,BB", "Condition Register AND with Complement"],
    ["crorc", XL(19, 417), "BT,BA,BB", "Condition Register OR with Complement"],
  ]),
  ...group("I.2.5.2", "P1", "base", true, [["mcrf", XL(19, 0), "BF,BFA", "Move Condition Register Field"]]),
  ...group("I.2.6", "PPC", "base", true, [
    // Bit 31 is reserved, so `sc` is told from `scv` by bit 30 alone.
    ["sc", fix({ ...SC(17, 0), mask: I(17).mask }, 30, 30, 1), "LEV?", "System Call"],
    ["scv", SC(17, 1), "LEV", "System Call Vectored", { version: "3.0" }],
  ]),
]);
