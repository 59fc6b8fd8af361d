/** The host's network on Node. Nothing of it keeps ppcr running once its program has ended, but what has still to be sent. */
import type { Socket as Connection } from "node:net";
import type { ConnectionEvents, HostAddress, HostConnection, HostNetwork } from "../host.ts";
import { builtins } from "./builtins.ts";

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? "EIO";

/** A connection of Node as the machine has it. */
function attach(socket: Connection, events: ConnectionEvents): HostConnection {
  let isOver = false;
  const once = (tell: () => void) => () => {
    if (isOver) return;
    isOver = true;
    tell();
  };
  socket.on("data", (bytes) => events.data(bytes));
  socket.on("end", () => events.ended());
  socket.on("drain", () => events.drained());
  socket.on("error", (error) => once(() => events.failed(codeOf(error)))());
  socket.on(
    "close",
    once(() => events.closed()),
  );
  socket.unref();
  return {
    write: (bytes) => socket.write(bytes.slice()),
    end: () => void socket.end(),
    destroy: (reset) => {
      isOver = true;
      if (reset) socket.resetAndDestroy();
      else if (socket.writableLength > 0) {
        // What has been written goes out first.
        socket.ref();
        socket.destroySoon();
      } else socket.end().destroySoon();
    },
    hold: (isHeld) => void (isHeld ? socket.pause() : socket.resume()),
  };
}

const localOf = ({ localAddress, localPort }: Connection): HostAddress => ({
  address: localAddress ?? "",
  port: localPort ?? 0,
});

export const nodeNetwork: HostNetwork = {
  connect({ address, port }, events) {
    const socket = builtins.net.connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    socket.on("connect", () => events.connected(localOf(socket)));
    return attach(socket, events);
  },

  listen({ address, port }, take, failed) {
    const server = builtins.net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    server.on("connection", (socket) => {
      const { remoteAddress, remotePort } = socket;
      take({ address: remoteAddress ?? "", port: remotePort ?? 0 }, (events) => {
        const connection = attach(socket, events);
        socket.resume();
        return connection;
      });
    });
    server.on("error", (error) => failed(codeOf(error)));
    server.listen({ host: address, port });
    server.unref();
    return { close: () => void server.close() };
  },

  datagrams(version, receive, failed) {
    const socket = builtins.dgram.createSocket(version === 4 ? "udp4" : "udp6");
    // Node drops what it has not sent yet when the socket is closed.
    let [unsent, isClosed] = [0, false];
    const fail = (error: Error) => {
      if (!isClosed) failed(codeOf(error));
    };
    socket.on("message", (bytes, { address, port }) => {
      if (!isClosed) receive(bytes, { address, port });
    });
    socket.on("error", fail);
    socket.bind(() => socket.unref());
    return {
      send: (bytes, { address, port }) => {
        unsent++;
        socket.send(bytes.slice(), port, address, (error) => {
          unsent--;
          if (error !== null) fail(error);
          if (isClosed && unsent === 0) socket.close();
        });
      },
      close: () => {
        isClosed = true;
        if (unsent === 0) socket.close();
      },
    };
  },
};
