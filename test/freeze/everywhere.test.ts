/** Programs that print what they see of the kernel: the same when they are frozen and thawed all the time. */
import { expect, it } from "vitest";
import { build, expectedOutput } from "../linux/signals/guests.ts";
import { compilers } from "../support/guests.ts";
import { freeze, load, type Subject, thaw } from "../support/machine.ts";
import { describeWithTools } from "../support/tools.ts";

for (const target of ["ppc32", "ppc64"] as const) {
  describeWithTools(`frozen and thawed all the time, a ${target} program`, [compilers[target]], () => {
    it.each([
      ["poll", "epoll"],
      ["files", "memfd"],
    ])("%s/%s says what it says otherwise", async (area, name) => {
      let subject: Subject = load(await build(area, name, target), { seed: 1n });
      let said = "";
      let thaws = 0;
      for (let step = 1_000n; ; step += 137n) {
        const { reason } = await subject.machine.run(subject.machine.instructions + step);
        said += subject.host.stdout.text;
        if (reason !== "limit") break;
        const image = freeze(subject);
        subject.machine.close();
        subject = thaw(image, subject);
        thaws++;
      }
      expect(said).toBe(await expectedOutput(area, name));
      expect(thaws).toBeGreaterThan(10);
    });
  });
}
