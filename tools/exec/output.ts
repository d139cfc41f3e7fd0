/** What a program writes, held within bounds: the first of it for a call, the newest of it for what goes on. */

/** Characters of one piece for those who follow a call (contracts/broker.ts: call.output). */
const piece_chars_max = 60_000;

export interface Held {
  readonly bytes: Uint8Array;
  readonly dropped_bytes: number;
}

export interface Holder {
  push(chunk: Uint8Array): void;
  readonly held: Held;
}

/** Keeps the first `bytes_max`. */
export function keepFirst(bytes_max: number): Holder {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let dropped = 0;
  return {
    push(chunk) {
      const taken = chunk.subarray(0, Math.max(0, bytes_max - size));
      if (taken.length > 0) chunks.push(Uint8Array.from(taken));
      size += taken.length;
      dropped += chunk.length - taken.length;
    },
    get held() {
      return { bytes: Buffer.concat(chunks), dropped_bytes: dropped };
    },
  };
}

/** Keeps the newest `bytes_max`. */
export function keepNewest(bytes_max: number): Holder {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let dropped = 0;
  const shrink = (): void => {
    const whole = Buffer.concat(chunks);
    const over = Math.max(0, whole.length - bytes_max);
    chunks = [Uint8Array.from(whole.subarray(over))];
    dropped += over;
    size = whole.length - over;
  };
  return {
    push(chunk) {
      chunks.push(Uint8Array.from(chunk));
      size += chunk.length;
      if (size > 2 * bytes_max) shrink();
    },
    get held() {
      shrink();
      return { bytes: chunks[0] ?? new Uint8Array(), dropped_bytes: dropped };
    },
  };
}

/** Text in pieces, characters whole. */
export function textPieces(tell: (text: string) => void): { push(chunk: Uint8Array): void; end(): void } {
  const decoder = new TextDecoder();
  const pieces = (text: string): void => {
    for (let at = 0; at < text.length; at += piece_chars_max) tell(text.slice(at, at + piece_chars_max));
  };
  return { push: (chunk) => pieces(decoder.decode(chunk, { stream: true })), end: () => pieces(decoder.decode()) };
}

/** Reads a stream to its end, or until `stop` is called, which a program left behind with the pipe open makes necessary. */
export function drain(stream: ReadableStream<Uint8Array>, take: (chunk: Uint8Array) => void): { ended: Promise<void>; stop(): void } {
  const reader = stream.getReader();
  const ended = (async () => {
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
    } catch {
      // stopped
    }
  })();
  return { ended, stop: () => void reader.cancel().catch(() => {}) };
}

/**
 * Output as text for an answer, at most `json_chars_max` characters of JSON (a control character takes six).
 * @param which end of it is kept
 */
export function answerText(
  bytes: Uint8Array,
  json_chars_max: number,
  which: "first" | "last",
): { readonly text: string; readonly cut: boolean } {
  let text = new TextDecoder().decode(bytes);
  let cut = false;
  for (let length = JSON.stringify(text).length; length > json_chars_max; length = JSON.stringify(text).length) {
    const keep = Math.max(0, Math.min(text.length - 1, Math.floor((text.length * json_chars_max) / length)));
    text = which === "first" ? text.slice(0, keep) : text.slice(text.length - keep);
    cut = true;
  }
  return { text: text.toWellFormed(), cut };
}
