/**
 * Makes the memory that a machine begins with, of the image's documents and their vectors, as memory itself would:
 * `bun memory/knowledge/make-first.ts FOLDER VECTORS SECONDS`. FOLDER is where they lie and where it goes, VECTORS what
 * make-vectors.ts made of them, SECONDS when they are from.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Keeper } from "../keeper.ts";
import { first_file } from "../store/first.ts";
import { Shipped } from "./shipped.ts";
import { putVectors } from "./shipped-vectors.ts";

function fail(why: string): never {
  throw new Error(`making the memory of a first start failed: ${why}`);
}

const [folder = fail("name the folder of the documents"), vectors = fail("name the file of their vectors"), built_s] =
  process.argv.slice(2);
if (!/^\d+$/.test(built_s ?? "")) fail("name the second that they are from");
const home = mkdtempSync(join(tmpdir(), "aios-first-"));
try {
  const keeper = new Keeper(home);
  keeper.write(({ documents }) => putVectors(vectors, documents));
  const shipped = new Shipped(folder, () => Number(built_s) * 1000);
  await shipped.bring(keeper);
  if (shipped.note !== null) fail(shipped.note);
  const out = join(folder, first_file);
  rmSync(out, { force: true });
  // one file without a log, its pages in order: two builds make the same
  keeper.read(({ documents: { db } }) => db.prepare("VACUUM INTO ?").run(out));
  keeper.close();
} finally {
  rmSync(home, { recursive: true, force: true });
}
