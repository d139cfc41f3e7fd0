/**
 * Answers that fit into a frame. What is too long is cut in a way that says so: a body becomes `{ "cut": … }`, a text ends
 * in `… (cut: …)`. Asked for alone, a memory always comes whole.
 */

import type { Recalled } from "../../contracts/memory/record.ts";

/** Of one answer's memories, as JSON: a frame with room to spare (contracts/rpc.ts). */
const answer_bytes_max = 192 * 1024;
const text_chars_kept = 600;

/** @returns the same memories in the same order; from the first that does not fit whole on, their long parts are cut */
export function fitted(memories: readonly Recalled[]): Recalled[] {
  const room = answer_bytes_max;
  const cut_bytes = memories.map((memory) => bytesOf(cut(memory)));
  let later = cut_bytes.reduce((sum, bytes) => sum + bytes, 0);
  let taken = 0;
  return memories.map((memory, at) => {
    later -= cut_bytes[at] ?? 0;
    const whole = bytesOf(memory);
    const fits = taken + whole + later <= room;
    taken += fits ? whole : (cut_bytes[at] ?? 0);
    return fits ? memory : cut(memory);
  });
}

function cut(memory: Recalled): Recalled {
  const { text } = memory;
  const bytes = bytesOf(memory.body);
  const body = bytes <= 200 ? memory.body : { cut: `${bytes} bytes of body are left out: recall "${memory.id}" alone for them` };
  const left_out = text.length - text_chars_kept;
  const ends = left_out <= 60 ? text : `${text.slice(0, text_chars_kept)} … (cut: ${left_out} more characters)`;
  return { ...memory, body, text: ends, links: memory.links.slice(0, 16) };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
