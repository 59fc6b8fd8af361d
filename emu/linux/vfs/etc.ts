/**
 * Files of /etc that C libraries look things up in, where no grant brings them: who a user is, what this host is
 * called, what numbers protocols and services have. Sysroots of cross compilers have none of them.
 */
import type { Credentials } from "../credentials.ts";
import { type SyntheticFile, textFile } from "./synthetic.ts";

type User = Pick<Credentials, "uid" | "gid">;

const ROOT = 0;
const NOBODY = 65534;

const lines = (...all: readonly string[]): string => all.map((line) => `${line}\n`).join("");

/** Names that systems have for the first ids of users and of groups. */
type Names = readonly (readonly [name: string, id: number])[];
const SYSTEM_USERS: Names = [
  ["daemon", 1],
  ["bin", 2],
  ["sys", 3],
];
const SYSTEM_GROUPS: Names = [...SYSTEM_USERS, ["adm", 4], ["tty", 5], ["users", 100]];

const isNamed = (names: Names, id: number): boolean =>
  id === ROOT || id === NOBODY || names.some(([, its]) => its === id);

const passwd = ({ uid, gid }: User): string =>
  lines(
    "root:x:0:0:root:/root:/bin/sh",
    ...SYSTEM_USERS.map(([name, id]) => `${name}:x:${id}:${id}:${name}:/:/usr/sbin/nologin`),
    ...(isNamed(SYSTEM_USERS, uid) ? [] : [`user:x:${uid}:${gid}:user:/tmp:/bin/sh`]),
    `nobody:x:${NOBODY}:${NOBODY}:nobody:/nonexistent:/usr/sbin/nologin`,
  );

const group = ({ gid }: User): string =>
  lines(
    "root:x:0:",
    ...SYSTEM_GROUPS.map(([name, id]) => `${name}:x:${id}:`),
    ...(isNamed(SYSTEM_GROUPS, gid) ? [] : [`user:x:${gid}:`]),
    `nogroup:x:${NOBODY}:`,
  );

const HOSTS = lines("127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback");

const NSSWITCH = lines(
  "passwd: files",
  "group: files",
  "hosts: files dns",
  "services: files",
  "protocols: files",
);

/** As IANA assigns them. */
const PROTOCOLS = lines(
  "ip\t0\tIP",
  "icmp\t1\tICMP",
  "tcp\t6\tTCP",
  "udp\t17\tUDP",
  "ipv6\t41\tIPv6",
  "ipv6-icmp\t58\tIPv6-ICMP",
  "udplite\t136\tUDPLite",
);
const SERVICES = lines(
  "echo\t7/tcp",
  "echo\t7/udp",
  "discard\t9/tcp\tsink null",
  "discard\t9/udp\tsink null",
  "daytime\t13/tcp",
  "daytime\t13/udp",
  "ftp\t21/tcp",
  "ssh\t22/tcp",
  "telnet\t23/tcp",
  "smtp\t25/tcp\tmail",
  "time\t37/tcp\ttimserver",
  "time\t37/udp\ttimserver",
  "domain\t53/tcp",
  "domain\t53/udp",
  "http\t80/tcp\twww",
  "pop3\t110/tcp\tpop-3",
  "ntp\t123/udp",
  "imap2\t143/tcp\timap",
  "https\t443/tcp",
  "https\t443/udp",
);

/** The files by their paths; `asker` tells who reads them, and has a name then. */
export const makeEtc = (asker: () => User | undefined): ReadonlyMap<string, SyntheticFile> => {
  const user = () => asker() ?? { uid: ROOT, gid: ROOT };
  return new Map(
    Object.entries({
      passwd: () => passwd(user()),
      group: () => group(user()),
      hosts: HOSTS,
      "nsswitch.conf": NSSWITCH,
      protocols: PROTOCOLS,
      services: SERVICES,
    }).map(([name, text]) => [`/etc/${name}`, { ...textFile(text, 0o644), isSized: true }]),
  );
};
