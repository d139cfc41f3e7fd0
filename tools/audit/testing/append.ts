/** Appends entries until it is killed, and says each number once it is acknowledged: `bun append.ts <folder>`. */

import { auditIn, entryOf } from "./records.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("appending failed: give a folder");
const audit = auditIn(folder);
for (let round = 0; ; round += 1) {
  const written = await Promise.all([1, 2, 3].map((n) => audit.append(entryOf(round * 3 + n, "intent"))));
  process.stdout.write(`${written.map(({ seq, hash }) => `${seq} ${hash}`).join("\n")}\n`);
}
