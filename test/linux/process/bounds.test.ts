/** What the machine's bounds mean to programs: errors that they can deal with. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compilers } from "../../support/guests.ts";
import { load, runToEnd, type SubjectOptions } from "../../support/machine.ts";
import { describeWithTools, requireTool } from "../../support/tools.ts";

const SOURCE = `
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void memory(void) {
  int n = 0;
  for (char *p; n < 100 && (p = malloc(1 << 20)) != NULL; n++) memset(p, 1, 1 << 20);
  printf("%s %s\\n", n < 64 && n > 32 ? "some" : "all", n < 100 && errno == ENOMEM ? "ENOMEM" : "");
}
static void processes(void) {
  int n = 0;
  pid_t pid;
  while (n < 20 && (pid = fork()) > 0) n++;
  if (n < 20 && pid == 0) pause();
  printf("%d %s\\n", n, n < 20 && errno == EAGAIN ? "EAGAIN" : "");
}
static void cpus(void) {
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  printf("%ld %d %d %d\\n", sysconf(_SC_NPROCESSORS_ONLN), CPU_COUNT(&set), CPU_ISSET(69, &set) != 0, CPU_ISSET(70, &set) != 0);
  char line[200];
  CPU_CLR(0, &set), CPU_CLR(33, &set), CPU_SET(200, &set);
  int bound = sched_setaffinity(0, sizeof set, &set), cpu = sched_getcpu();
  printf("%d %d\\n", bound, cpu);
  for (FILE *status = fopen("/proc/self/status", "r"); fgets(line, sizeof line, status);)
    if (strncmp(line, "Cpus", 4) == 0) fputs(line, stdout);
}
int main(int argc, char **argv) {
  if (argv[1][0] == 'm') memory();
  else if (argv[1][0] == 'p') processes();
  else cpus();
}
`;

describeWithTools("a machine with bounds", [compilers.ppc32], () => {
  let folder: string;
  let program: string;
  beforeAll(() => {
    folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), "ppcr-bounds-")));
    program = join(folder, "prog");
    const command = ["-O1", "-static", "-D_GNU_SOURCE", "-w", "-o", program, "-x", "c", "-"];
    execFileSync(requireTool(compilers.ppc32), command, { input: SOURCE });
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  it.each<[string, SubjectOptions, string]>([
    ["memory", { memorySize: 2 ** 26 }, "some ENOMEM\n"],
    ["memory", {}, "all \n"],
    ["processes", { maxProcesses: 5 }, "4 EAGAIN\n"],
    [
      "cpus",
      { cpus: 70 },
      `70 70 1 0\n0 1\n${"Cpus_allowed:\t3f,fffffffd,fffffffe\nCpus_allowed_list:\t1-32,34-69\n"}`,
    ],
    ["cpus", {}, "1 1 0 0\n-1 0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n"],
  ])("gives %s as %o says", async (what, options, expected) => {
    expect((await runToEnd(load(program, { ...options, args: [what], seed: 1n }))).stdout).toBe(expected);
  });
});
