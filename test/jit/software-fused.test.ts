/** Multiply-adds on hosts whose processors have none. */
import { expect, it, vi } from "vitest";
import { hasFusedMultiplyAdd } from "../../emu/jit/probe.ts";
import { agree } from "./engines-agree.ts";

vi.mock("../../emu/jit/probe.ts", () => ({ hasFusedMultiplyAdd: () => false }));

it("agrees on random programs where multiply-adds are made in software", () => {
  expect(hasFusedMultiplyAdd()).toBe(false);
  agree("ppc64", "power9", 1000, 60);
});
