/** `reviewed.yaml`: licences as they were read out of Debian copyright files, with the evidence; not legal opinions. Each counts for one content of its file. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { stanzas } from "./debian-copyright.ts";

const Evidence = z.union([z.strictObject({ files: z.string(), licence: z.string() }), z.strictObject({ text: z.string().min(10) })]);
const Review = z.strictObject({
  packages: z.array(z.string()).min(1),
  copyright: z.string().regex(/^[0-9a-f]{64}$/),
  licence: z.string().min(1),
  evidence: z.array(Evidence).min(1),
  texts: z.record(z.string().regex(/^LicenseRef-[a-zA-Z0-9.-]+$/), z.string()).default({}),
  remark: z.string().optional(),
});
type Review = z.infer<typeof Review>;
type Evidence = z.infer<typeof Evidence>;

interface ReviewedLicence {
  readonly expression: string;
  /** What the copyright file says, in short. */
  readonly evidence: string;
  readonly remark: string | null;
  /** The words of the LicenseRef- identifiers in the expression. */
  readonly texts: ReadonlyMap<string, string>;
}

export function readReviews(file = join(import.meta.dir, "reviewed.yaml")): readonly Review[] {
  const found = z.array(Review).safeParse(parse(readFileSync(file, "utf8")));
  if (!found.success) throw new Error(`reading the reviewed licences "${file}" failed: ${z.prettifyError(found.error)}`);
  return found.data;
}

/**
 * @param text the package's copyright file
 * @returns null when nobody has reviewed the package; "stale" when its file is another than the one that was read
 * @throws when the file does not say what the review says it does: then the table is wrong
 */
export function reviewedLicence(reviews: readonly Review[], name: string, text: string): ReviewedLicence | "stale" | null {
  const review = reviews.find((each) => each.packages.includes(name));
  if (review === undefined) return null;
  if (createHash("sha256").update(text).digest("hex") !== review.copyright) return "stale";
  for (const evidence of review.evidence)
    if (!saysSo(text, evidence))
      throw new Error(`checking the reviewed licence of "${name}" failed: its copyright file does not have ${JSON.stringify(evidence)}`);
  return {
    expression: review.licence.trim(),
    evidence: review.evidence.map(inShort).join("; "),
    remark: review.remark ?? null,
    texts: new Map(Object.entries(review.texts).map(([id, licence]) => [id, wordsOf(text, licence, name)])),
  };
}

function saysSo(text: string, evidence: Evidence): boolean {
  const plain = (words: string): string => words.replace(/\s+/g, " ");
  if ("text" in evidence) return plain(text).includes(plain(evidence.text));
  return stanzas(text).some(({ files, licence }) => licence === evidence.licence && files.includes(evidence.files));
}

function inShort(evidence: Evidence): string {
  return "text" in evidence ? `"${evidence.text}"` : `Files: ${evidence.files} … License: ${evidence.licence}`;
}

function wordsOf(text: string, licence: string, name: string): string {
  const found = stanzas(text).find((stanza) => stanza.licence === licence && stanza.words !== "");
  if (found === undefined) throw new Error(`reading the words of licence "${licence}" of "${name}" failed: its copyright file has none`);
  return found.words;
}
