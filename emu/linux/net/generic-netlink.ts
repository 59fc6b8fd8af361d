/**
 * NETLINK_GENERIC, by whose controller programs ask which families of messages there are: the controller itself, and no other (Linux:
 * net/netlink/genetlink.c).
 */
import { EINVAL, ENOENT, EOPNOTSUPP } from "../errno.ts";
import { align, Builder } from "./netlink-message.ts";

/** Bytes of struct genlmsghdr: a command, a version. */
const HEADER = 4;
/** The controller's number, and that of its group of notices. */
const CONTROLLER = 16;
const NAME = "nlctrl";
const VERSION = 2;
/** CTRL_CMD_*. */
const NEW_FAMILY = 1;
const GET_FAMILY = 3;
const GET_POLICY = 10;
/** CTRL_ATTR_*. */
const FAMILY_ID = 1;
const FAMILY_NAME = 2;
/** What it can be asked, and how: GENL_CMD_CAP_DO, DUMP, HASPOL. */
const OPERATIONS: readonly (readonly [command: number, flags: number])[] = [
  [GET_FAMILY, 0xe],
  [GET_POLICY, 0xc],
];

const text = (name: string): number[] => [...new TextEncoder().encode(`${name}\0`)];

/** What is known of the controller: CTRL_CMD_NEWFAMILY. */
function controller(littleEndian: boolean): Uint8Array {
  const builder = () => new Builder(littleEndian);
  const list = (each: readonly Builder[]): readonly number[] =>
    each.reduce((all, one, i) => all.attribute(i + 1, [...one.finish()]), builder()).list();
  const operations = OPERATIONS.map(([command, flags]) => builder().word(1, command).word(2, flags));
  const group = builder().word(2, CONTROLLER).attribute(1, text("notify"));
  return builder()
    .number(1, NEW_FAMILY)
    .number(1, VERSION)
    .number(2, 0)
    .attribute(FAMILY_NAME, text(NAME))
    .attribute(FAMILY_ID, builder().number(2, CONTROLLER).list())
    .word(3, VERSION)
    .word(4, 0)
    .word(5, 0)
    .attribute(6, list(operations))
    .attribute(7, list([group]))
    .finish();
}

/** The attribute of a kind after the header; undefined where there is none. */
function attribute(contents: Uint8Array, wanted: number, littleEndian: boolean): Uint8Array | undefined {
  const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
  for (let at = HEADER; at + 4 <= contents.length; ) {
    const length = view.getUint16(at, littleEndian);
    if (length < 4 || at + length > contents.length) return undefined;
    if ((view.getUint16(at + 2, littleEndian) & 0x3fff) === wanted)
      return contents.subarray(at + 4, at + length);
    at += align(length);
  }
  return undefined;
}

/** Whether a request names the controller. Returns an errno where it names nothing, or what is not there. */
function lookup(contents: Uint8Array, littleEndian: boolean): number {
  const id = attribute(contents, FAMILY_ID, littleEndian);
  const name = attribute(contents, FAMILY_NAME, littleEndian);
  if (id !== undefined && id.length < 2) return EINVAL;
  if (id === undefined && name === undefined) return EINVAL;
  const isById =
    id === undefined || new DataView(id.buffer, id.byteOffset).getUint16(0, littleEndian) === CONTROLLER;
  const given = name === undefined ? NAME : new TextDecoder().decode(name).replace(/\0.*$/s, "");
  return isById && given === NAME ? 0 : ENOENT;
}

/** Answers what is asked of a family: the contents of the messages, each of the controller's type, or an errno. */
export function askGeneric(
  type: number,
  contents: Uint8Array,
  { isDump, littleEndian }: { isDump: boolean; littleEndian: boolean },
): readonly Uint8Array[] | number {
  if (type !== CONTROLLER) return ENOENT;
  if (contents.length < HEADER) return EINVAL;
  const [command] = contents;
  if (command !== GET_FAMILY) return EOPNOTSUPP;
  if (isDump) return [controller(littleEndian)];
  const errno = lookup(contents, littleEndian);
  return errno === 0 ? [controller(littleEndian)] : errno;
}
