/** Writes what is told of all tools: `bun tools/make-listing.ts FILE`. */

import { writeFileSync } from "node:fs";
import { listingOf } from "./listing.ts";
import { testCatalog } from "./testing/catalog.ts";

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("listing the tools failed: give a file for it");
writeFileSync(file, JSON.stringify(listingOf(testCatalog())));
