/**
 * Vectors of the image's documents, made when it was built (make-vectors.ts): a first boot does not compute them. A line of JSON, then the vectors, float32 of the machine's order (little-endian on all that there are).
 * They count for the very model that made them; for another one they are made anew.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ShippedVectors } from "../../contracts/memory/knowledge.ts";
import type { Documents } from "./documents.ts";

/** In the folder of the image's documents. */
export const vectors_file = "vectors";
const newline = 0x0a;

export interface SectionVector {
  readonly sha256: string;
  readonly vector: Uint8Array;
}

export function encodeVectors(head: Omit<ShippedVectors, "sections">, vectors: readonly SectionVector[]): Buffer {
  const line = JSON.stringify({ ...head, sections: vectors.map(({ sha256 }) => sha256) } satisfies ShippedVectors);
  return Buffer.concat([Buffer.from(`${line}\n`), ...vectors.map(({ vector }) => vector)]);
}

/** Puts those into the database that it does not have. Inside the caller's transaction. @throws when the file is not whole */
export function putVectors(folder: string, { db }: Documents): void {
  const path = join(folder, vectors_file);
  if (!existsSync(path)) return;
  const bytes = readFileSync(path);
  const end = bytes.indexOf(newline);
  const { model, dimensions, sections } = ShippedVectors.parse(JSON.parse(bytes.subarray(0, end).toString("utf8")));
  const size = dimensions * Float32Array.BYTES_PER_ELEMENT;
  if (bytes.length !== end + 1 + sections.length * size) throw new Error(`"${path}" is not as long as it says`);
  const missing = db
    .prepare<[string, string], { place: number; sha256: string }>(
      `SELECT key AS place, value AS sha256 FROM json_each(?)
       WHERE NOT EXISTS (SELECT 1 FROM knowledge_vectors k WHERE k.sha256 = value AND k.model = ?)`,
    )
    .all(JSON.stringify(sections), model);
  const put = db.prepare("INSERT INTO knowledge_vectors (sha256, model, vector) VALUES (?, ?, ?)");
  for (const { place, sha256 } of missing) {
    const begin = end + 1 + place * size;
    put.run(sha256, model, bytes.subarray(begin, begin + size));
  }
}
