import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Recalled } from "../../../contracts/memory/record.ts";
import { openInRam } from "../../../wire/database.ts";
import { memory_file } from "../../store/migrations.ts";
import { diskFolder } from "../../testing/folder.ts";
import { ensure, segmentsIn } from "../folders.ts";
import { Cold } from "./cold.ts";
import { readThrough, SegmentReader } from "./reader.ts";
import { writeSegment } from "./write.ts";

// helpers are processes of their own: on a busy machine they take their time
setDefaultTimeout(60_000);

function memory(n: number): Recalled {
  return {
    id: `0badcafe-init-${n}`,
    time_ms: 1_700_000_000_000 + n * 1000,
    boot_ms: n * 1000,
    kind: "event",
    source: "init",
    severity: "error",
    tier: null,
    tool: null,
    service: "nginx",
    outcome: null,
    text: `service nginx ended with status ${n % 7} after ${n} ms: Überlauf, 日本語`,
    body: { pid: n, line: "x".repeat(n % 300) },
    taint: n % 3 === 0 ? ["log:nginx"] : [],
    links: n % 5 === 0 ? [{ relation: "about", to: "0badcafe-init-1" }] : [],
    pinned: n === 4,
    quarantined: n === 5 ? "not to be relied on" : null,
    used: n,
    useful: 0,
  };
}

const coldIn = (folder: string): Cold => new Cold(openInRam(memory_file), folder);

function segment(count: number): { folder: string; path: string; cold: Cold; memories: Recalled[] } {
  const folder = diskFolder("memory-segments");
  const path = join(ensure(segmentsIn(folder)), "1.seg");
  const memories = Array.from({ length: count }, (_, n) => memory(n));
  writeSegment(path, memories);
  return { folder, path, cold: coldIn(folder), memories };
}

test("every memory is found by its id as it was written, and others are not", () => {
  const { cold, memories, path } = segment(5000);
  expect(new SegmentReader(path).blocks).toBeGreaterThan(5);
  for (const one of memories.filter((_, n) => n % 7 === 0)) expect(cold.read(1, one.id)).toEqual(one);
  expect(cold.degradation).toBeNull();
  expect(cold.read(1, "0badcafe-init-5000")).toBeNull();
  expect(cold.degradation).toContain('does not hold "0badcafe-init-5000"');
  cold.close();
});

test("it is a fraction of its memories as JSON, and an empty one is possible", () => {
  const folder = diskFolder("memory-segments");
  const some = writeSegment(
    join(folder, "1.seg"),
    Array.from({ length: 2000 }, (_, n) => memory(n)),
  );
  expect(some.bytes).toBeLessThan(some.plain_bytes / 4);
  expect(writeSegment(join(folder, "2.seg"), [])).toMatchObject({ memories: 0 });
  expect(readThrough(join(folder, "1.seg"), () => {})).toBe(some.sha256);
});

test("a damaged byte anywhere is noticed when all is read, and costs no more than its own block", () => {
  const { folder, path, memories } = segment(3000);
  const whole = readFileSync(path);
  const sha256 = readThrough(path, () => {});
  const asked = memories.filter((_, n) => n % 97 === 0);
  for (let round = 0; round < 40; round += 1) {
    const bytes = Buffer.from(whole);
    const at = Math.floor((bytes.length * (round + Math.random())) / 40);
    bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(Math.random() * 255));
    writeFileSync(path, bytes);
    let found: string | null = null;
    try {
      found = readThrough(path, () => {});
    } catch {
      // said at once
    }
    expect(found).not.toBe(sha256);
    const cold = coldIn(folder);
    const read = asked.map((one) => cold.read(1, one.id));
    expect(read).toEqual(asked.map((one, n) => (read[n] === null ? null : one)));
    if (read.includes(null)) expect(cold.degradation).toContain("reading the segment");
    cold.close();
  }
});

test("a segment that was cut short, or is missing, is said", () => {
  const { folder, path, memories } = segment(100);
  truncateSync(path, 500);
  const cold = coldIn(folder);
  expect(cold.read(1, memories[0]?.id ?? "")).toBeNull();
  expect(cold.degradation).toContain("was cut short");
  expect(cold.read(2, memories[0]?.id ?? "")).toBeNull();
  expect(cold.degradation).toContain("and 1 more");
});

test("what cannot be written leaves no file", () => {
  const folder = diskFolder("memory-segments");
  const broken = function* (): Generator<Recalled> {
    yield memory(1);
    throw new Error("the row cannot be read");
  };
  expect(() => writeSegment(join(folder, "1.seg"), broken())).toThrow("the row cannot be read");
  expect(existsSync(join(folder, "1.seg"))).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});
