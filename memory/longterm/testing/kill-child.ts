/**
 * Writes memories, events and their vectors as fast as it can and says on stdout what is durable, until it is killed:
 * `bun memory/longterm/testing/kill-child.ts <folder> <first number>`.
 */

import { writeSync } from "node:fs";
import { exitedEvent } from "../../testing/records.ts";
import { hashingEmbedder } from "./hashing-embedder.ts";
import { note, remembering } from "./memories.ts";

const [folder, first] = process.argv.slice(2);
if (folder === undefined || first === undefined) throw new Error("writing memories failed: give a folder and a number");

const { memory, commit, background } = remembering(hashingEmbedder(), folder);
for (let n = Number(first); ; n += 1) {
  // half of the texts are known already
  const memories = [0, 1, 2, 3].map((part) => note(n * 4 + part, part < 2 ? `often said ${n % 50}` : `said once: ${n * 4 + part}`));
  await Promise.all([memory.append({ memories }), commit.append({ events: [exitedEvent(n)], decisions: [] })]);
  writeSync(1, `${n}\n`);
  background.wake();
  if (n % 10 === 0) await memory.quarantine({ id: memories[0]?.id ?? "", reason: "test", influenced: true });
  await new Promise((resolve) => setImmediate(resolve));
}
