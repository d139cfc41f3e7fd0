/** A request, whichever protocol it came by. */

import type { Turn } from "./script.ts";

export interface Asked {
  readonly model: string;
  /** All text of the first user message, and of the last; of the results of tools in the last. */
  readonly first: string;
  readonly last: string;
  readonly results: string;
  /** How many answers it already holds. */
  readonly answers: number;
  /** Tools that are offered, by our names. */
  readonly tools: readonly string[];
  readonly tokens_max: number;
  /** What the cache may know, from short to long, and which of it is to be kept; and the whole. */
  readonly prefixes: readonly Prefix[];
  readonly whole: string;
}

export interface Prefix {
  readonly text: string;
  readonly marked: boolean;
}

/** What is wrong with the request, as the provider would say it. */
export interface Wrong {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

export class Refused extends Error {
  readonly wrong: Wrong;
  constructor(wrong: Wrong) {
    super(wrong.message);
    this.wrong = wrong;
  }
}

export function refuse(message: string, status = 400, type = "invalid_request_error"): never {
  throw new Refused({ status, type, message });
}

export interface Counted {
  readonly input: number;
  readonly cache_read: number;
  readonly cache_write: number;
  readonly output: number;
}

/** One event of a stream, ready to be sent. */
export interface Protocol {
  readonly path: string;
  /** @throws {Refused} */
  check(headers: Headers, body: unknown, key: string): Asked;
  /** The events of an answer. */
  events(turn: Turn, asked: Asked, tokens: Counted, id: string): string[];
  error(wrong: Wrong, id: string): string;
  /** The same within a stream. */
  errorEvent(wrong: Wrong, id: string): string;
}

/** Names of tools on the wire. */
export const tool_name = /^[a-zA-Z0-9_-]{1,64}$/;
export const ours = (name: string): string => name.replace("_", ".");
export const theirs = (name: string): string => name.replace(".", "_");

/** As a stream brings it: in small pieces. */
export function pieces(text: string, size = 12): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
}
