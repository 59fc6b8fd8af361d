/** A program that is large and executes most of its code once: what no translator earns anything by. */

const FUNCTIONS = 2500;
const STATEMENTS = 40;

/** Its source in C: functions of straight code that all differ, each called once, some of them a few times. */
export function bigCode(): string {
  let state = 12345;
  const next = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const operators = ["+", "^", "-", "*", "&", "|"];
  const lines = ["#include <stdio.h>", "typedef unsigned u;"];
  for (let f = 0; f < FUNCTIONS; f++) {
    lines.push(`__attribute__((noinline)) static u f${f}(u a, u b) {`, "  u c = a ^ b, d = a + b;");
    for (let s = 0; s < STATEMENTS; s++) {
      const [to, left, right] = [0, 1, 2].map(() => "abcd"[next(4)]);
      lines.push(
        `  ${to} = ${left} ${operators[next(operators.length)]} (${right} >> ${next(8)}) + ${next(60000)};`,
      );
    }
    lines.push("  return a ^ b ^ c ^ d;", "}");
  }
  lines.push("static u (*const all[])(u, u) = {");
  for (let f = 0; f < FUNCTIONS; f++) lines.push(`  f${f},`);
  lines.push("};", "int main(void) {", "  u sum = 1;");
  lines.push(
    `  for (int times = 0; times < 3; times++) for (u i = 0; i < ${FUNCTIONS}; i++) sum = all[i](sum, i);`,
  );
  lines.push('  printf("%08x\\n", sum);', "  return 0;", "}");
  return `${lines.join("\n")}\n`;
}
