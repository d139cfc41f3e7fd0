/** Whatever the filter, both searches and the timeline leave exactly what a plain reading of the filter leaves. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { Severity } from "../../contracts/event.ts";
import { MemoryFilter } from "../../contracts/memory/longterm.ts";
import type { Memory } from "../../contracts/memory/record.ts";
import { hashingEmbedder } from "./testing/hashing-embedder.ts";
import { first_ms, note, noteId, remembering } from "./testing/memories.ts";

const of = <T>(values: readonly T[], n: number): T => values[n % values.length] as T;

const tiers = ["reactive", "tactical", null] as const;
const kinds = ["note", "action", "incident"] as const;
const outcomes = ["worked", "failed", null] as const;
const services = ["nginx", "postgres", null] as const;
const sources = ["broker", "tactical"] as const;

const all: readonly Memory[] = Array.from({ length: 120 }, (_, n) =>
  note(n, `disk ${n % 11} is slow`, {
    kind: of(kinds, n),
    tier: of(tiers, n >> 1),
    outcome: of(outcomes, n >> 2),
    service: of(services, n >> 3),
    source: of(sources, n >> 4),
    tool: n % 5 === 0 ? "fs.read" : null,
    severity: of(Severity.options, n),
    taint: n % 3 === 0 ? ["log:kernel"] : [],
  }),
);
const quarantined = (memory: Memory): boolean => Number(memory.id.split("-").at(-1)) % 10 === 9;

function passes(memory: Memory, filter: MemoryFilter): boolean {
  const among = <T>(value: T | null, wanted: readonly T[] | undefined): boolean =>
    wanted === undefined || (value !== null && wanted.includes(value));
  const severity = (name: Memory["severity"]): number => Severity.options.indexOf(name);
  return (
    memory.time_ms >= (filter.since_ms ?? -Infinity) &&
    memory.time_ms <= (filter.until_ms ?? Infinity) &&
    among(memory.kind, filter.kinds) &&
    among(memory.source, filter.sources) &&
    among(memory.tier, filter.tiers) &&
    among(memory.tool, filter.tools) &&
    among(memory.service, filter.services) &&
    among(memory.outcome, filter.outcomes) &&
    severity(memory.severity) >= severity(filter.severity_min ?? "debug") &&
    (filter.untainted !== true || memory.taint.length === 0) &&
    (filter.quarantined === true || !quarantined(memory))
  );
}

const some = <T>(values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });
const moment = fc.integer({ min: 0, max: 120 }).map((n) => first_ms + n * 1000);
const filters = fc.record(
  {
    since_ms: moment,
    until_ms: moment,
    kinds: some(kinds),
    sources: some(sources),
    tiers: some(["reactive", "tactical", "strategic"] as const),
    tools: some(["fs.read", "fs.write"]),
    services: some(["nginx", "postgres"]),
    outcomes: some(["worked", "failed", "undone"] as const),
    severity_min: fc.constantFrom(...Severity.options),
    untainted: fc.boolean(),
    quarantined: fc.boolean(),
  },
  { requiredKeys: [] },
);

test("filters leave what they say, in every mode and in the timeline", async () => {
  const { remember, memory, found } = remembering(hashingEmbedder());
  await remember(...all);
  for (const one of all.filter(quarantined)) await memory.quarantine({ id: one.id, reason: "test", influenced: false });
  await fc.assert(
    fc.asyncProperty(filters, fc.constantFrom("hybrid", "words", "meaning"), async (asked, mode) => {
      const filter = MemoryFilter.parse(asked);
      const wanted = all.filter((one) => passes(one, filter)).map(({ id }) => id);
      const hits = await found("slow disk", { mode, filter, limit: 50 });
      expect(hits.filter((id) => !wanted.includes(id))).toEqual([]);
      // all that are left are found: at most eight have one text
      if (wanted.length <= 30) expect(hits.toSorted()).toEqual(wanted.toSorted());
      const { memories } = await memory.timeline({ around: first_ms - 1, before: 0, after: 100, filter });
      expect(memories.map(({ id }) => id)).toEqual(wanted.slice(0, 100));
    }),
    { numRuns: 150 },
  );
  expect((await memory.recall({ ids: [noteId(9)] }))[0]?.quarantined).toBe("test");
}, 600_000);
