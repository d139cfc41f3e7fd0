import { expect, test } from "bun:test";
import type { Event } from "../../contracts/event.ts";
import { seeded } from "../../wire/seeded.ts";
import { GroupCommit } from "../group-commit.ts";
import { Keeper } from "../keeper.ts";
import { testClock } from "../testing/clock.ts";
import { diskFolder } from "../testing/folder.ts";
import { decisionOn, exitedEvent, stepEvent } from "../testing/records.ts";
import { EventRing } from "./event-ring.ts";
import { Feed } from "./feed.ts";
import { noted, severities } from "./noted.ts";
import { Recent } from "./recent.ts";

test.each([1, 2])("the ring of events answers as a model that keeps the newest, seed %d", (seed) => {
  const random = seeded(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const ring = new EventRing("0badcafe", 500);
  const kept: Event[] = [];
  const services = ["console", "memory", "broker", "nginx"];
  for (let n = 0; n < 2000; n += 1) {
    const base = random() < 0.7 ? exitedEvent(n, pick(services)) : stepEvent(n);
    const event = {
      ...base,
      severity: random() < 0.02 ? "critical" : pick(severities.slice(0, 4)),
      source: pick(["init", "reactive"]),
    } as Event;
    ring.add(noted(event));
    kept.push(event);
    if (kept.length > 500) kept.shift();
    if (n % 17 !== 0) continue;
    const maybe = <T>(from: readonly T[]): T | null => (random() < 0.5 ? null : pick(from));
    const query = {
      since_ms: n * 1000 - Math.floor(random() * 900_000),
      limit: 1 + Math.floor(random() * 40),
      kind: maybe(["service.exited", "clock.step", "net.link"]),
      source: maybe(["init", "reactive"]),
      service: maybe(services),
      severity_min: maybe(severities),
    };
    const expected = kept
      .filter((one) => one.boot_ms >= query.since_ms)
      .filter((one) => query.kind === null || one.kind === query.kind)
      .filter((one) => query.source === null || one.source === query.source)
      .filter((one) => query.service === null || ("service" in one.facts && one.facts.service === query.service))
      .filter((one) => query.severity_min === null || severities.indexOf(one.severity) >= severities.indexOf(query.severity_min))
      .slice(-query.limit);
    expect(ring.query(query).map(({ id, severity }) => [id, severity])).toEqual(expected.map(({ id, severity }) => [id, severity]));
  }
});

test("events and decisions are counted by what they are, and an outcome that comes later takes its place", () => {
  const clock = testClock(100_000);
  const recent = new Recent(clock);
  for (const sequence of [10, 20, 95]) recent.takeEvent(exitedEvent(sequence, "nginx"));
  recent.takeEvent(stepEvent(96));
  const decision = decisionOn(exitedEvent(95, "nginx"), 1);
  recent.takeDecision(decision);
  const one = (name: string) => recent.rate(name).map(({ count }) => count);
  expect(one("kind-service:service.exited nginx")).toEqual([1, 3, 3, 3]);
  expect(one("events")).toEqual([2, 4, 4, 4]);
  expect([one("result:pending")[0], one("result:done")[0]]).toEqual([1, 0]);
  recent.takeDecision({ ...decision, outcome: { result: "done", detail: "", after_ms: 40 } });
  recent.takeDecision({ ...decision, outcome: { result: "done", detail: "", after_ms: 40 } });
  expect([one("result:pending")[0], one("result:done")[0], one("decisions")[0]]).toEqual([0, 1, 1]);
  expect(recent.decisions("1m", 9)).toMatchObject([{ id: decision.id, result: "done", rule: "service-dead", service: "nginx" }]);
  expect(recent.distribution("decision.after_ms", "1h", [1])).toMatchObject({ n: 1, error_ratio: 0.01 });
  expect(recent.top("init", "1h", 5)?.keys).toEqual([
    { key: "service.exited nginx", count: 3, error: 0 },
    { key: "clock.step", count: 1, error: 0 },
  ]);
  expect(recent.summary("5m")).toMatchObject({
    by_severity: { error: 3, notice: 1 },
    by_source: { init: 4 },
    by_result: { done: 1 },
    events: { count: 4, covers_ms: 100_000, per_minute: 2.4 },
  });
});

test("what is of another boot or older than an hour is not of the last hour; a wall clock that jumped a year does not matter", () => {
  const clock = testClock(4_000_000);
  const recent = new Recent(clock);
  recent.takeEvent({ ...exitedEvent(3999), id: "deadbeef-init-1" });
  recent.takeEvent(exitedEvent(399));
  recent.takeEvent({ ...exitedEvent(3998), time_ms: 1 });
  recent.takeEvent({ ...exitedEvent(3999), time_ms: 1e15 });
  expect(
    recent.events("1m", { limit: 9, kind: null, source: null, service: null, severity_min: null }).map(({ time_ms }) => time_ms),
  ).toEqual([1, 1e15]);
});

test("metrics: exact, in order, and one that is told twice counts once", () => {
  const clock = testClock(0);
  const recent = new Recent(clock);
  for (let n = 0; n <= 400; n += 1) {
    clock.now_ms = n * 10_000;
    recent.takeMetrics({ boot_ms: clock.now_ms, values: { "cpu.busy_ratio": n / 1000 } });
    recent.takeMetrics({ boot_ms: clock.now_ms, values: { "cpu.busy_ratio": 9 } });
  }
  expect(recent.distribution("cpu.busy_ratio", "1h", [0, 0.5, 1])).toEqual({
    name: "cpu.busy_ratio",
    n: 361,
    mean: expect.closeTo(0.22),
    values: [0.04, 0.22, 0.4],
    error_ratio: 0,
    covers_ms: 3_600_000,
  });
  expect(recent.metric("cpu.busy_ratio", "1m")?.map(({ value }) => value)).toEqual([0.394, 0.395, 0.396, 0.397, 0.398, 0.399, 0.4]);
  expect(recent.metric("no.such", "1m")).toBeNull();
});

test("names without end: memory stays bounded, and what found no room is counted", () => {
  const clock = testClock(1000);
  const recent = new Recent(clock);
  for (let n = 0; n < 3000; n += 1) recent.takeEvent({ ...exitedEvent(n, `service-${n}`, 1000), source: `source-${n}` });
  const { bytes, bytes_max, overflowed } = recent.held();
  expect(bytes).toBeLessThan(bytes_max);
  expect(bytes_max).toBeLessThan(24e6);
  expect(overflowed).toBeGreaterThan(3000);
  expect(recent.rate("events")[0]?.count).toBe(3000);
});

test("after a start the last hour is read from the log, whatever the clock did, and what is written meanwhile counts once", async () => {
  const clock = testClock(5_000_000);
  const keeper = new Keeper(diskFolder("recent"));
  const write = (events: Event[]) => keeper.write(({ store }) => events.forEach((event) => void store.addEvent(event)));
  write([{ ...exitedEvent(4900), id: "deadbeef-init-1" }]);
  write(Array.from({ length: 900 }, (_, n) => ({ ...exitedEvent(1000 + n * 4), time_ms: n % 2 === 0 ? 1 : 1e15 })));
  const decision = decisionOn(exitedEvent(4599), 7);
  keeper.write(({ store }) => store.putDecision(decision));
  keeper.write(({ recent_log }) => {
    for (let n = 0; n < 900; n += 1) recent_log.putMetrics(clock.boot, { boot_ms: 1000 * n, values: { "cpu.busy_ratio": n } });
    recent_log.putMetrics(clock.boot, { boot_ms: 4_990_000, values: { "cpu.busy_ratio": 0.5 } });
  });

  const recent = new Recent(clock);
  const feed = new Feed({
    keeper,
    recent,
    clock,
    onFailed: (error) => {
      throw error;
    },
  });
  const commit = new GroupCommit({ parts: () => keeper.parts, onWritten: (batch) => feed.written(batch), onFailed: () => {} });
  const replayed = feed.start();
  expect(recent.held().replaying).toBe(true);
  const done = { ...decision, outcome: { result: "done" as const, detail: "", after_ms: 5 } };
  await commit.append({ events: [exitedEvent(4800), exitedEvent(1004)], decisions: [done] });
  expect(recent.held().replaying).toBe(true);
  await replayed;
  await commit.append({ events: [exitedEvent(4801)], decisions: [] });
  // of those that were there, the ones of 1 400 to 4 596 s; two new ones
  expect(recent.rate("events").at(-1)?.count).toBe(800 + 2);
  expect(recent.held()).toMatchObject({ replaying: false, events: 802, decisions: 1, metrics: 1 });
  expect([recent.rate("result:done"), recent.rate("result:pending")].map((counts) => counts.at(-1)?.count)).toEqual([1, 0]);
  expect(recent.metric("cpu.busy_ratio", "1h")?.map(({ value }) => value)).toEqual([0.5]);
  keeper.close();
});

test("the figures on the disk are a ring of rows", () => {
  const folder = diskFolder("recent-metrics");
  for (let round = 0; round < 3; round += 1) {
    const keeper = new Keeper(folder);
    keeper.write(({ recent_log }) => {
      for (let n = 0; n < 500; n += 1) recent_log.putMetrics("0badcafe", { boot_ms: round * 500 + n, values: { a: n } });
    });
    const held = keeper.parts.recent_log.metrics("0badcafe", 0);
    expect(held).toHaveLength(Math.min(720, (round + 1) * 500));
    expect(held.at(-1)?.boot_ms).toBe(round * 500 + 499);
    keeper.close();
  }
});
