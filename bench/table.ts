/** Text tables of results, readable as they are and as Markdown. */

/** A table with a header row; numbers are set to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(3, ...all.map((row) => row[column].length)));
  const isNumber = header.map((_, column) =>
    rows.every((row) => /^(-|[\d.,]*( ?[a-z%]+)?)$/.test(row[column])),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => (isNumber[i] ? `${"-".repeat(width + 1)}:` : `-${"-".repeat(width)}-`)).join("|")}|`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}

/** A number with as many decimals as make sense at its size. */
export const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
