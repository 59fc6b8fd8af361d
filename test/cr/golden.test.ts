import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { imageBytes, machine } from "./samples.ts";

const golden = (name: string) => readFileSync(new URL(`golden/${name}.img`, import.meta.url));

describe("images that a C program wrote with the structs of the patch", () => {
  it.each([
    ["ppc32", "ppc32", 1],
    ["ppc64", "ppc64", 1],
    ["ppc64-vsx", "ppc64", 2],
  ] as const)("are what is written for %s, byte for byte", (name, abi, fpWidth) => {
    const ours = imageBytes(machine(abi), { strict: true, fpWidth });
    expect(Buffer.from(ours).toString("hex")).toBe(golden(name).toString("hex"));
  });
});
