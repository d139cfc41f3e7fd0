/** The guest's end: each channel that the host opens becomes a connection to the console's own socket. */

import { writeSync } from "node:fs";
import { Join, join_callbacks } from "./join.ts";
import { Mux } from "./mux.ts";
import { findPort, openPort } from "./port.ts";
import { LineQueue } from "./queue.ts";

/** The line says nothing while no host is connected: it is tried again ever more slowly. */
const wait_ms_min = 2;
const wait_ms_max = 500;

/** The line as the guest sees it. */
export interface Line {
  /** Chunks until the line ends for now: nobody is connected there. */
  read(): AsyncIterable<Uint8Array>;
  /** @returns bytes taken; 0 when it takes none now */
  write(bytes: Uint8Array): number;
}

export interface GuestLink {
  readonly mux: Mux;
  stop(): void;
}

/** A port takes one opener at a time, and first-answer (init/first-answer.c) holds it until it has seen the console's socket. */
const open_limit_ms = 5000;
const open_again_ms = 20;

/** Starts on the port `aios.console`. @returns the device, or null when the machine has no such port */
export async function startGuestLink(console_socket: string, log: (message: string) => void): Promise<string | null> {
  const device = findPort();
  if (device === null) return null;
  try {
    serveLine(portLine(await openFreePort(() => openPort(device))), console_socket);
    return device;
  } catch (error) {
    log(`opening the serial port "${device}" failed: ${error instanceof Error ? error.message : String(error)}; it is not used`);
    return null;
  }
}

/** Opens it as soon as nobody else has it. @throws when that takes too long, or for another reason than EBUSY */
export async function openFreePort(open: () => number, limit_ms = open_limit_ms): Promise<number> {
  for (const until_ms = performance.now() + limit_ms; ; await Bun.sleep(open_again_ms)) {
    try {
      return open();
    } catch (error) {
      const busy = error instanceof Error && "code" in error && error.code === "EBUSY";
      if (!busy || performance.now() > until_ms) throw error;
    }
  }
}

function portLine(fd: number): Line {
  return {
    read: () => Bun.file(fd).stream(),
    write(bytes) {
      try {
        return writeSync(fd, bytes);
      } catch {
        // EAGAIN: the host does not read, or is not there.
        return 0;
      }
    },
  };
}

export function serveLine(line: Line, console_socket: string): GuestLink {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let wait_ms = wait_ms_min;
  const queue = new LineQueue((bytes) => line.write(bytes));
  const drainLater = (): void => {
    if (timer !== null || stopped || queue.bytes === 0) return;
    timer = setTimeout(() => {
      timer = null;
      const before = queue.bytes;
      const out = queue.drain();
      wait_ms = out || queue.bytes < before ? wait_ms_min : Math.min(wait_ms * 2, wait_ms_max);
      drainLater();
    }, wait_ms);
  };
  const mux = new Mux({
    role: "guest",
    send: (bytes) => {
      queue.push(bytes);
      drainLater();
    },
    onOpen: (channel) => {
      const join = new Join();
      join.attachChannel(channel);
      Bun.connect<Join>({ unix: console_socket, data: join, socket: join_callbacks }).then(
        (socket) => join.attachSocket(socket),
        () => join.fail(),
      );
      return join.channel_events;
    },
    onSession: (up) => {
      if (up) wait_ms = wait_ms_min;
    },
  });
  mux.start();
  void readLine(line, mux, () => stopped);
  return {
    mux,
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      mux.stop();
    },
  };
}

async function readLine(line: Line, mux: Mux, stopped: () => boolean): Promise<void> {
  let wait_ms = wait_ms_min;
  while (!stopped()) {
    let heard = false;
    try {
      for await (const chunk of line.read()) {
        heard = true;
        mux.receive(chunk);
      }
    } catch {
      // EAGAIN or a port that was unplugged: the same as silence.
    }
    if (heard) mux.stop();
    wait_ms = heard ? wait_ms_min : Math.min(wait_ms * 2, wait_ms_max);
    await Bun.sleep(wait_ms);
  }
}
