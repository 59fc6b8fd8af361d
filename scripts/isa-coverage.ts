/** `npm run isa-coverage`: of the instruction table, what is implemented, by facility; and by name what is not. */
import { handled } from "../emu/cpu/dispatch.ts";
import type { Facility, Instruction } from "../emu/isa/instruction.ts";
import { INSTRUCTIONS } from "../emu/isa/table.ts";

/** Facilities for the disassembler only: programs get SIGILL. */
const NOT_FOR_PROGRAMS: readonly Facility[] = ["supervisor", "tm", "ebb", "copy", "spe"];

const rows = INSTRUCTIONS.filter(({ facility }) => !NOT_FOR_PROGRAMS.includes(facility));
const names = new Set(handled());
const hasHandler = ({ name }: Instruction): boolean => names.has(name);

const line = (name: string, of: readonly Instruction[]): string =>
  `${name.padEnd(10)} ${String(of.length).padStart(5)} ${String(of.filter(hasHandler).length).padStart(12)}`;

console.log("facility    rows  implemented");
for (const facility of new Set(rows.map((row) => row.facility))) {
  const members = rows.filter((row) => row.facility === facility);
  console.log(line(facility, members));
}
console.log(line("all", rows));
const missing = rows.filter((row) => !hasHandler(row)).map(({ name }) => name);
if (missing.length > 0) console.log(`without a handler: ${missing.join(" ")}`);
