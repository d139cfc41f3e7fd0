/**
 * A disk of a few MiB that really is full, with writers that go on: memory compresses itself until there is room, and when
 * there is none it stays up for reading, until somebody makes room.
 */

import { expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diskFolder } from "../testing/folder.ts";
import { largeNote } from "../testing/records.ts";
import { startMemory } from "../testing/service.ts";
import { smallDisk } from "../testing/small-disk.ts";
import { checkedOn } from "./testing/checked-on.ts";
import { RetryingWriter } from "./testing/retrying-writer.ts";
import { Ledger } from "./testing/streams.ts";
import { takeAll } from "./testing/take-all.ts";

setDefaultTimeout(600_000);

test("writers that go on: memory gets out of a full disk by itself, and stays up for reading when it cannot", async () => {
  const disk = smallDisk("memory-full-disk", 24 * 1024 * 1024);
  const service = await startMemory(disk.folder, disk.wrap);
  const elsewhere = disk.seen(service.child.pid, join(disk.folder, "something-else"));
  writeFileSync(elsewhere, Buffer.alloc(6 * 1024 * 1024, 1));
  const ledger_path = join(diskFolder("memory-full-ledger"), "ledger");
  const broker = await service.ask("broker");
  const writer = new RetryingWriter(await service.ask("reactive"), new Ledger(ledger_path));

  await writer.write(() => writer.refused("nothing is written while memories are compressed"));
  const before = writer.acknowledged;
  await writer.write(() => writer.acknowledged >= before + 200);
  const { disk: state, segments } = await broker.call("stats", {});
  expect(state).toMatchObject({ refusing: null, room_made: { resumed: true } });
  expect(segments).toBeGreaterThan(0);
  const oldest = await broker.call("search", { query: largeNote(3).text, mode: "words", filter: {}, limit: 3 });
  expect(oldest.found.map(({ memory }) => memory.id)).toContain(largeNote(3).id);
  const told = await broker.call("search", { query: "disk of memory was full", mode: "words", filter: {}, limit: 3 });
  expect(told.found[0]?.memory).toMatchObject({ source: "memory", kind: "action", outcome: "worked" });

  // from now on something else takes all the room that memory makes
  const taking = setInterval(() => takeAll(elsewhere), 5);
  await writer.write(() => writer.refused("nothing more of memory can be compressed"));
  clearInterval(taking);
  const stuck = writer.acknowledged;
  const full = await broker.call("stats", {});
  expect(full.disk.refusing).toContain("free or enlarge the data partition");
  expect(await broker.call("recall", { ids: [largeNote(7).id] })).toMatchObject([{ body: largeNote(7).body }]);
  const found = await broker.call("search", { query: largeNote(stuck - 1).text, mode: "words", filter: {}, limit: 3 });
  expect(found.found.map(({ memory }) => memory.id)).toContain(largeNote(stuck - 1).id);

  rmSync(elsewhere);
  await writer.write(() => writer.acknowledged >= stuck + 100);
  expect((await broker.call("stats", {})).disk.refusing).toBeNull();
  await service.kill();
  const { degradation, faults, missing } = await checkedOn(disk, ledger_path);
  expect({ degradation, faults, missing }).toEqual({ degradation: null, faults: [], missing: [] });
});
