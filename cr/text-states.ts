/**
 * States as JSON text, as version 1 of their records has them, made into those that later versions have. What is no such
 * text, or says something that the layouts have no room for, is refused.
 */
import type { CallState, FileState, OpenFileSnapshot } from "../emu/snapshot.ts";
import { inconsistent } from "./errors.ts";
import { type Field, FieldError, Input, Output } from "./record-fields.ts";
import { CALL_STATE, FILE_STATE } from "./states.ts";

const FORMAT = { littleEndian: false, longSize: 8 } as const;

/** What `convert` makes of a text, as its layout has it. Throws ImageError, with `owner`'s name. */
function converted<T>(field: Field<T>, text: string, convert: (value: Loose) => unknown, owner: string): T {
  try {
    const output = new Output(FORMAT);
    field.write(output, convert(JSON.parse(text)) as T);
    return field.read(new Input(output.finish(), FORMAT));
  } catch (error) {
    // Whatever else it is than an error of this program comes from the text: no JSON, no such property, no number.
    const isExpected = [FieldError, SyntaxError, TypeError, RangeError].some((type) => error instanceof type);
    if (!isExpected) throw error;
    throw inconsistent(`${owner} has a state that makes no sense: ${text.slice(0, 60)}`);
  }
}

/** Parsed text, of which nothing is known. */
// biome-ignore lint/suspicious/noExplicitAny: its properties are looked at, and what comes of that is checked against a layout.
type Loose = any;

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

const SPECIAL: Record<string, (value: Loose) => FileState> = {
  eventfd: ({ counter, semaphore }) => ({ kind: "eventfd", counter: BigInt(counter), semaphore }),
  path: () => ({ kind: "path" }),
  epoll: ({ items }) => ({
    kind: "epoll",
    items: items.map(([fd, openFile, events, told, amount, data]: Loose) => ({
      ...{ fd, openFile, events, told, amount },
      data: BigInt(data),
    })),
  }),
};

const terminal = ({ termios, foreground = null, size = null }: Loose): FileState => ({
  kind: "terminal",
  ...termios,
  foreground,
  size,
});

const BY_KIND: Partial<Record<OpenFileSnapshot["kind"], (value: Loose) => FileState>> = {
  file: ({ seals }) => ({ kind: "seals", bits: seals }),
  directory: (rows) => ({
    kind: "listing",
    entries: rows.map(([ino, kind, name]: Loose) => ({ ino: BigInt(ino), kind, name })),
  }),
  inherited: terminal,
  device: terminal,
  proc: ({ mode, contents }) => ({ kind: "contents", mode, contents: bytesOf(contents) }),
  special: (value) => SPECIAL[value.type](value),
};

/** The state of an open file. */
export function fileStateOf(text: string, { kind, path }: { kind: OpenFileSnapshot["kind"]; path: string }) {
  if (text === "") return null;
  const owner = `open file ${path || kind}`;
  const convert = BY_KIND[kind];
  if (convert === undefined) throw inconsistent(`${owner} has a state, which files of its kind don't have`);
  return converted(FILE_STATE, text, convert, owner);
}

/** What a thread's system call remembers. */
export function callStateOf(text: string, tid: number): CallState {
  if (text === "") return { kind: "begun" };
  if (text === "woken") return { kind: "woken", index: 0 };
  return converted(
    CALL_STATE,
    text,
    (value) => ({ kind: "moved", ...value }),
    `the system call of thread ${tid}`,
  );
}
