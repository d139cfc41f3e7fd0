/**
 * Vectors of the image's documents, made when it was built (make-vectors.ts), so that a machine does not compute them: those that
 * are in a memory that the image brings. They count for the very model that made them; for another one they are made anew.
 */

import { existsSync } from "node:fs";
import { openReadOnly } from "../../wire/database.ts";
import type { Documents } from "./documents.ts";

interface Key {
  readonly sha256: string;
  readonly model: string;
}

/** Puts those into the database that it does not have. Inside the caller's transaction. @throws when `from` is no memory */
export function putVectors(from: string, { db }: Documents): void {
  if (!existsSync(from)) return;
  const made = openReadOnly(from);
  try {
    const has = db.prepare<[string, string]>("SELECT 1 FROM knowledge_vectors WHERE sha256 = ? AND model = ?");
    const vector = made
      .prepare<[string, string], Uint8Array>("SELECT vector FROM knowledge_vectors WHERE sha256 = ? AND model = ?")
      .pluck();
    const put = db.prepare("INSERT INTO knowledge_vectors (sha256, model, vector) VALUES (?, ?, ?)");
    for (const { sha256, model } of made.prepare<[], Key>("SELECT sha256, model FROM knowledge_vectors").all())
      if (has.get(sha256, model) === undefined) put.run(sha256, model, vector.get(sha256, model));
  } finally {
    made.close();
  }
}
