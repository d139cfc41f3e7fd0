/**
 * SIGKILL at random moments while rules of retention delete, hot and cold, and others write: what no rule is about is there as it
 * was written, what was acknowledged meanwhile too, the file is whole, and every number that is missing has its tombstone. 6 times;
 * 100 with AIOS_LONG=1.
 */

import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { openReadOnly } from "../../wire/database.ts";
import { RpcError } from "../../wire/peer.ts";
import { Keeper } from "../keeper.ts";
import { wallClock } from "../testing/clock.ts";
import { diskFolder } from "../testing/folder.ts";
import { boot, exitedEvent, noteMemory } from "../testing/records.ts";
import { type MemoryService, startMemory } from "../testing/service.ts";
import { segmentsIn } from "../upkeep/folders.ts";
import { Upkeep } from "../upkeep/upkeep.ts";
import { keep_newest } from "./choose.ts";

setDefaultTimeout(3_600_000);

const rounds = process.env["AIOS_LONG"] === "1" ? 100 : 6;
/** Notes that a rule is about, and events that none is: some hundred are deleted in a life. */
const old = 500 * rounds;
const life_ms_max = 150;
const patient_ms = 60_000;

const note = (n: number) => noteMemory(n, null);

/** What is old, half of it cold, and behind it what is fresh. */
async function prepare(folder: string): Promise<void> {
  const keeper = new Keeper(folder);
  keeper.write(({ longterm, store }) => {
    for (let n = 0; n < old; n += 1) {
      longterm.put(note(n));
      store.addEvent(exitedEvent(n));
    }
    for (let n = 0; n < keep_newest; n += 1) longterm.put({ ...note(n), id: `${boot}-fresh-${n}`, time_ms: Date.now(), kind: "lesson" });
  });
  const upkeep = new Upkeep({ keeper, clock: wallClock(Date.now) });
  for (let n = 0; n < 2; n += 1) await upkeep.move({ older_than_ms: null, keep_newest: 0, at_least: 1, limit: old / 2 });
  const filter = { older_than_days: 30, kinds: ["note" as const] };
  keeper.write(({ retention }) => retention.rules.set({ filter, by: "person:anna", reason: "a test", call: "call-1" }, Date.now()));
  keeper.close();
}

/** Kills it a little after more was deleted, or when nothing is left to delete. */
async function killWhileDeleting(service: MemoryService, before: number): Promise<void> {
  const broker = await service.ask("broker");
  for (;;) {
    const { deleted } = await broker.call("retention.list", { tombstones: 0 }, patient_ms);
    if (deleted > before || deleted === old) break;
    await Bun.sleep(5);
  }
  await Bun.sleep(Math.random() * life_ms_max);
  service.child.kill("SIGKILL");
}

/** @returns the numbers that were acknowledged */
async function write(service: MemoryService, from: number): Promise<number[]> {
  const acknowledged: number[] = [];
  const peer = await service.ask("reactive");
  try {
    for (let n = from; ; n += 1) {
      await peer.call("append", { memories: [{ ...note(n), id: `${boot}-live-${n}`, time_ms: Date.now(), kind: "lesson" }] }, patient_ms);
      acknowledged.push(n);
    }
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
  }
  return acknowledged;
}

function check(folder: string, live: readonly number[]): number {
  const keeper = new Keeper(folder);
  expect(keeper.degradation).toBeNull();
  const db = openReadOnly(join(folder, "memory.db"));
  expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  db.close();
  expect(keeper.parts.longterm.check()).toEqual([]);
  const lost = Array.from({ length: old }, (_, n) => n).filter(
    (n) => !isDeepStrictEqual(keeper.store.event(exitedEvent(n).id), exitedEvent(n)),
  );
  expect(lost).toEqual([]);
  expect(live.filter((n) => !keeper.parts.longterm.holds(`${boot}-live-${n}`))).toEqual([]);
  expect([...keeper.parts.cold.damaged.values()]).toEqual([]);
  const { total } = keeper.parts.retention.tombstones;
  keeper.close();
  return total;
}

test(`killed ${rounds} times while it deletes: only what a rule is about is missing, and a tombstone tells of it`, async () => {
  const data = diskFolder("memory-retention-kill");
  const folder = join(data, "memory");
  const live: number[] = [];
  await prepare(folder);
  let deleted = 0;
  for (let round = 0; round < rounds; round += 1) {
    const service = await startMemory(data);
    const writing = write(service, live.length === 0 ? 0 : (live.at(-1) ?? 0) + 2);
    await killWhileDeleting(service, deleted);
    live.push(...(await writing));
    await service.kill();
    deleted = check(folder, live);
  }
  const keeper = new Keeper(folder);
  const upkeep = new Upkeep({ keeper, clock: wallClock(Date.now) });
  await upkeep.recover();
  await upkeep.forget();
  // segments that are known, and no other file
  const known = keeper.parts.upkeep.segments().map(({ id }) => `${id}.seg`);
  expect(readdirSync(segmentsIn(folder)).sort()).toEqual(known.sort());
  keeper.close();
  expect(check(folder, live)).toBe(old);
  const last = new Keeper(folder);
  expect(Array.from({ length: old }, (_, n) => n).filter((n) => last.parts.longterm.holds(note(n).id))).toEqual([]);
  last.close();
});
