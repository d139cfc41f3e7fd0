/** Holds the vectors of a built model against those of the reference implementation. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { Encoder } from "../memory/embed/encoder.ts";

/** A vector that agrees less means a wrong conversion; what 8 bits a weight cost is a tenth of this. */
const cosine_min = 0.99;

const Reference = z.object({ text: z.string(), tokens: z.array(z.number()), vector: z.array(z.number()) });
type Reference = z.infer<typeof Reference>;

export function readReference(file: string): Reference[] {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => Reference.parse(JSON.parse(line)));
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, of_a, of_b] = [0, 0, 0];
  for (let at = 0; at < a.length; at += 1) {
    const [x, y] = [a[at] ?? 0, b[at] ?? 0];
    dot += x * y;
    of_a += x * x;
    of_b += y * y;
  }
  return dot / Math.sqrt(of_a * of_b);
}

/** @returns the least cosine @throws when a sentence is cut into other tokens, or its vector is another */
export async function checkVectors(model: string, references: readonly Reference[]): Promise<number> {
  const encoder = await Encoder.open(model, 1, (line) => process.stderr.write(`llama.cpp: ${line}\n`));
  let least = 1;
  for (const { text, tokens, vector } of references) {
    const quoted = `checking the model "${model}" failed: for "${text.slice(0, 80)}"`;
    const ours = encoder.tokens(text);
    if (ours.join() !== tokens.join()) throw new Error(`${quoted} its tokens are ${ours.join()}, the reference's ${tokens.join()}`);
    const agreement = cosine(await encoder.encode(text, false), vector);
    if (!(agreement >= cosine_min)) throw new Error(`${quoted} the cosine with the reference's vector is ${agreement}`);
    least = Math.min(least, agreement);
  }
  return least;
}

export function sha256Of(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
