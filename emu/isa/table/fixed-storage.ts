/** Fixed-point loads and stores: Power ISA 3.0B, Book I, 3.3.2 to 3.3.7. */
import { lazily } from "../../lazily.ts";
import { D, DQ0, DS, dot, group, X } from "../forms.ts";

export const FIXED_STORAGE = lazily(() => [
  ...group("I.3.3.2", "P1", "base", true, [
    ["lbz", D(34), "RT,D,RA0", "Load Byte and Zero"],
    ["lbzx", X(31, 87), "RT,RA0,RB", "Load Byte and Zero Indexed"],
    ["lbzu", D(35), "RT,D,RA", "Load Byte and Zero with Update"],
    ["lbzux", X(31, 119), "RT,RA,RB", "Load Byte and Zero with Update Indexed"],
    ["lhz", D(40), "RT,D,RA0", "Load Halfword and Zero"],
    ["lhzx", X(31, 279), "RT,RA0,RB", "Load Halfword and Zero Indexed"],
    ["lhzu", D(41), "RT,D,RA", "Load Halfword and Zero with Update"],
    ["lhzux", X(31, 311), "RT,RA,RB", "Load Halfword and Zero with Update Indexed"],
    ["lha", D(42), "RT,D,RA0", "Load Halfword Algebraic"],
    ["lhax", X(31, 343), "RT,RA0,RB", "Load Halfword Algebraic Indexed"],
    ["lhau", D(43), "RT,D,RA", "Load Halfword Algebraic with Update"],
    ["lhaux", X(31, 375), "RT,RA,RB", "Load Halfword Algebraic with Update Indexed"],
    ["lwz", D(32), "RT,D,RA0", "Load Word and Zero"],
    ["lwzx", X(31, 23), "RT,RA0,RB", "Load Word and Zero Indexed"],
    ["lwzu", D(33), "RT,D,RA", "Load Word and Zero with Update"],
    ["lwzux", X(31, 55), "RT,RA,RB", "Load Word and Zero with Update Indexed"],
  ]),
  ...group("I.3.3.2.1", "PPC", "64", true, [
    ["lwa", DS(58, 2), "RT,DS,RA0", "Load Word Algebraic"],
    ["lwax", X(31, 341), "RT,RA0,RB", "Load Word Algebraic Indexed"],
    ["lwaux", X(31, 373), "RT,RA,RB", "Load Word Algebraic with Update Indexed"],
    ["ld", DS(58, 0), "RT,DS,RA0", "Load Doubleword"],
    ["ldx", X(31, 21), "RT,RA0,RB", "Load Doubleword Indexed"],
    ["ldu", DS(58, 1), "RT,DS,RA", "Load Doubleword with Update"],
    ["ldux", X(31, 53), "RT,RA,RB", "Load Doubleword with Update Indexed"],
  ]),
  ...group("I.3.3.3", "P1", "base", true, [
    ["stb", D(38), "RS,D,RA0", "Store Byte"],
    ["stbx", X(31, 215), "RS,RA0,RB", "Store Byte Indexed"],
    ["stbu", D(39), "RS,D,RA", "Store Byte with Update"],
    ["stbux", X(31, 247), "RS,RA,RB", "Store Byte with Update Indexed"],
    ["sth", D(44), "RS,D,RA0", "Store Halfword"],
    ["sthx", X(31, 407), "RS,RA0,RB", "Store Halfword Indexed"],
    ["sthu", D(45), "RS,D,RA", "Store Halfword with Update"],
    ["sthux", X(31, 439), "RS,RA,RB", "Store Halfword with Update Indexed"],
    ["stw", D(36), "RS,D,RA0", "Store Word"],
    ["stwx", X(31, 151), "RS,RA0,RB", "Store Word Indexed"],
    ["stwu", D(37), "RS,D,RA", "Store Word with Update"],
    ["stwux", X(31, 183), "RS,RA,RB", "Store Word with Update Indexed"],
  ]),
  ...group("I.3.3.3.1", "PPC", "64", true, [
    ["std", DS(62, 0), "RS,DS,RA0", "Store Doubleword"],
    ["stdx", X(31, 149), "RS,RA0,RB", "Store Doubleword Indexed"],
    ["stdu", DS(62, 1), "RS,DS,RA", "Store Doubleword with Update"],
    ["stdux", X(31, 181), "RS,RA,RB", "Store Doubleword with Update Indexed"],
  ]),
  // Older 64-bit processors (2.03) have them for the supervisor alone.
  ...group("I.3.3.4", "2.07", "64", true, [
    ["lq", DQ0(56), "RTP,DQ,RA0", "Load Quadword"],
    ["stq", DS(62, 2), "RSP,DS,RA0", "Store Quadword"],
  ]),
  ...group("I.3.3.5", "P1", "base", true, [
    ["lhbrx", X(31, 790), "RT,RA0,RB", "Load Halfword Byte-Reverse Indexed"],
    ["lwbrx", X(31, 534), "RT,RA0,RB", "Load Word Byte-Reverse Indexed"],
    ["sthbrx", X(31, 918), "RS,RA0,RB", "Store Halfword Byte-Reverse Indexed"],
    ["stwbrx", X(31, 662), "RS,RA0,RB", "Store Word Byte-Reverse Indexed"],
  ]),
  ...group("I.3.3.5.1", "2.06", "64", true, [
    ["ldbrx", X(31, 532), "RT,RA0,RB", "Load Doubleword Byte-Reverse Indexed"],
    ["stdbrx", X(31, 660), "RS,RA0,RB", "Store Doubleword Byte-Reverse Indexed"],
  ]),
  ...group("I.3.3.6", "P1", "base", true, [
    ["lmw", D(46), "RT,D,RA0", "Load Multiple Word"],
    ["stmw", D(47), "RS,D,RA0", "Store Multiple Word"],
  ]),
  ...group("I.3.3.7", "P1", "base", true, [
    ["lswi", X(31, 597), "RT,RA0,NB", "Load String Word Immediate"],
    ["lswx", X(31, 533), "RT,RA0,RB", "Load String Word Indexed"],
    ["stswi", X(31, 725), "RS,RA0,NB", "Store String Word Immediate"],
    ["stswx", X(31, 661), "RS,RA0,RB", "Store String Word Indexed"],
  ]),
  // Power ISA 3.1B moves the return-address hash here.
  ...group("I.3.3.18", "3.1", "base", true, [
    ["hashst", X(31, 722), "RB,HD,RA0", "Hash Store"],
    ["hashchk", X(31, 754), "RB,HD,RA0", "Hash Check"],
    [
      "hashstp",
      X(31, 658),
      "RB,HD,RA0",
      "Hash Store Privileged",
      { facility: "supervisor", implemented: false },
    ],
    [
      "hashchkp",
      X(31, 690),
      "RB,HD,RA0",
      "Hash Check Privileged",
      { facility: "supervisor", implemented: false },
    ],
  ]),
  ...group("II.4.6.2", "PPC", "storage", true, [
    ["lbarx", X(31, 52), "RT,RA0,RB,EH?", "Load Byte And Reserve Indexed", { version: "2.06" }],
    ["lharx", X(31, 116), "RT,RA0,RB,EH?", "Load Halfword And Reserve Indexed", { version: "2.06" }],
    ["lwarx", X(31, 20), "RT,RA0,RB,EH?", "Load Word And Reserve Indexed"],
    ["stbcx.", dot(X(31, 694)), "RS,RA0,RB", "Store Byte Conditional Indexed", { version: "2.06" }],
    ["sthcx.", dot(X(31, 726)), "RS,RA0,RB", "Store Halfword Conditional Indexed", { version: "2.06" }],
    ["stwcx.", dot(X(31, 150)), "RS,RA0,RB", "Store Word Conditional Indexed"],
  ]),
  ...group("II.4.6.2.1", "PPC", "64", true, [
    ["ldarx", X(31, 84), "RT,RA0,RB,EH?", "Load Doubleword And Reserve Indexed"],
    ["stdcx.", dot(X(31, 214)), "RS,RA0,RB", "Store Doubleword Conditional Indexed"],
  ]),
  ...group("II.4.6.2.2", "2.07", "64", true, [
    ["lqarx", X(31, 276), "RTP,RA0,RB,EH?", "Load Quadword And Reserve Indexed"],
    ["stqcx.", dot(X(31, 182)), "RSP,RA0,RB", "Store Quadword Conditional Indexed"],
  ]),
]);
