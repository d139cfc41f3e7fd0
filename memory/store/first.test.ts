import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Keeper } from "../keeper.ts";
import { Shipped } from "../knowledge/shipped.ts";
import { diskFolder } from "../testing/folder.ts";
import { exitedEvent } from "../testing/records.ts";
import { first_file } from "./first.ts";

const page = "---\ntitle: one\nkind: playbook\nsummary: What it does.\n---\n## Steps\n1. See to it.\n";

/** An image with a page, and the memory of a first start that has it, from the second 5. */
async function imageFolder(): Promise<string> {
  const image = diskFolder("first-image");
  mkdirSync(join(image, "playbooks"));
  writeFileSync(join(image, "playbooks/one.md"), page);
  const keeper = new Keeper(diskFolder("first-made"));
  await new Shipped(image, () => 5000).bring(keeper);
  keeper.parts.documents.db.prepare("VACUUM INTO ?").run(join(image, first_file));
  keeper.close();
  return image;
}

/** When the page is from, of each of its versions. */
const times = ({ parts }: Keeper): number[] => parts.documents.history("playbooks/one", null, 10).versions.map(({ time_ms }) => time_ms);

async function started(image: string, folder: string): Promise<Keeper> {
  const keeper = new Keeper(folder, join(image, first_file));
  expect(keeper.degradation).toBeNull();
  await new Shipped(image, () => 9000).bring(keeper);
  return keeper;
}

test("a memory begins as the image has it, is found by word, and holds what is written", async () => {
  const [image, folder] = [await imageFolder(), diskFolder("first")];
  const keeper = await started(image, folder);
  expect(times(keeper)).toEqual([5000]);
  const found = "SELECT count(*) FROM knowledge_words WHERE knowledge_words MATCH 'steps'";
  expect(keeper.parts.documents.db.prepare(found).pluck().get()).toBe(1);
  keeper.write(({ store }) => store.addEvent(exitedEvent(1)));
  keeper.close();
  expect((await started(image, folder)).store.events).toBe(1);
});

test("what another image brings comes to it", async () => {
  const [image, folder] = [await imageFolder(), diskFolder("first")];
  (await started(image, folder)).close();
  writeFileSync(join(image, "playbooks/one.md"), page.replace("See to it", "Look at it"));
  expect(times(await started(image, folder))).toEqual([9000, 5000]);
});

test("there is a memory already, or an empty file: the one is left as it is, the other begins so", async () => {
  const image = await imageFolder();
  const own = diskFolder("first");
  const keeper = new Keeper(own);
  keeper.write(({ store }) => store.addEvent(exitedEvent(1)));
  keeper.close();
  const again = await started(image, own);
  expect([again.store.events, times(again)]).toEqual([1, [9000]]);
  const empty = diskFolder("first");
  writeFileSync(join(empty, "memory.db"), "");
  expect(times(await started(image, empty))).toEqual([5000]);
});

test("a write-ahead log of a file that is gone does not count for the one that is taken", async () => {
  const [image, folder] = [await imageFolder(), diskFolder("first")];
  const before = new Keeper(folder);
  before.write(({ store }) => store.addEvent(exitedEvent(1)));
  const log = readFileSync(join(folder, "memory.db-wal"));
  before.close();
  rmSync(join(folder, "memory.db"));
  writeFileSync(join(folder, "memory.db-wal"), log);
  const keeper = await started(image, folder);
  expect([keeper.store.events, times(keeper)]).toEqual([0, [5000]]);
});

test("one that is damaged is kept aside, and memory begins as the image has it", async () => {
  const [image, folder] = [await imageFolder(), diskFolder("first")];
  writeFileSync(join(folder, "memory.db"), "this is no database ".repeat(1000));
  const keeper = new Keeper(folder, join(image, first_file));
  expect(keeper.degradation).toContain("memory-damaged-");
  await new Shipped(image, () => 9000).bring(keeper);
  expect(times(keeper)).toEqual([5000]);
});

test.each([
  ["none", null],
  ["no database", "no database ".repeat(1000)],
  ["cut short", "cut"],
])("the image's is %s: memory begins empty, and has the same", async (_, what) => {
  const [image, folder] = [await imageFolder(), diskFolder("first")];
  const first = join(image, first_file);
  if (what === null) rmSync(first);
  else writeFileSync(first, what === "cut" ? readFileSync(first).subarray(0, 5000) : what);
  const keeper = await started(image, folder);
  expect(times(keeper)).toEqual([9000]);
  expect(existsSync(join(folder, "memory.db.new"))).toBe(false);
});
