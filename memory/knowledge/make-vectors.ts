/**
 * Makes the vectors of the image's documents, as memory itself would: `bun memory/knowledge/make-vectors.ts FOLDER MODEL FILE`.
 * FILE becomes a memory that has them. Apart from make-first.ts, for they take long and depend on the documents alone.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Encoder } from "../embed/encoder.ts";
import { embeddable } from "../embed/text.ts";
import { Keeper } from "../keeper.ts";
import type { Embedder } from "../longterm/embedder.ts";
import { Meaning } from "./meaning.ts";
import { Shipped } from "./shipped.ts";

function fail(why: string): never {
  throw new Error(`making the vectors of the documents failed: ${why}`);
}

const [folder = fail("name their folder"), model_path = fail("name the model"), out = fail("name the file")] = process.argv.slice(2);
const home = mkdtempSync(join(tmpdir(), "aios-vectors-"));
try {
  const encoder = await Encoder.open(model_path, availableParallelism(), () => {});
  const embedder: Embedder = {
    model: encoder.model,
    dimensions: encoder.dimensions,
    reason: null,
    embed: (texts) => Promise.all(texts.map((text) => encoder.encode(embeddable(text), false))),
  };
  const keeper = new Keeper(home);
  const shipped = new Shipped(folder);
  await shipped.bring(keeper);
  if (shipped.note !== null) fail(shipped.note);
  const troubles: string[] = [];
  const meaning = new Meaning({ keeper, embedder, onTrouble: (text) => troubles.push(text) });
  meaning.wake();
  await meaning.idle();
  meaning.stop();
  if (troubles.length > 0) fail(troubles.join("; "));
  const made = keeper.read(({ documents: { db } }) => {
    db.prepare("VACUUM INTO ?").run(out);
    return db.prepare<[], number>("SELECT count(*) FROM knowledge_vectors").pluck().get() ?? 0;
  });
  if (made === 0) fail("there are none");
  process.stdout.write(`${made} vectors of ${encoder.dimensions}\n`);
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.exit(0); // llama.cpp's threads would go on
