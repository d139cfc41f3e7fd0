/** Peers over unix sockets, on Bun's own sockets. Outgoing bytes that the kernel does not take yet are held, up to a limit. */

import { chmodSync, existsSync, unlinkSync } from "node:fs";
import type { Socket, UnixSocketListener } from "bun";
import type { Methods, Notifications } from "../contracts/rpc.ts";
import { Outbox } from "./outbox.ts";
import { Peer, type PeerSides } from "./peer.ts";

interface Receiver {
  receive(chunk: Uint8Array): void;
  close(reason: string): void;
}

interface Connection {
  link: Outbox | null;
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
        const link = new Outbox(socket);
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
  const link = new Outbox(socket);
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
