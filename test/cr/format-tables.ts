/** The tables of docs/image-format.md, made from the layouts themselves. */
import { CPU_1, CPU_2, DUMMY } from "../../cr/arch-ppc.ts";
import type { Format } from "../../cr/record-fields.ts";
import type { Fields, Layout } from "../../cr/record-layout.ts";
import * as R from "../../cr/records.ts";
import { CRITICAL, TRAILER_HEAD, TRAILER_HEADER } from "../../cr/trailer.ts";
import { PARTS, TRAILER_TYPES } from "../../cr/trailer-records.ts";

const PPC32: Format = { littleEndian: false, longSize: 4 };
const PPC64: Format = { littleEndian: false, longSize: 8 };

type AnyLayout = Layout<Fields>;

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");

/** Offsets on ppc32 and ppc64 where they differ. */
function fixedTable(layout: AnyLayout): string {
  const narrow = layout.places(PPC32);
  const wide = layout.places(PPC64);
  const differs = layout.size(PPC32) !== layout.size(PPC64);
  const head = differs
    ? ["ppc32", "ppc64", "type", "field", "meaning"]
    : ["offset", "type", "field", "meaning"];
  const rows = narrow.map((place, index) => {
    const at = differs ? [place.offset, wide[index].offset] : [place.offset];
    return [...at.map(String), place.type, `\`${place.name}\``, place.doc];
  });
  return table(head, rows);
}

const packedTable = (layout: AnyLayout): string =>
  table(
    ["type", "field", "meaning"],
    layout.places(PPC64).map((place) => [place.type, `\`${place.name}\``, place.doc]),
  );

function sizeText(layout: AnyLayout): string {
  const [narrow, wide] = [layout.size(PPC32), layout.size(PPC64)];
  return narrow === wide ? `${narrow} bytes` : `${narrow} bytes on ppc32, ${wide} on ppc64`;
}

const struct = (title: string, layout: AnyLayout): string =>
  `### ${title}, ${sizeText(layout)}\n\n${layout.doc.charAt(0).toUpperCase()}${layout.doc.slice(1)}.\n\n${fixedTable(layout)}`;

const PARENTS = { "0": "0", pid: "the task's pid", objref: "the objref" } as const;

/** Ids, names, payload sizes and parents of the v13 records. */
function recordTable(): string {
  const rows = Object.values(R.RECORD_TYPES).map(({ id, name, size, parent }) => {
    const bytes = size.least === size.most ? `${size.least}` : `${size.least} to ${size.most}`;
    return [String(id), name, bytes, PARENTS[parent]];
  });
  return table(["id", "name", "payload bytes", "parent"], rows);
}

function v13Layouts(): string {
  const named: [string, AnyLayout][] = [
    ["Record header", R.RECORD_HEADER],
    ["HEAD", R.HEAD],
    ["HEAD_ARCH, MM_CONTEXT, THREAD", DUMMY],
    ["TREE", R.TREE],
    ["Entry of the pids array", R.PIDS],
    ["TASK", R.TASK],
    ["MM", R.MM],
    ["VMA", R.VMA],
    ["PGARR", R.PGARR],
    ["FILES", R.FILES],
    ["FD_ENT", R.FD_ENT],
    ["FD_DATA", R.FD_DATA],
    ["CPU", CPU_1],
    ["CPU with VSX width", CPU_2],
    ["TAIL", R.TAIL],
  ];
  return named.map(([title, layout]) => struct(title, layout)).join("\n\n");
}

function trailerLayouts(): string {
  const frames = [
    `### Head of the trailer\n\n${packedTable(TRAILER_HEAD)}`,
    `### Header of every trailer record\n\n${packedTable(TRAILER_HEADER)}`,
  ];
  const topics = Object.entries(TRAILER_TYPES).map(([name, { type, flags, layout }]) => {
    const critical = flags & CRITICAL ? ", critical" : "";
    return `### ${name}: type ${type}${critical}\n\n${layout.doc.charAt(0).toUpperCase()}${layout.doc.slice(1)}.\n\n${packedTable(layout)}`;
  });
  const parts = PARTS.map((layout) => `### Part "${layout.type}"\n\n${packedTable(layout)}`);
  return [...frames, ...topics, ...parts].join("\n\n");
}

/** The generated parts of docs/image-format.md, by the name of their marker. */
export const documentation = (): Record<string, string> => ({
  records: recordTable(),
  v13: v13Layouts(),
  trailer: trailerLayouts(),
});
