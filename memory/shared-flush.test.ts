import { expect, test } from "bun:test";
import { rpc_error } from "../contracts/rpc.ts";
import { RpcError } from "../wire/peer.ts";
import { Keeper } from "./keeper.ts";
import type { Parts } from "./parts.ts";
import { diskFolder } from "./testing/folder.ts";
import { exitedEvent, noteMemory } from "./testing/records.ts";

const large = "x".repeat(2_000_000);
const add =
  (number: number, untrusted = "") =>
  ({ store }: Parts): boolean =>
    store.addEvent({ ...exitedEvent(number), untrusted });
const held = (keeper: Keeper): number[] =>
  keeper.store.newestEvents({ limit: 100, kind: null, service: null }).map(({ id }) => Number(id.split("-").at(-1)));

/** Counts transactions. */
function counted(keeper: Keeper): { commits: number } {
  const seen = { commits: 0 };
  const { store } = keeper.parts;
  const commit = store.commit.bind(store);
  store.commit = (work) => {
    seen.commits += 1;
    return commit(work);
  };
  return seen;
}

test("changes of one turn are one transaction, and none is acknowledged before it is written", async () => {
  const keeper = new Keeper(diskFolder("shared"));
  const seen = counted(keeper);
  const all = [0, 1, 2].map((number) => keeper.share(add(number)));
  expect(keeper.store.events).toBe(0);
  expect(await Promise.all(all)).toEqual([true, true, true]);
  expect(held(keeper)).toEqual([0, 1, 2]);
  expect(seen.commits).toBe(1);
  keeper.close();
});

test("one that is refused leaves nothing of its own, and the others stay", async () => {
  const keeper = new Keeper(diskFolder("shared-refused"));
  const seen = counted(keeper);
  const refused = keeper.share((parts) => {
    add(7)(parts);
    parts.longterm.put(noteMemory(1, null));
    throw new RpcError(rpc_error.conflict, "another version was seen");
  });
  const same_text = keeper.share(({ longterm }) => longterm.put(noteMemory(1, null)));
  const told = await Promise.allSettled([keeper.share(add(1)), refused, same_text, keeper.share(add(2))]);
  expect(told.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
  expect(told[1]).toMatchObject({ reason: { code: rpc_error.conflict, message: "another version was seen" } });
  expect(held(keeper)).toEqual([1, 2]);
  expect(keeper.parts.longterm.recall([noteMemory(1, null).id])).toHaveLength(1);
  expect(keeper.parts.longterm.check()).toEqual([]);
  expect(seen.commits).toBe(1);
  expect(keeper.degradation).toBeNull();
  keeper.close();
});

test("one that is too large for the disk fails alone", async () => {
  const keeper = new Keeper(diskFolder("shared-full"));
  await keeper.share(add(0));
  keeper.limitPages(Math.ceil(keeper.bytes() / 4096) + 20);
  const told = await Promise.allSettled([keeper.share(add(1)), keeper.share(add(2, large)), keeper.share(add(3))]);
  expect(told.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(told[1]).toMatchObject({ reason: { code: "SQLITE_FULL" } });
  expect(held(keeper)).toEqual([0, 1, 3]);
  keeper.close();
});

test("what waits is written before the file is closed", async () => {
  const folder = diskFolder("shared-close");
  const keeper = new Keeper(folder);
  const written = keeper.share(add(5));
  keeper.close();
  expect(await written).toBe(true);
  const again = new Keeper(folder);
  expect(held(again)).toEqual([5]);
  again.close();
});
