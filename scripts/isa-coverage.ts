/** `npm run isa-coverage`: of the instruction table, what is implemented, by facility; and by name what is not. */
import { handled } from "../emu/cpu/dispatch.ts";
import { prefixedHandlers } from "../emu/cpu/prefixed.ts";
import type { Facility } from "../emu/isa/instruction.ts";
import { PREFIXED } from "../emu/isa/prefixed-table.ts";
import { INSTRUCTIONS } from "../emu/isa/table.ts";

interface Row {
  readonly name: string;
  readonly facility: Facility;
}

/** Facilities for the disassembler only: programs get SIGILL. */
const NOT_FOR_PROGRAMS: readonly Facility[] = ["supervisor", "tm", "ebb", "copy", "spe"];

const rows: readonly Row[] = [
  ...INSTRUCTIONS().filter(({ facility }) => !NOT_FOR_PROGRAMS.includes(facility)),
  ...PREFIXED(),
];
const names = new Set([...handled(), ...Object.keys(prefixedHandlers)]);
const hasHandler = ({ name }: Row): boolean => names.has(name);

const line = (name: string, of: readonly Row[]): string =>
  `${name.padEnd(10)} ${String(of.length).padStart(5)} ${String(of.filter(hasHandler).length).padStart(12)}`;

console.log("facility    rows  implemented");
for (const facility of new Set(rows.map((row) => row.facility))) {
  const members = rows.filter((row) => row.facility === facility);
  console.log(line(facility, members));
}
console.log(line("all", rows));
const missing = rows.filter((row) => !hasHandler(row)).map(({ name }) => name);
if (missing.length > 0) console.log(`without a handler: ${missing.join(" ")}`);
