/** Fixed-point loads and stores: Power ISA 3.0B, I.3.3.2 to I.3.3.5. */
import { addressD, addressDs, addressX, updateRa } from "../effective-address.ts";
import { ra, rs, rt } from "../fields.ts";
import { type Handler, type HandlerTable, validWhen } from "../handler.ts";
import { guardLoad, guardStore, host, load16, load32, load8, store16, store32, store8 } from "./access.ts";
import { cpu } from "../views.ts";

const reversed16 = (value: number): number => ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
/** A word with its bytes in the other order. */
export const reversed32 = (value: number): number => (reversed16(value) << 16) | reversed16(value >>> 16);

/** Forms with update are invalid with RA = 0. */
export const updating = (handler: Handler) => validWhen((word) => ra(word) !== 0, handler);
/** Loads with update are invalid with RA = RT as well. */
const loadUpdating = (handler: Handler) =>
  validWhen((word) => ra(word) !== 0 && ra(word) !== rt(word), handler);

/** Effective addresses of loads and of stores, by form. */
const d = (word: number) => addressD(word, false);
const ds = (word: number) => addressDs(word, false);
const x = (word: number) => addressX(word, false);
const dStore = (word: number) => addressD(word, true);
const dsStore = (word: number) => addressDs(word, true);
const xStore = (word: number) => addressX(word, true);

/** The access at EA; then, if it has succeeded, RA <- EA. */
const withUpdate = (access: (word: number, ea: number) => void, word: number, ea: number) => {
  access(word, ea);
  updateRa(word, ea);
};

/** RT <- what is at EA, extended with zeros. */
const lbz = (word: number, ea: number) => {
  cpu.i32[rt(word)] = load8(ea);
  cpu.i32[rt(word) + 1] = 0;
};
const lhz = (word: number, ea: number) => {
  cpu.i32[rt(word)] = load16(ea);
  cpu.i32[rt(word) + 1] = 0;
};
const lwz = (word: number, ea: number) => {
  cpu.i32[rt(word)] = load32(ea);
  cpu.i32[rt(word) + 1] = 0;
};
/** RT <- what is at EA, its sign extended. */
const lha = (word: number, ea: number) => {
  const value = (load16(ea) << 16) >> 16;
  cpu.i32[rt(word)] = value;
  cpu.i32[rt(word) + 1] = value >> 31;
};
const lwa = (word: number, ea: number) => {
  const value = load32(ea);
  cpu.i32[rt(word)] = value;
  cpu.i32[rt(word) + 1] = value >> 31;
};
const ld = (word: number, ea: number) => {
  guardLoad(ea, 8);
  const offset = host(ea, 8);
  cpu.i32[rt(word)] = cpu.view.getInt32(offset, true);
  cpu.i32[rt(word) + 1] = cpu.view.getInt32(offset + 4, true);
};

const stb = (word: number, ea: number) => store8(ea, cpu.i32[rs(word)]);
const sth = (word: number, ea: number) => store16(ea, cpu.i32[rs(word)]);
const stw = (word: number, ea: number) => store32(ea, cpu.i32[rs(word)]);
const storeDoubleword = (ea: number, low: number, high: number) => {
  guardStore(ea, 8);
  const offset = host(ea, 8);
  cpu.view.setInt32(offset, low, true);
  cpu.view.setInt32(offset + 4, high, true);
};
const std = (word: number, ea: number) => storeDoubleword(ea, cpu.i32[rs(word)], cpu.i32[rs(word) + 1]);

// Each handler is a function of its own, so that V8 knows what it calls and inlines it: with one function that makes the
// handlers of all accesses, whole programs ran at 70 to 85 percent of this speed.
export const loadStoreHandlers: HandlerTable = {
  lbz: (word) => lbz(word, d(word)),
  lbzx: (word) => lbz(word, x(word)),
  lbzu: loadUpdating((word) => withUpdate(lbz, word, d(word))),
  lbzux: loadUpdating((word) => withUpdate(lbz, word, x(word))),
  lhz: (word) => lhz(word, d(word)),
  lhzx: (word) => lhz(word, x(word)),
  lhzu: loadUpdating((word) => withUpdate(lhz, word, d(word))),
  lhzux: loadUpdating((word) => withUpdate(lhz, word, x(word))),
  lha: (word) => lha(word, d(word)),
  lhax: (word) => lha(word, x(word)),
  lhau: loadUpdating((word) => withUpdate(lha, word, d(word))),
  lhaux: loadUpdating((word) => withUpdate(lha, word, x(word))),
  lwz: (word) => lwz(word, d(word)),
  lwzx: (word) => lwz(word, x(word)),
  lwzu: loadUpdating((word) => withUpdate(lwz, word, d(word))),
  lwzux: loadUpdating((word) => withUpdate(lwz, word, x(word))),
  lwa: (word) => lwa(word, ds(word)),
  lwax: (word) => lwa(word, x(word)),
  lwaux: loadUpdating((word) => withUpdate(lwa, word, x(word))),
  ld: (word) => ld(word, ds(word)),
  ldx: (word) => ld(word, x(word)),
  ldu: loadUpdating((word) => withUpdate(ld, word, ds(word))),
  ldux: loadUpdating((word) => withUpdate(ld, word, x(word))),

  stb: (word) => stb(word, dStore(word)),
  stbx: (word) => stb(word, xStore(word)),
  stbu: updating((word) => withUpdate(stb, word, dStore(word))),
  stbux: updating((word) => withUpdate(stb, word, xStore(word))),
  sth: (word) => sth(word, dStore(word)),
  sthx: (word) => sth(word, xStore(word)),
  sthu: updating((word) => withUpdate(sth, word, dStore(word))),
  sthux: updating((word) => withUpdate(sth, word, xStore(word))),
  stw: (word) => stw(word, dStore(word)),
  stwx: (word) => stw(word, xStore(word)),
  stwu: updating((word) => withUpdate(stw, word, dStore(word))),
  stwux: updating((word) => withUpdate(stw, word, xStore(word))),
  std: (word) => std(word, dsStore(word)),
  stdx: (word) => std(word, xStore(word)),
  stdu: updating((word) => withUpdate(std, word, dsStore(word))),
  stdux: updating((word) => withUpdate(std, word, xStore(word))),

  lhbrx: (word) => {
    cpu.i32[rt(word)] = reversed16(load16(x(word)));
    cpu.i32[rt(word) + 1] = 0;
  },
  lwbrx: (word) => {
    cpu.i32[rt(word)] = reversed32(load32(x(word)));
    cpu.i32[rt(word) + 1] = 0;
  },
  ldbrx: (word) => {
    ld(word, x(word));
    const low = cpu.i32[rt(word)];
    cpu.i32[rt(word)] = reversed32(cpu.i32[rt(word) + 1]);
    cpu.i32[rt(word) + 1] = reversed32(low);
  },
  sthbrx: (word) => store16(xStore(word), reversed16(cpu.i32[rs(word)])),
  stwbrx: (word) => store32(xStore(word), reversed32(cpu.i32[rs(word)])),
  stdbrx: (word) =>
    storeDoubleword(xStore(word), reversed32(cpu.i32[rs(word) + 1]), reversed32(cpu.i32[rs(word)])),
};
