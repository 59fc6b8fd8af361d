/** Terminal settings without a terminal: what the host is told, and what a snapshot says. */
import { describe, expect, it } from "vitest";
import type { Host, HostStream, TerminalSettings } from "../../../emu/host/host.ts";
import { terminalOn } from "../../../emu/linux/vfs/terminal-settings.ts";

function make(inodes: bigint[]): { host: Host; streams: HostStream[]; told: TerminalSettings[] } {
  const told: TerminalSettings[] = [];
  const streams = inodes.map((ino) => {
    const terminal = {
      size: () => ({ rows: 24, columns: 80 }),
      change: (settings: TerminalSettings) => void told.push(settings),
    };
    return { kind: "tty", terminal, stat: () => ({ dev: 1n, ino }) } as unknown as HostStream;
  });
  const host = { streams: new Map(streams.entries()) } as unknown as Host;
  return { host, streams, told };
}

const single = () => {
  const { host, streams, told } = make([1n]);
  return { terminal: terminalOn(host, streams[0])!, told };
};

describe("a terminal", () => {
  it("tells the host what changes, by the names of stty", () => {
    const { terminal, told } = single();
    const { termios } = terminal;
    const c_cc = termios.c_cc.slice();
    c_cc[0] = 7;
    terminal.termios = { ...termios, c_lflag: termios.c_lflag & ~0x108, c_cc };
    terminal.termios = { ...terminal.termios };
    terminal.termios = termios;
    expect(told).toEqual([
      { echo: false, icanon: false, intr: 7 },
      { echo: true, icanon: true, intr: 3 },
    ]);
  });

  it("is the same for all streams that lead to it", () => {
    const { host, streams } = make([1n, 2n, 1n]);
    const [first, other, again] = streams.map((stream) => terminalOn(host, stream));
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it("goes on from its state", () => {
    const { terminal } = single();
    expect(terminal.freeze()).toBeNull();
    terminal.termios = { ...terminal.termios, c_lflag: 0x80, c_ispeed: 9600 };
    terminal.foreground = 12;
    const second = single();
    second.terminal.resume(terminal.freeze()!);
    expect(second.terminal.termios).toEqual(terminal.termios);
    expect(second.terminal.foreground).toBe(12);
    expect(second.told).toHaveLength(1);
    expect(second.told[0]).toMatchObject({ icanon: false, echo: false });
  });
});
