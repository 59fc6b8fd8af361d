import { expect, it } from "vitest";
import { decode } from "../../emu/isa/decoder.ts";
import { PREFIXED } from "../../emu/isa/prefixed-table.ts";
import { INSTRUCTIONS } from "../../emu/isa/table.ts";
import { describeWithTools } from "../support/tools.ts";
import { LEFT_OUT } from "./campaign.ts";
import { Random, randomGroup, randomPrefixedGroup } from "./generate.ts";
import { CaseMachine } from "./interpreter-cases.ts";
import { LEGALITY_DIFFERENCES } from "./legality-differences.ts";
import { type CaseAbi, illegalUnderQemu } from "./qemu-cases.ts";

const TOOLS = ["powerpc-linux-gnu-gcc", "powerpc64-linux-gnu-gcc", "qemu-ppc", "qemu-ppc64"];
const MODELS = ["750", "7400", "7450", "970", "power7", "power8", "power9", "power10"];
const WORDS = 2;
const SIGILL = 4;

/** Words of every row of the table, valid forms most of them, but for those that go elsewhere. */
function wordsOfAllRows(abi: CaseAbi) {
  const random = new Random(1);
  const rows = INSTRUCTIONS().filter(
    ({ name, facility }) => facility !== "supervisor" && !LEFT_OUT.has(name),
  );
  const times = Array.from({ length: WORDS });
  const plain = rows.flatMap((row) =>
    times
      .map(() => ({ name: row.name, group: randomGroup(random, row, abi, 1) }))
      .filter(({ group }) => decode(group.word)?.name === row.name),
  );
  const prefixed = PREFIXED().flatMap((row) =>
    times.map(() => ({ name: row.name, group: randomPrefixedGroup(random, row, abi, 1) })),
  );
  return [...plain, ...prefixed];
}

describeWithTools("the instructions of the CPU models", TOOLS, () => {
  const used = new Set<unknown>();

  it.each(MODELS)("are on the %s those that qemu-user has there, but for what is listed", (model) => {
    const abi = model.startsWith("7") ? "ppc32" : "ppc64";
    const tests = wordsOfAllRows(abi);
    const theirs = illegalUnderQemu(
      abi,
      model,
      tests.map(({ group: { word, suffix = 0x6000_0000 } }) => [word, suffix]),
    );
    const ours = new CaseMachine(abi, model).run(tests.map(({ group }) => group));
    const unexplained = tests.flatMap(({ name, group }, i) => {
      const isIllegal = ours[i][0].fault?.signal === SIGILL;
      if (isIllegal === theirs[i]) return [];
      const has = !isIllegal ? "ppcr" : theirs[i] === undefined ? "neither" : "qemu";
      const known = LEGALITY_DIFFERENCES.find((each) => each.has === has && each.rows.test(name));
      used.add(known);
      return known === undefined ? [`${name} ${(group.word >>> 0).toString(16)}: ${has}`] : [];
    });
    expect(unexplained).toEqual([]);
    expect(theirs.filter((illegal) => illegal === false).length).toBeGreaterThan(300);
  });

  it("differ for every reason that is listed", () => {
    expect(LEGALITY_DIFFERENCES.filter((each) => !used.has(each))).toEqual([]);
  });
});
