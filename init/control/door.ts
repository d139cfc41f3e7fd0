/**
 * The listening side of one service's socket with PID 1, without anything that takes long to load: the first service is
 * started before PID 1 has loaded the schemas. What arrives before `open` is held.
 */

import { chmodSync, chownSync, existsSync, unlinkSync } from "node:fs";
import type { Socket } from "bun";

/** Who takes a connection's bytes. */
export interface Guest {
  receive(chunk: Uint8Array): void;
  /** The kernel takes bytes again. */
  drain(): void;
  closed(reason: string): void;
}

export interface Visit {
  guest: Guest | null;
  held: Uint8Array[];
  held_bytes: number;
}

export type Welcome = (socket: Socket<Visit>) => Guest;

const connections_max = 16;
/** Bytes held for a connection before PID 1 is ready to read it; a service says little that early. */
const held_bytes_max = 256 * 1024;

export interface Door {
  /** Hands over the connections that came so far, and all to come. */
  open(welcome: Welcome): void;
  close(): void;
}

/** Listens at `path`, for the group `gid` only. @throws when it cannot */
export function makeDoor(path: string, gid: number): Door {
  if (existsSync(path)) unlinkSync(path);
  const visits = new Set<Socket<Visit>>();
  let welcome: Welcome | null = null;
  const listener = Bun.listen<Visit>({
    unix: path,
    data: { guest: null, held: [], held_bytes: 0 },
    socket: {
      open(socket) {
        socket.data = { guest: null, held: [], held_bytes: 0 };
        if (visits.size >= connections_max) return void socket.end();
        visits.add(socket);
        if (welcome !== null) socket.data.guest = welcome(socket);
      },
      data(socket, chunk) {
        if (socket.data.guest !== null) return socket.data.guest.receive(chunk);
        if (socket.data.held_bytes + chunk.length > held_bytes_max) return void socket.end();
        socket.data.held.push(Uint8Array.from(chunk));
        socket.data.held_bytes += chunk.length;
      },
      drain(socket) {
        socket.data.guest?.drain();
      },
      close(socket) {
        visits.delete(socket);
        socket.data.guest?.closed("the other side closed the connection");
      },
      error(socket, error) {
        socket.data.guest?.closed(error.message);
      },
    },
  });
  chmodSync(path, 0o660);
  chownSync(path, 0, gid);
  return {
    open(host) {
      welcome = host;
      for (const socket of visits) {
        if (socket.data.guest !== null) continue;
        socket.data.guest = host(socket);
        for (const chunk of socket.data.held) socket.data.guest.receive(chunk);
        socket.data.held = [];
      }
    },
    close: () => listener.stop(true),
  };
}
