import { expect, test } from "bun:test";
import { closeSync, fstatSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { GroupCommit } from "./group-commit.ts";
import { Keeper } from "./keeper.ts";
import { diskFolder } from "./testing/folder.ts";
import { exitedEvent } from "./testing/records.ts";

function running(): { keeper: Keeper; commit: GroupCommit; folder: string } {
  const folder = diskFolder("memory");
  const keeper = new Keeper(folder);
  const commit = new GroupCommit({
    parts: () => keeper.parts,
    onWritten: () => keeper.written(),
    onFailed: (error) => keeper.failed(error),
  });
  return { keeper, commit, folder };
}

const batch = (from: number, count: number) => ({
  events: Array.from({ length: count }, (_, n) => ({ ...exitedEvent(from + n), untrusted: "x".repeat(500) })),
  decisions: [],
});

test("what arrives in one turn is one transaction, acknowledged together", async () => {
  const { keeper, commit } = running();
  const all = [commit.append(batch(0, 2)), commit.append(batch(1, 2)), commit.append(batch(0, 1))];
  expect(keeper.store.events).toBe(0);
  expect(await Promise.all(all)).toEqual([2, 1, 0]);
  expect(keeper.store.events).toBe(3);
});

test("a full disk: the write is refused and said, reading goes on, and it recovers by itself", async () => {
  const { keeper, commit } = running();
  await commit.append(batch(0, 1));
  keeper.limitPages(12);
  const refused = await commit.append(batch(1, 400)).then(
    () => null,
    (error: unknown) => error,
  );
  expect(refused).toMatchObject({ code: "SQLITE_FULL" });
  expect(keeper.health(0, 0)).toMatchObject({ status: "degraded", facts: { persistent: false, events: 1 } });
  expect(keeper.degradation).toContain("free or enlarge the data partition");
  expect(keeper.read(({ store }) => store.newestEvents({ limit: 9, kind: null, service: null }))).toHaveLength(1);
  keeper.limitPages(100_000);
  await commit.append(batch(1, 400));
  expect(keeper.health(0, 0)).toMatchObject({ status: "ok", facts: { events: 401 } });
});

test("damage that is met while running: the file is kept aside and the service goes on", async () => {
  const { keeper, commit, folder } = running();
  for (let n = 0; n < 20; n += 1) await commit.append(batch(n * 100, 100));
  keeper.close();
  const again = new Keeper(folder);
  const fd = openSync(join(folder, "memory.db"), "r+");
  const pages = fstatSync(fd).size / 4096;
  for (let page = 1; page < pages; page += 1) writeSync(fd, Buffer.alloc(4096, 0x5a), 0, 4096, page * 4096);
  closeSync(fd);
  expect(() => again.read(({ store }) => store.newestEvents({ limit: 1000, kind: null, service: null }))).toThrow("malformed");
  expect(again.health(0, 0)).toMatchObject({ status: "degraded", facts: { events: 0, persistent: true, kept_aside: 1 } });
  expect(again.degradation).toContain("it is kept as");
  expect(readdirSync(folder).some((name) => /^memory-damaged-.*\.db$/.test(name))).toBe(true);
  expect(again.store.commit(() => again.store.addEvent(exitedEvent(1)))).toBe(true);
});
