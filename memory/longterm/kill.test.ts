/** SIGKILL at random moments while memories are written and vectors made: rows and both indexes agree. 500 times with AIOS_LONG=1. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { openDatabase } from "../store/open.ts";
import { diskFolder } from "../testing/folder.ts";
import { exitedEvent } from "../testing/records.ts";
import { LongTerm } from "./longterm.ts";
import { hashingEmbedder } from "./testing/hashing-embedder.ts";
import { note, noteId, remembering } from "./testing/memories.ts";

const kills = process.env["AIOS_LONG"] === "1" ? 500 : 6;
const life_ms_max = 300;
/** Everything is read for a check: not after each of many kills. */
const checked_every = kills > 50 ? 20 : 1;

/** @returns the last number that was durable, or null when it was killed before the first */
async function writeUntilKilled(folder: string, first: number): Promise<number | null> {
  const script = join(import.meta.dir, "testing", "kill-child.ts");
  const child = Bun.spawn([process.execPath, script, folder, String(first)], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  let said = "";
  let dying = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    said += new TextDecoder().decode(value);
    if (!dying) setTimeout(() => child.kill("SIGKILL"), Math.random() * life_ms_max);
    dying = true;
  }
  await child.exited;
  return said.includes("\n") ? Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1)) : null;
}

test("killed while it writes and embeds: nothing durable is lost, rows and indexes agree, and it goes on", async () => {
  const folder = diskFolder("memory-longterm-kill");
  let next = 0;
  for (let kill = 1; kill <= kills; kill += 1) {
    const last = await writeUntilKilled(folder, next);
    expect(last).not.toBeNull();
    const first = next;
    // what was in work may be there too
    next = (last ?? next) + 2;
    if (kill % checked_every !== 0) continue;
    const { keeper, memory } = remembering(hashingEmbedder(), folder);
    expect(keeper.degradation).toBeNull();
    expect(keeper.parts.longterm.check()).toEqual([]);
    const numbers = Array.from({ length: (last ?? first) - first + 1 }, (_, n) => first + n).slice(-40);
    const ids = numbers.flatMap((n) => [noteId(n * 4 + 3), exitedEvent(n).id]);
    for (let at = 0; at < ids.length; at += 50) {
      const asked = ids.slice(at, at + 50);
      expect((await memory.recall({ ids: asked })).map(({ id }) => id)).toEqual(asked);
    }
    keeper.close();
  }
  const { keeper, background, memory } = remembering(hashingEmbedder(), folder);
  background.wake();
  await background.idle();
  const stats = await memory.stats({});
  expect(stats.vectors).toBe(stats.texts);
  expect(keeper.parts.longterm.check()).toEqual([]);
}, 3_600_000);

test("the check finds what does not agree", async () => {
  const faults: readonly [string, string][] = [
    ["1 texts that cannot be found by word", "DELETE FROM words WHERE rowid = 1"],
    ["1 entries of the vector index without a vector", "DELETE FROM vectors WHERE text_id = 1"],
    ["1 vectors that cannot be found by meaning", "DELETE FROM nearest WHERE rowid = 1"],
    ["1 entries of the vector index that differ", "UPDATE vectors SET v = zeroblob(128) WHERE text_id = 1"],
    ["1 memories without a body", "UPDATE memories SET body = NULL WHERE seq = 2"],
    ["1 events without a memory", "DELETE FROM memories WHERE kind = 'event'"],
  ];
  for (const [said, sql] of faults) {
    const { keeper, remember, commit, folder } = remembering(hashingEmbedder());
    await commit.append({ events: [exitedEvent(1)], decisions: [] });
    await remember(note(1, "one"), note(2, "two"));
    expect(keeper.parts.longterm.check()).toEqual([]);
    keeper.close();
    const { db } = openDatabase(folder);
    const broken = new LongTerm(db);
    db.exec(sql);
    expect(broken.check().join()).toContain(said);
    db.close();
  }
}, 600_000);
