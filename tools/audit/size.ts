/** No entry is larger than what an answer can carry. */

import { createHash } from "node:crypto";
import { ToolError } from "../tool.ts";
import { canonicalJson } from "./canonical.ts";
import { type Unnumbered, unnumbered } from "./chain.ts";

/** Characters of the canonical JSON of an entry, below the 256 KiB of a frame. */
const entry_chars_max = 220_000;

/** Kinds without whose whole content a call could not be finished or taken back after a crash. */
const never_cut: ReadonlySet<string> = new Set(["intent", "image"]);

/**
 * The entry, or what can be kept of it: how a call ended has to be written however long the words for it are.
 * @throws {ToolError} for an intent or an image that is too large: then the call does not run
 */
export function fitted(content: Unnumbered["content"]): Unnumbered {
  const whole = unnumbered(content);
  const chars = whole.before.length + whole.after.length;
  if (chars <= entry_chars_max) return whole;
  if (never_cut.has(content.kind)) {
    const doing = `writing the ${content.kind} of "${content.tool}" to the audit failed`;
    throw new ToolError(`${doing}: it has ${chars} characters, more than ${entry_chars_max}; make the arguments smaller`);
  }
  const body = canonicalJson(content.body);
  const sha256 = createHash("sha256").update(body).digest("hex");
  return unnumbered({
    ...content,
    resources: content.resources.slice(0, 20),
    body: { cut: true, chars: body.length, sha256, start: body.slice(0, 2000) },
  });
}
