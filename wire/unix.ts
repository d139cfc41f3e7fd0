/** Peers over unix sockets, on Bun's own sockets. Outgoing bytes that the kernel does not take yet are held, up to a limit. */

import { chmodSync, existsSync, unlinkSync } from "node:fs";
import type { Socket, UnixSocketListener } from "bun";
import type { Methods, Notifications } from "../contracts/rpc.ts";
import { type Link, Peer, type PeerSides } from "./peer.ts";

/** Bytes held for a reader that is slow; beyond it the connection is closed. */
const held_bytes_max = 8 * 1024 * 1024;

class SocketLink implements Link {
  #held: Buffer[] = [];
  #held_bytes = 0;
  #socket: Socket<Connection>;

  constructor(socket: Socket<Connection>) {
    this.#socket = socket;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#held_bytes > 0) return this.#hold(bytes);
    const written = this.#socket.write(bytes);
    if (written < 0) return false;
    return written === bytes.length || this.#hold(bytes.subarray(written));
  }

  #hold(bytes: Uint8Array): boolean {
    if (this.#held_bytes + bytes.length > held_bytes_max) return false;
    this.#held.push(Buffer.from(bytes));
    this.#held_bytes += bytes.length;
    return true;
  }

  drain(): void {
    while (this.#held.length > 0) {
      const first = this.#held[0] as Buffer;
      const written = this.#socket.write(first);
      if (written <= 0) return;
      this.#held_bytes -= written;
      if (written < first.length) {
        this.#held[0] = first.subarray(written);
        return;
      }
      this.#held.shift();
    }
  }

  close(): void {
    this.#socket.end();
  }
}

interface Receiver {
  receive(chunk: Uint8Array): void;
  close(reason: string): void;
}

interface Connection {
  link: SocketLink | null;
  peer: Receiver | null;
}

const callbacks = {
  data(socket: Socket<Connection>, chunk: Uint8Array): void {
    socket.data.peer?.receive(chunk);
  },
  drain(socket: Socket<Connection>): void {
    socket.data.link?.drain();
  },
  close(socket: Socket<Connection>): void {
    socket.data.peer?.close("the other side closed the connection");
  },
  error(socket: Socket<Connection>, error: Error): void {
    socket.data.peer?.close(error.message);
  },
};

export interface Listening {
  close(): void;
}

/** Connections that one socket takes at once; further ones are closed at once. */
const connections_max = 16;

/**
 * Listens on `path`; an old socket file there is removed first.
 * @param mode file mode of the socket, for example 0o660
 * @param accept makes the sides of the peer of one new connection; is told the peer at once
 */
export function listenUnix<S extends Methods, H extends Notifications, C extends Methods, T extends Notifications>(
  path: string,
  mode: number,
  accept: (peer: () => Peer<S, H, C, T>) => PeerSides<S, H, C, T>,
): Listening {
  if (existsSync(path)) unlinkSync(path);
  let open = 0;
  const listener: UnixSocketListener<Connection> = Bun.listen<Connection>({
    unix: path,
    data: { link: null, peer: null },
    socket: {
      ...callbacks,
      open(socket) {
        if (open >= connections_max) {
          socket.data = { link: null, peer: null };
          socket.end();
          return;
        }
        open += 1;
        const link = new SocketLink(socket);
        const sides = accept(() => peer);
        const peer: Peer<S, H, C, T> = new Peer(link, {
          ...sides,
          onClose: (reason) => {
            open -= 1;
            sides.onClose?.(reason);
          },
        });
        socket.data = { link, peer };
      },
    },
  });
  chmodSync(path, mode);
  return { close: () => listener.stop(true) };
}

/** Connects to the socket at `path`. @throws when nobody listens there */
export async function connectUnix<S extends Methods, H extends Notifications, C extends Methods, T extends Notifications>(
  path: string,
  sides: PeerSides<S, H, C, T>,
): Promise<Peer<S, H, C, T>> {
  const data: Connection = { link: null, peer: null };
  const socket = await Bun.connect<Connection>({ unix: path, data, socket: callbacks });
  const link = new SocketLink(socket);
  const peer = new Peer(link, sides);
  data.link = link;
  data.peer = peer;
  return peer;
}

/** A side that serves and hears nothing. */
export const silent = {
  serves: { methods: {}, handlers: {} },
  hears: { notifications: {}, listeners: {} },
} as const;
