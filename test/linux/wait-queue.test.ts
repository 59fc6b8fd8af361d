/** Queues of those who wait. */
import { expect, it } from "vitest";
import { WaitQueue, type Waiter } from "../../emu/linux/wait-queue.ts";

it("wakes each of those who wait once, though they come to wait again at once", () => {
  const queue = new WaitQueue();
  const woken: string[] = [];
  const waiter = (name: string): Waiter => ({
    wake() {
      woken.push(name);
      queue.add(this);
    },
  });
  for (const name of ["a", "b", "c"]) queue.add(waiter(name));
  expect(queue.wake(2)).toBe(2);
  expect(queue.wake()).toBe(3);
  expect(woken.join("")).toBe("abcab");
});
