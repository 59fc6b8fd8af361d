/** Cache, synchronisation and transactional memory instructions: Power ISA 3.0B, Book II (the last: 2.07, Book II.5). */
import { lazily } from "../../lazily.ts";
import { dot, fix, group, X, XL } from "../forms.ts";

export const STORAGE = lazily(() => [
  ...group("II.4.3", "PPC", "storage", true, [
    ["icbi", X(31, 982), "RA0,RB", "Instruction Cache Block Invalidate"],
    ["icbt", X(31, 22), "CT?,RA0,RB", "Instruction Cache Block Touch", { version: "2.07" }],
    // Removed from the architecture in 2.07, where it is a no-op or illegal; the Freescale processors have it.
    ["dcba", X(31, 758), "RA0,RB,L.10?", "Data Cache Block Allocate"],
    ["dcbt", X(31, 278), "RA0,RB,TH?", "Data Cache Block Touch"],
    ["dcbtst", X(31, 246), "RA0,RB,TH?", "Data Cache Block Touch for Store"],
    ["dcbz", X(31, 1014), "RA0,RB,L.10?", "Data Cache Block set to Zero"],
    ["dcbst", X(31, 54), "RA0,RB", "Data Cache Block Store"],
    ["dcbf", X(31, 86), "RA0,RB,L.8?", "Data Cache Block Flush"],
  ]),
  ...group("II.4.4", "3.0", "copy", false, [
    ["copy", fix(X(31, 774), 10, 10, 1), "RA0,RB", "Copy"],
    ["paste.", dot(X(31, 902)), "RA0,RB,L.10", "Paste"],
    ["cpabort", X(31, 838), "", "CP_Abort"],
  ]),
  ...group("II.4.5", "3.0", "storage", true, [
    ["lwat", X(31, 582), "RT,RA0,FC", "Load Word ATomic"],
    ["ldat", X(31, 614), "RT,RA0,FC", "Load Doubleword ATomic"],
    ["stwat", X(31, 710), "RS,RA0,FC", "Store Word ATomic"],
    ["stdat", X(31, 742), "RS,RA0,FC", "Store Doubleword ATomic"],
  ]),
  ...group("II.4.6", "PPC", "storage", true, [
    ["isync", XL(19, 150), "", "Instruction Synchronize"],
    ["sync", X(31, 598), "L.8?,SC?", "Synchronize"],
    ["eieio", X(31, 854), "", "Enforce In-order Execution of I/O"],
    ["wait", X(31, 30), "WC?,PL?", "Wait", { version: "3.0" }],
    // Power ISA 2.06 and 2.07 (Book II.4.4.4) have it here.
    ["wait62", X(31, 62), "WC?", "Wait", { version: "2.06", facility: "supervisor", implemented: false }],
  ]),
  ...group("II.5.5", "2.07", "tm", false, [
    ["tbegin.", dot(X(31, 654)), "L.10?", "Transaction Begin"],
    ["tend.", dot(X(31, 686)), "A.6?", "Transaction End"],
    ["tabort.", dot(X(31, 910)), "RA", "Transaction Abort"],
    ["tabortwc.", dot(X(31, 782)), "TO,RA,RB", "Transaction Abort Word Conditional"],
    ["tabortwci.", dot(X(31, 846)), "TO,RA,TSI", "Transaction Abort Word Conditional Immediate"],
    ["tabortdc.", dot(X(31, 814)), "TO,RA,RB", "Transaction Abort Doubleword Conditional"],
    ["tabortdci.", dot(X(31, 878)), "TO,RA,TSI", "Transaction Abort Doubleword Conditional Immediate"],
    ["tsr.", dot(X(31, 750)), "L.10", "Transaction Suspend or Resume"],
    ["tcheck", X(31, 718), "BF", "Transaction Check"],
  ]),
  ...group("II.7.2", "2.07", "ebb", false, [
    ["rfebb", XL(19, 146), "S.20", "Return from Event Based Branch"],
    ["clrbhrb", X(31, 430), "", "Clear BHRB"],
    ["mfbhrbe", X(31, 302), "RT,BHRBE", "Move From BHRB Entry"],
  ]),
  ...group("II.C", "PPC", "supervisor", false, [
    ["eciwx", X(31, 310), "RT,RA0,RB", "External Control In Word Indexed"],
    ["ecowx", X(31, 438), "RS,RA0,RB", "External Control Out Word Indexed"],
  ]),
]);
