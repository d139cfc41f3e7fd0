/** The wall clock is set a year ahead and back, before and behind: nothing is lost, moved or called new by that. */

import { afterAll, expect, setSystemTime, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { SearchAnswer } from "../contracts/memory/longterm.ts";
import { Recalled } from "../contracts/memory/record.ts";
import { WorkDone } from "../contracts/memory/working/changes.ts";
import { diskFolder } from "./testing/folder.ts";
import { type InProcess, openMemory } from "./testing/in-process.ts";
import { noteMemory } from "./testing/records.ts";

const year_ms = 365 * 86_400_000;
const start_ms = Date.UTC(2026, 5, 1);
/** From one clock to the next, in the order of what happens. */
const clocks = [0, year_ms, -year_ms, 60_000].map((by_ms) => start_ms + by_ms);
const knowledge = join(import.meta.dir, "../knowledge");
const data = diskFolder("clock-jumps");
const per_clock = 40;

afterAll(() => setSystemTime());

const Timeline = z.object({ memories: z.array(Recalled) });
const Rates = z.array(z.object({ new: z.boolean(), rate: z.object({ verdict: z.string() }) }));
const Done = z.object({ done: z.array(WorkDone) });
const all_ids = clocks.flatMap((_, clock) => Array.from({ length: per_clock }, (_none, n) => noteMemory(clock * 100 + n, null).id));

/** What happens on one clock: notes, a version of a goal, and log lines. */
async function live(memory: InProcess, clock: number, goal: string, version: number): Promise<void> {
  const memories = Array.from({ length: per_clock }, (_, n) => ({ ...noteMemory(clock * 100 + n, null), time_ms: Date.now() + n }));
  expect(await memory.call("append", { memories })).toEqual({ written: per_clock });
  await memory.call("work.change", {
    changes: [{ do: "edit", id: goal, version, patch: { progress: clock / 10 } }],
    why: `on clock ${clock}`,
    for: "anna",
  });
  for (let minute = 0; minute < 60; minute += 1) {
    const lines = [0, 1, 2].map((n) => ({
      source: "nginx",
      time_ms: Date.now() + minute * 60_000,
      text: `worker ${n} accepted a connection from 192.0.2.${minute}`,
    }));
    await memory.call("templates.ingest", { lines });
  }
}

test("memories keep their order and are found, versions and leases stand, and no template is called unusual", async () => {
  setSystemTime(start_ms - 1000);
  const memory = openMemory(data, knowledge);
  const body = { text: "keep the web up", keep: true, check: null, taint: [] };
  const made = Done.parse(await memory.call("work.change", { changes: [{ do: "goal", as: "g", body }], why: "asked", for: "anna" }));
  const goal = made.done[0]?.id ?? "";
  const lease = await memory.call("lease.acquire", { id: goal, holder: "t1", ttl_ms: 600_000 });
  expect(lease).toMatchObject({ granted: true });
  for (const [clock, now_ms] of clocks.entries()) {
    setSystemTime(now_ms);
    await live(memory, clock, goal, clock + 1);
    setSystemTime(now_ms + 3_600_000);
    const unusual = Rates.parse(await memory.call("templates.rates", { since_ms: Date.now() + year_ms, limit: 100 }));
    expect(unusual).toEqual([]);
  }
  expect(await memory.call("lease.acquire", { id: goal, holder: "t2", ttl_ms: 1000 })).toMatchObject({ granted: false });
  const middle = all_ids[per_clock * 2] ?? "";
  const { memories: around } = Timeline.parse(
    await memory.call("timeline", { around: middle, before: 100, after: 100, filter: { kinds: ["note"] } }),
  );
  expect(around.map(({ id }) => id)).toEqual(all_ids.slice(0, per_clock * 2 + 100));
  const history = z.array(z.object({ version: z.number() })).parse(await memory.call("work.history", { id: goal, limit: 10 }));
  expect(history.map(({ version }) => version)).toEqual([5, 4, 3, 2, 1]);
  const ahead = `unit-${100 % 9}`;
  const answer = SearchAnswer.parse(
    await memory.call("search", { query: `note 100 nginx ${ahead}`, mode: "words", filter: {}, limit: 50 }),
  );
  const hit = answer.found.find(({ memory: { id } }) => id === noteMemory(100, null).id);
  expect(hit?.why).toContain("from the future by this clock");
});

test("by age nothing of the newest becomes cold; what does is searchable, and all of it is there in the next boot", async () => {
  const memory = openMemory(data, knowledge, { boot_id: "0badcaff-0000-4000-8000-000000000000" });
  setSystemTime(start_ms + 30 * 86_400_000);
  await memory.call("segments.move", { older_than_days: 1, limit: 20_000 });
  const recalled = z.array(Recalled);
  const found = await Promise.all(
    clocks.map(async (_, clock) =>
      recalled.parse(await memory.call("recall", { ids: all_ids.slice(clock * per_clock, (clock + 1) * per_clock) })),
    ),
  );
  expect(found.flat().map(({ id }) => id)).toEqual(all_ids);
});
