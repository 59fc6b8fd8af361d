import { describe, expect, it } from "vitest";
import type { Abi } from "../../../emu/snapshot.ts";
import { CallDriver } from "../../support/call-driver.ts";

const BUFFER = 0x1001_0100;
const [AF_INET, SOCK_STREAM, SOCK_DGRAM] = [2, 1, 2];
const MSG_FASTOPEN = 0x2000_0000;

describe.each(["ppc32", "ppc64"] as const)("MSG_FASTOPEN of %s", (abi: Abi) => {
  const guest = new CallDriver(abi);
  // sockaddr_in of 127.0.0.1, port 4000
  guest.memory.write(BUFFER, Uint8Array.of(0, AF_INET, 0x0f, 0xa0, 127, 0, 0, 1, ...new Uint8Array(8)));

  it("is off for TCP, and programs connect in the ordinary way", async () => {
    const socket = await guest.ok("socket", AF_INET, SOCK_STREAM, 0);
    expect(await guest.call("sendto", socket, BUFFER, 1, MSG_FASTOPEN, BUFFER, 16)).toBe("EOPNOTSUPP");
  });
  it("means nothing to UDP", async () => {
    const socket = await guest.ok("socket", AF_INET, SOCK_DGRAM, 0);
    expect(await guest.call("sendto", socket, BUFFER, 1, MSG_FASTOPEN, BUFFER, 16)).toBe(1);
  });
});
