/** A peer over the standard input and output of a child process: for a part that is a process only so that it can fail alone. */

import type { FileSink } from "bun";
import type { Methods, Notifications } from "../contracts/rpc.ts";
import { type Link, Peer, type PeerSides } from "./peer.ts";

/** Both ends hold little: who calls keeps the number of open calls small. */
class PipeLink implements Link {
  readonly #sink: FileSink;

  constructor(sink: FileSink) {
    this.#sink = sink;
  }

  send(bytes: Uint8Array): boolean {
    try {
      void this.#sink.write(bytes);
      void this.#sink.flush();
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    try {
      void this.#sink.end();
    } catch {
      // the other side is gone
    }
  }
}

/** @param input what the other side writes @param output what it reads */
export function pipePeer<S extends Methods, H extends Notifications, C extends Methods, T extends Notifications>(
  input: ReadableStream<Uint8Array>,
  output: FileSink,
  sides: PeerSides<S, H, C, T>,
): Peer<S, H, C, T> {
  const peer = new Peer(new PipeLink(output), sides);
  void receive(input, peer);
  return peer;
}

async function receive(
  input: ReadableStream<Uint8Array>,
  peer: { receive(chunk: Uint8Array): void; close(reason: string): void },
): Promise<void> {
  try {
    for await (const chunk of input) peer.receive(chunk);
    peer.close("the other side closed the pipe");
  } catch (error) {
    peer.close(error instanceof Error ? error.message : String(error));
  }
}
