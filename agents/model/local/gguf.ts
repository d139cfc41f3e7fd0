/**
 * What a model file says of itself, as far as it is needed here: the chat template. The format is
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, little-endian.
 */

import { closeSync, openSync, readSync } from "node:fs";

const magic = "GGUF";
/** The vocabulary stands in the header too; what is longer than this is no model file. */
const header_bytes_max = 256 * 1024 * 1024;
const chunk_bytes = 1024 * 1024;
/** Bytes of a value by its type; strings (8) and arrays (9) say their length. */
const sizes: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const type_string = 8;
const type_array = 9;

/** Reads a file from its beginning, without holding what was read. */
class Reader {
  readonly #file: number;
  #buffer = Buffer.alloc(0);
  #at = 0;
  #read = 0;

  constructor(file: number) {
    this.#file = file;
  }

  take(bytes: number): Buffer {
    while (this.#buffer.length - this.#at < bytes) {
      const chunk = Buffer.allocUnsafe(Math.max(chunk_bytes, bytes));
      const got = readSync(this.#file, chunk, 0, chunk.length, this.#read);
      this.#read += got;
      if (got === 0 || this.#read > header_bytes_max + chunk_bytes) throw new Error("its header ends too early or is too long");
      this.#buffer = Buffer.concat([this.#buffer.subarray(this.#at), chunk.subarray(0, got)]);
      this.#at = 0;
    }
    this.#at += bytes;
    return this.#buffer.subarray(this.#at - bytes, this.#at);
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  length(): number {
    const length = Number(this.take(8).readBigUInt64LE());
    if (length > header_bytes_max) throw new Error(`a length in its header is ${length}`);
    return length;
  }

  skip(type: number): void {
    if (type === type_string) this.take(this.length());
    else if (type === type_array) this.#skipArray();
    else this.take(sizeOf(type));
  }

  #skipArray(): void {
    const of = this.u32();
    const count = this.length();
    if (of === type_string || of === type_array) for (let n = 0; n < count; n += 1) this.skip(of);
    else this.take(count * sizeOf(of));
  }
}

function sizeOf(type: number): number {
  const size = sizes[type];
  if (size === undefined) throw new Error(`its header has a value of type ${type}`);
  return size;
}

/** @returns the value of a key that is a string, null when there is none @throws when the file is no GGUF file */
export function ggufString(path: string, key: string): string | null {
  const file = openSync(path, "r");
  try {
    const reader = new Reader(file);
    if (reader.take(4).toString("latin1") !== magic) throw new Error("it does not begin with GGUF");
    reader.u32(); // version
    reader.take(8); // tensors
    const keys = reader.length();
    for (let n = 0; n < keys; n += 1) {
      const name = reader.take(reader.length()).toString("utf8");
      const type = reader.u32();
      if (name === key) return type === type_string ? reader.take(reader.length()).toString("utf8") : null;
      reader.skip(type);
    }
    return null;
  } catch (error) {
    throw new Error(`reading the model file "${path}" failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    closeSync(file);
  }
}
