/** Over the sockets of the real service: a caller stores in its own name alone. */

import { expect, test } from "bun:test";
import { diskFolder } from "./testing/folder.ts";
import { decisionOn, exitedEvent, noteMemory } from "./testing/records.ts";
import { startMemory } from "./testing/service.ts";

test("what is said to be another's is refused, with all that came with it; the broker tells what others did", async () => {
  const memory = await startMemory(diskFolder("speaks-for"));
  const [reactive, tactical, broker] = await Promise.all([memory.ask("reactive"), memory.ask("tactical"), memory.ask("broker")]);
  const own = noteMemory(1, null);
  const other = noteMemory(2, null);
  const refused = '"tactical" asks: a caller speaks for itself alone; nothing was stored';
  await expect(tactical.call("append", { memories: [{ ...own, source: "tactical", tier: "tactical" }, other] })).rejects.toThrow(refused);
  await expect(tactical.call("append", { memories: [{ ...own, source: "tactical" }] })).rejects.toThrow('its tier is "reactive"');
  await expect(tactical.call("append", { memories: [{ ...own, source: "broker", tier: null }] })).rejects.toThrow(refused);
  await expect(tactical.call("decisions.append", { decisions: [decisionOn(exitedEvent(1), 1)] })).rejects.toThrow(refused);
  expect(await broker.call("recall", { ids: [own.id, other.id] })).toEqual([]);
  expect(await reactive.call("append", { memories: [own] })).toEqual({ written: 1 });
  expect(await reactive.call("decisions.append", { decisions: [decisionOn(exitedEvent(1), 1)] })).toEqual({ written: 1 });
  expect(await broker.call("append", { memories: [other] })).toEqual({ written: 1 });
  expect((await broker.call("recall", { ids: [own.id, other.id] })).map(({ source }) => source)).toEqual(["reactive", "reactive"]);
  await memory.kill();
}, 120_000);
