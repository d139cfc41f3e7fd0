import { expect, test } from "bun:test";
import { join } from "node:path";
import { openFile } from "../../wire/database.ts";
import { history } from "../store/migrations/001-history.ts";
import { memory_file } from "../store/migrations.ts";
import { writeHistory } from "../store/testing/old-rows.ts";
import { diskFolder } from "../testing/folder.ts";
import { decisionOn, exitedEvent, stepEvent } from "../testing/records.ts";
import { hashingEmbedder } from "./testing/hashing-embedder.ts";
import { note, noteId, remembering } from "./testing/memories.ts";

const texts = (count: number) => Array.from({ length: count }, (_, n) => note(n, `memory number ${n} of many, word${n % 17}`));

test("events and decisions of schema 1 become memories, also when that was interrupted", async () => {
  const folder = diskFolder("memory-schema-1");
  const old = openFile(join(folder, "memory.db"), { ...memory_file, migrations: [history] });
  const events = Array.from({ length: 1300 }, (_, at) => at + 1).map((n) =>
    n % 2 === 0 ? exitedEvent(n, "nginx") : { ...stepEvent(n), untrusted: `line ${n}` },
  );
  writeHistory(old, events, [decisionOn(exitedEvent(2, "nginx"), 1, "done")]);
  old.prepare('UPDATE events SET body = \'{"kind":"of a later version"}\' WHERE seq = 7').run();
  old.close();

  const begun = remembering(undefined, folder);
  begun.keeper.write(({ longterm }) => longterm.carryOver(200));
  await begun.commit.append({ events: [exitedEvent(5000, "postgres")], decisions: [] });
  begun.keeper.close();

  const { keeper, background, memory, search } = remembering(undefined, folder);
  background.wake();
  await background.idle();
  expect(keeper.parts.longterm.carryOverLeft()).toBe(0);
  expect(keeper.parts.longterm.check()).toEqual([]);
  expect(await memory.stats({})).toMatchObject({ memories: 1301, by_kind: { event: 1300, decision: 1 }, tainted: 649 });
  const [decision] = (await search("decided restart nginx", { filter: { kinds: ["decision"] } })).found;
  expect(decision?.memory).toMatchObject({ outcome: "worked", body: { rule: "service-dead" } });
  expect(await memory.recall({ ids: [stepEvent(7).id] })).toEqual([]);
}, 600_000);

test("vectors are made in the background, go on where they were, and agree with the rows", async () => {
  const embedder = hashingEmbedder();
  const { remember, keeper, folder, memory } = remembering(embedder);
  await remember(...texts(100));
  expect(embedder.asked).toBe(100);
  await memory.append({ memories: [note(500, "one more")] });
  keeper.close();
  const again = remembering(embedder, folder);
  again.background.wake();
  await again.background.idle();
  expect(embedder.asked).toBe(101);
  expect(again.keeper.parts.longterm.check()).toEqual([]);
  expect(await again.memory.stats({})).toMatchObject({ texts: 101, vectors: 101 });
}, 600_000);

test("another model: all vectors are made again, and never compared with those of the one before", async () => {
  const first = remembering(hashingEmbedder("one", 128));
  await first.remember(...texts(80));
  first.keeper.close();
  const embedder = hashingEmbedder("two", 64);
  const second = remembering(embedder, first.folder);
  const meanwhile = await second.search("memory number 5", { mode: "meaning" });
  expect(meanwhile.found).toEqual([]);
  second.background.wake();
  await second.background.idle();
  expect(embedder.asked).toBe(80 + 1);
  expect(second.keeper.parts.longterm.check()).toEqual([]);
  expect(await second.memory.stats({})).toMatchObject({ model: "two", vectors: 80 });
  expect((await second.found("memory number 5, word5", { mode: "meaning" }))[0]).toBe(noteId(5));
}, 600_000);

test("one text that cannot be embedded holds nothing up, and is given up after a few attempts", async () => {
  const embedder = hashingEmbedder();
  embedder.failing = "number 13 ";
  const { remember, keeper, found } = remembering(embedder);
  await remember(...texts(40));
  expect(keeper.parts.longterm.vectors.count).toBe(39);
  expect(keeper.parts.longterm.vectors.waitingCount()).toBe(0);
  expect(keeper.parts.longterm.check()).toEqual([]);
  expect(await found("13", { mode: "words" })).toEqual([noteId(13)]);
});

test("a model that fails altogether: said, nothing is given up, and it goes on when the model does", async () => {
  const embedder = hashingEmbedder();
  embedder.failing = "memory";
  const { remember, keeper, background, trouble, search } = remembering(embedder);
  await remember(...texts(40));
  expect(trouble).toEqual([expect.stringContaining("this text cannot be embedded")]);
  expect(keeper.parts.longterm.vectors.waitingCount()).toBe(40);
  expect((await search("word3")).note).toContain("40 texts have no vector yet");
  embedder.failing = null;
  background.wake();
  await background.idle();
  expect(keeper.parts.longterm.vectors.waitingCount()).toBe(0);
  expect(background.trouble).toBeNull();
  background.stop();
});
