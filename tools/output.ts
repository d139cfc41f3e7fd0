/** What the programs of running calls write, for those who follow them. The newest part is held for who comes later. */

import type { CallOutcome } from "../contracts/tool.ts";

type Stream = "stdout" | "stderr";

export interface Follower {
  piece(stream: Stream, text: string): void;
  ended(outcome: CallOutcome): void;
}

interface Channel {
  held: { readonly stream: Stream; readonly text: string }[];
  held_chars: number;
  readonly followers: Set<Follower>;
}

const held_chars_max = 256 * 1024;
/** Longest piece that is told at once (contracts/broker.ts). */
const piece_chars_max = 16 * 1024;

export class Output {
  readonly #channels = new Map<string, Channel>();

  write(call: string, stream: Stream, text: string): void {
    const channel = this.#channel(call);
    for (let at = 0; at < text.length; at += piece_chars_max) {
      const piece = { stream, text: text.slice(at, at + piece_chars_max) };
      channel.held.push(piece);
      channel.held_chars += piece.text.length;
      for (const follower of channel.followers) follower.piece(piece.stream, piece.text);
    }
    while (channel.held_chars > held_chars_max && channel.held.length > 1) channel.held_chars -= channel.held.shift()?.text.length ?? 0;
  }

  /** The newest of what a call in work has written. */
  heldOf(call: string): string {
    return (this.#channels.get(call)?.held ?? []).map(({ text }) => text).join("");
  }

  /** @returns the stop */
  follow(call: string, follower: Follower): () => void {
    const channel = this.#channel(call);
    for (const { stream, text } of channel.held) follower.piece(stream, text);
    channel.followers.add(follower);
    return () => void channel.followers.delete(follower);
  }

  end(outcome: CallOutcome): void {
    if (outcome.status === "waiting") return;
    for (const follower of this.#channels.get(outcome.call)?.followers ?? []) follower.ended(outcome);
    this.#channels.delete(outcome.call);
  }

  #channel(call: string): Channel {
    const found = this.#channels.get(call);
    if (found !== undefined) return found;
    const made: Channel = { held: [], held_chars: 0, followers: new Set() };
    this.#channels.set(call, made);
    return made;
  }
}
