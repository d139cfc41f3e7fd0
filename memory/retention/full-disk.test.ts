/**
 * A disk that really is full, while something else takes all the room that memory makes: without a rule nothing goes; a rule that a
 * person sets then is taken although nothing else is written, what it is about goes, nothing else, and writing goes on.
 */

import { expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Memory } from "../../contracts/memory/record.ts";
import { boot, noteMemory } from "../testing/records.ts";
import { type MemoryPeer, startMemory } from "../testing/service.ts";
import { smallDisk } from "../testing/small-disk.ts";
import { checkedOn } from "../upkeep/testing/checked-on.ts";
import { takeAll } from "../upkeep/testing/take-all.ts";
import { keep_newest } from "./choose.ts";

setDefaultTimeout(600_000);

const old = 2000;
const batch = 50;
const moved_at_once = 250;
const patient_ms = 120_000;
const little_bytes = 2 * 1024 * 1024;

/** What does not become smaller by compressing. */
const oldNote = (n: number): Memory => ({
  ...{ ...noteMemory(n, null), id: `${boot}-old-${n}`, kind: "conversation" },
  body: { said: randomBytes(2400).toString("base64") },
});
const freshNote = (n: number): Memory => ({ ...noteMemory(n, null), id: `${boot}-fresh-${n}`, time_ms: Date.now(), kind: "lesson" });

async function append(peer: MemoryPeer, count: number, of: (n: number) => Memory): Promise<void> {
  for (let n = 0; n < count; n += batch)
    await peer.call("append", { memories: Array.from({ length: batch }, (_, at) => of(n + at)) }, patient_ms);
}

/** Fewer at once than are worth a segment, and more than there is room for in the log. */
const largeNotes = (round: number): Memory[] =>
  Array.from({ length: 3 }, (_, n) => ({
    ...freshNote(1_000_000 + round * 10 + n),
    body: { said: randomBytes(40_000).toString("base64") },
  }));

/** Writes until it is refused so, or (null) no longer. */
async function refusal(peer: MemoryPeer, wanted: string | null): Promise<void> {
  for (let round = 0; ; round += 1) {
    const refused = await peer.call("append", { memories: largeNotes(round) }, patient_ms).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : ""),
    );
    if (wanted === null ? refused === null : refused?.includes(wanted)) return;
    await Bun.sleep(50);
  }
}

async function told(broker: MemoryPeer): Promise<string[]> {
  const { found } = await broker.call(
    "search",
    { query: "deleted by rule of retention", mode: "words", filter: { sources: ["memory"] }, limit: 5 },
    patient_ms,
  );
  return found.map(({ memory }) => memory.text);
}

test("nothing goes while no rule says so; a rule is taken while all else is refused, and done", async () => {
  const disk = smallDisk("memory-retention-full", 24 * 1024 * 1024);
  const service = await startMemory(disk.folder, disk.wrap);
  const elsewhere = disk.seen(service.child.pid, join(disk.folder, "something-else"));
  const broker = await service.ask("broker");
  const reactive = await service.ask("reactive");
  await append(reactive, old, oldNote);
  await append(reactive, keep_newest, freshNote);

  // nothing is left that could be compressed
  for (let moved = 0; moved < old + keep_newest; moved += moved_at_once)
    await broker.call("segments.move", { older_than_days: 0, limit: moved_at_once }, patient_ms);
  writeFileSync(elsewhere, "");
  takeAll(elsewhere);
  const taking = setInterval(() => takeAll(elsewhere), 5);
  await refusal(reactive, "nothing more of memory can be compressed");
  clearInterval(taking);
  const { memories, disk: state } = await broker.call("stats", {}, patient_ms);
  expect(memories).toBeGreaterThanOrEqual(old + keep_newest);
  expect(state.room_made).toMatchObject({ resumed: false, deleted: 0 });
  expect(state.refusing).toContain("nothing was deleted");

  // a little is needed to delete anything, less than to go on writing
  truncateSync(elsewhere, statSync(elsewhere).size - little_bytes);
  const filter = { older_than_days: 30, kinds: ["conversation" as const] };
  await broker.call("retention.set", { filter, by: "person:anna", reason: "they are not needed", call: "call-1" }, patient_ms);
  await refusal(reactive, null);
  while ((await broker.call("retention.list", { tombstones: 0 }, patient_ms)).deleted < old) await Bun.sleep(50);
  const after = await broker.call("stats", {}, patient_ms);
  expect(after.disk).toMatchObject({ refusing: null, room_made: { resumed: true } });
  expect(after.by_kind).not.toHaveProperty("conversation");
  expect(after.by_kind["lesson"]).toBeGreaterThanOrEqual(keep_newest);
  expect((await broker.call("retention.list", { tombstones: 0 }, patient_ms)).deleted).toBe(old);
  while (!(await told(broker)).some((text) => text.includes("memories were deleted by rule 1 of retention, which person:anna set")))
    await Bun.sleep(50);
  await service.kill();
  const { degradation, faults } = await checkedOn(disk, "/dev/null");
  expect({ degradation, faults }).toEqual({ degradation: null, faults: [] });
});
