/** Text as the tokenizer reads it, cut to what it can take in. */

import { createHash } from "node:crypto";
import { embed_chars_max } from "../../contracts/embed.ts";

/** As BERT's tokenizer cleans text: blanks for white space, nothing for what does not print. */
export function embeddable(text: string): string {
  const clean = text
    .slice(0, 2 * embed_chars_max)
    .toWellFormed()
    .replace(/\s+/g, " ")
    .replace(/[\p{Cc}\p{Cf}\ufffd]+/gu, "")
    .trim()
    .slice(0, embed_chars_max);
  return clean.toWellFormed();
}

export function textKey(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
