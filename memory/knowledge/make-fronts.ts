/** Reads the front matter of the image's documents: `bun memory/knowledge/make-fronts.ts FOLDER FILE`. */

import { writeFileSync } from "node:fs";
import type { ShippedFronts } from "../../contracts/memory/knowledge.ts";
import { parseDocumentOf } from "./document.ts";
import { hashOf } from "./documents.ts";
import { readFolder } from "./shipped.ts";

function fail(why: string): never {
  throw new Error(`reading the front matter of the documents failed: ${why}`);
}

const [folder = fail("name their folder"), out = fail("name the file")] = process.argv.slice(2);
const fronts: ShippedFronts = {};
for (const [id, text] of readFolder(folder)) {
  const parsed = parseDocumentOf(id, text);
  if ("problems" in parsed) fail(`"${id}": ${parsed.problems.join(", ")}`);
  fronts[hashOf(text)] = parsed.document.front;
}
writeFileSync(out, JSON.stringify(fronts));
