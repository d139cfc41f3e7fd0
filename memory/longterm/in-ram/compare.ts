/**
 * Comparing one vector with many, in WebAssembly: two instructions of the processor (counting bits, products of bytes) that
 * JavaScript has no way to name. What it does is in compare.wat; the bytes are that, assembled by wabt (in-ram.test.ts).
 */

const assembled =
  "AGFzbQEAAAABEgJgBn9/f39/fwBgBX9/f39/AAIPAQNlbnYGbWVtb3J5AgABAwMCAAEHGAIJZGlmZmVyaW5nAAAIcHJvZHVjdHMAAQq6AgKIAQEFfyAAIAEg" +
  "AmxqIQYCQANAIAAgBk8NASADIQcgACACaiEIQQAhCQNAIAkgACkDACAHKQMAhXsgACkDCCAHKQMIhXt8p2ohCSAAQRBqIQAgB0EQaiEHIAAgCEkNAAsgBCAJ" +
  "OwEAIARBAmohBCAFIAlBAnRqIQogCiAKKAIAQQFqNgIADAALCwutAQIDfwN7IAAgASACbGohBQJAA0AgACAFTw0BIAMhBiAAIAJqIQf9DAAAAAAAAAAAAAAA" +
  "AAAAAAAhCANAIAD9AAQAIQkgBv0ABAAhCiAIIAn9hwEgCv2HAf26ASAJ/YgBIAr9iAH9ugH9rgH9rgEhCCAAQRBqIQAgBkEQaiEGIAAgB0kNAAsgBCAI/RsA" +
  "IAj9GwFqIAj9GwIgCP0bA2pqNgIAIARBBGohBAwACwsL";

/** Bytes of the first page, all at most `width_max` and `histogram_entries` long. Rows begin behind it. */
export const question_at = 0;
export const width_max = 16 * 1024;
export const histogram_at = width_max;
export const histogram_entries = 12 * 1024;
export const page_bytes = 64 * 1024;
export const rows_at = page_bytes;
/** A row's length is a multiple of it. */
export const step_bytes = 16;

export interface Compare {
  /** In how many bits each row differs from the question: u16 at `out`, and counts of each difference added to the histogram. */
  differing(rows: number, count: number, width: number, question: number, out: number, histogram: number): void;
  /** The product of each row of signed bytes with the question: i32 at `out`. */
  products(rows: number, count: number, width: number, question: number, out: number): void;
}

let module: WebAssembly.Module | null | undefined;

/** @returns null where it does not run: a processor without vector instructions (AVX), or no compiler */
export function compareIn(memory: WebAssembly.Memory): Compare | null {
  module ??= compiled();
  if (module === null) return null;
  const { differing, products } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  return isFunction(differing) && isFunction(products) ? { differing, products } : null;
}

function compiled(): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(Buffer.from(assembled, "base64"));
  } catch {
    return null;
  }
}

function isFunction(value: unknown): value is (...values: number[]) => void {
  return typeof value === "function";
}

/** For the test. */
export const assembled_bytes = (): Buffer => Buffer.from(assembled, "base64");
