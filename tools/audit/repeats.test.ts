/** What a tier looks at again and again: on record, and bounded by what it looks at, not by how long the system runs. */

import { expect, test } from "bun:test";
import { AuditQuery } from "../../contracts/audit.ts";
import type { NewEntry } from "./audit.ts";
import { Repeats } from "./repeats.ts";
import { auditIn, boot, entryOf, newFolder, reason } from "./testing/records.ts";

const now_ms = 1_700_000_000_000;

function look(n: number, more: Partial<NewEntry> = {}, body: Record<string, unknown> = {}): NewEntry {
  const asked = { text: "net.interfaces: done", took_ms: n, output_bytes: 100 + n, policies: ["look"], arguments: {}, ...body };
  const { resources, reason } = entryOf(0);
  return { ...entryOf(n), resources, reason, principal: "tier:reactive", tool: "net.interfaces", body: asked, ...more };
}

test("the same look is counted, however long it took and however long its answer was", () => {
  const repeats = new Repeats();
  expect(repeats.counted(look(1), now_ms)).toBe(false);
  expect([2, 3, 4].map((n) => repeats.counted(look(n), now_ms + n * 1000))).toEqual([true, true, true]);
  expect(repeats.take()).toEqual([
    {
      ...look(1),
      kind: "repeats",
      status: null,
      body: { times: 3, from_ms: now_ms + 2000, until_ms: now_ms + 4000, last_call: `${boot}-call-4` },
    },
  ]);
});

test("it goes on being counted, and is forgotten when it did not come again", () => {
  const repeats = new Repeats();
  repeats.counted(look(1), now_ms);
  repeats.counted(look(2), now_ms);
  repeats.take();
  expect(repeats.counted(look(3), now_ms + 5000)).toBe(true);
  expect(repeats.take()).toMatchObject([{ call: `${boot}-call-1`, body: { times: 1, from_ms: now_ms + 5000 } }]);
  expect(repeats.take()).toEqual([]);
  expect(repeats.counted(look(4), now_ms)).toBe(false);
});

test("a look back from another moment is the same look; other arguments, answers, things, reasons and callers are not", () => {
  const repeats = new Repeats();
  const since = (since_ms: number, more: Partial<NewEntry> = {}) => look(1, more, { arguments: { filter: [{ since_ms }], limit: 20 } });
  expect(repeats.counted(since(now_ms), now_ms)).toBe(false);
  expect(repeats.counted(since(now_ms + 60_000), now_ms)).toBe(true);
  const others = [
    since(20),
    since(now_ms, { status: "failed" }),
    since(now_ms, { principal: "tier:tactical" }),
    since(now_ms, { resources: [] }),
    since(now_ms, { reason: reason("something else") }),
    look(1, {}, { text: "it failed in other words" }),
  ];
  expect(others.map((entry) => repeats.counted(entry, now_ms))).toEqual(others.map(() => false));
});

test("what people and agents ask, what belongs to an incident, a change and what was refused is an entry each time", () => {
  const repeats = new Repeats();
  const entries = [
    look(1, { principal: "person:operator" }),
    look(1, { principal: "agent:web" }),
    look(1, { event: `${boot}-reactive-1` }),
    look(1, { group: "incident-1" }),
    look(1, { status: "refused" }),
    look(1, { kind: "intent", status: null }),
  ];
  for (const entry of entries) expect([1, 2].map(() => repeats.counted(entry, now_ms))).toEqual([false, false]);
  expect(repeats.take()).toEqual([]);
});

test("more different looks than it keeps apart are entries", () => {
  const repeats = new Repeats();
  const of = (n: number): NewEntry => look(n, {}, { arguments: { n } });
  for (let n = 0; n < 600; n += 1) repeats.counted(of(n), now_ms);
  expect(repeats.counted(of(499), now_ms)).toBe(true);
  expect(repeats.counted(of(599), now_ms)).toBe(false);
});

test("the chain has the first and the count, from time to time and at the end, and is whole", async () => {
  const folder = newFolder();
  const audit = auditIn(folder, { repeats_every_ms: 200 });
  for (let n = 1; n <= 50; n += 1) audit.look(look(n));
  const all = (): number => audit.query(AuditQuery.parse({})).length;
  expect(all()).toBe(1);
  while (all() < 2) await Bun.sleep(20);
  expect(audit.ofCall(`${boot}-call-1`)).toMatchObject([
    { kind: "outcome", status: "done" },
    { kind: "repeats", principal: "tier:reactive", tool: "net.interfaces", body: { times: 49, last_call: `${boot}-call-50` } },
  ]);
  audit.look(look(51));
  audit.look(look(52));
  await audit.close();
  const again = auditIn(folder);
  const counted = again.query(AuditQuery.parse({ kind: "repeats" })).map(({ body }) => Number(body["times"]));
  const outcomes = again.query(AuditQuery.parse({ kind: "outcome" })).length;
  expect(outcomes + counted.reduce((sum, times) => sum + times, 0)).toBe(52);
  expect((await again.verify()).whole).toBe(true);
  expect(again.outcomesAfter(0, 10)).toEqual([]);
  await again.close();
});
