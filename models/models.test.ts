/** What `bun models/build.ts` made. */

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkVectors, cosine, readReference, sha256Of } from "./check.ts";
import { reference_file, sentence_model, sentence_model_file } from "./places.ts";

const built = test.skipIf(!existsSync(sentence_model_file));

built("the sentence model is the file that was checked, and agrees with the reference on every sentence", async () => {
  const source = join(import.meta.dir, sentence_model.name);
  expect(sha256Of(sentence_model_file)).toBe(readFileSync(join(source, "model.sha256"), "utf8").trim());
  const references = readReference(reference_file);
  const sentences = readFileSync(join(source, "sentences.txt"), "utf8").split("\n");
  expect(references.map(({ text }) => text)).toEqual(sentences.filter((line) => line !== ""));
  expect(references.length).toBeGreaterThanOrEqual(50);
  expect(await checkVectors(sentence_model_file, references)).toBeGreaterThanOrEqual(0.99);
});

built("a model that disagrees is refused", async () => {
  const [first, second] = readReference(reference_file);
  if (first === undefined || second === undefined) throw new Error("there are no references");
  const swapped = { ...first, vector: second.vector };
  await expect(checkVectors(sentence_model_file, [swapped])).rejects.toThrow("the cosine with the reference's vector is");
  await expect(checkVectors(sentence_model_file, [{ ...first, tokens: second.tokens }])).rejects.toThrow("its tokens are");
});

test("the cosine is that of the angle, whatever the lengths", () => {
  expect(cosine([1, 0], [0, 5])).toBe(0);
  expect(cosine([2, 2], [3, 3])).toBeCloseTo(1, 12);
  expect(cosine([1, 0], [-4, 0])).toBe(-1);
});
