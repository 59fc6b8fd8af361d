/** Programs that are frozen and thawed between their system calls. */
import { freeze, load, type Subject, type SubjectOptions, thaw } from "./machine.ts";

/** What a program has written in all, how it ended, and how often it was frozen meanwhile. */
export interface Course {
  stdout: string;
  status: number | undefined;
  freezes: number;
}

/**
 * Runs a program that is frozen after every `step`th of its system calls, and goes on in another machine each time. Calls in which threads
 * wait meanwhile are frozen with them.
 */
export async function runThroughFreezes(
  program: string,
  step: number,
  options: SubjectOptions,
): Promise<Course> {
  let subject: Subject;
  let calls = 0;
  const strace = () => {
    if (++calls % step === 0) subject.machine.requestStop();
  };
  subject = load(program, { ...options, strace });
  let stdout = "";
  for (let freezes = 0; ; freezes++) {
    const stop = await subject.machine.run();
    if (stop.reason !== "stopped") {
      const status = stop.reason === "exit" ? stop.status : undefined;
      return { stdout: stdout + subject.host.stdout.text, status, freezes };
    }
    stdout += subject.host.stdout.text;
    const image = freeze(subject);
    subject.machine.close();
    subject = thaw(image, { ...subject, strace });
  }
}
