/** A line, taken apart: as it is when it is plain text, cleaned first when it is not. */

import { clean } from "./clean.ts";
import { limits } from "./limits.ts";
import { code, codeAt, load } from "./scan/chars.ts";
import type { Words } from "./scan/words.ts";

export function takeApart(raw: string, words: Words): void {
  if (raw.length <= limits.line_chars_max && load(raw) && codeAt(0) !== code.brace) {
    words.scan(raw, "");
    return;
  }
  const { text, rest } = clean(raw);
  load(text);
  words.scan(text, rest);
}
