import { expect, test } from "bun:test";
import type { ServiceStatus } from "../../contracts/service.ts";
import { ServicesSensor } from "./services.ts";

const resources = { rss_bytes: 1, cpu_ms: 1, fds: 1 };
const web: ServiceStatus = {
  name: "web",
  state: "ready",
  pid: 7,
  since_ms: 1000,
  restarts: 0,
  ready_after_ms: 500,
  last_exit: null,
  status_text: null,
  health: { status: "ok", detail: "all well", facts: {}, resources },
  reason: "it said so",
};

const measured = (sensor: ServicesSensor, service: ServiceStatus, boot_ms: number, figure: string): number | undefined =>
  sensor.look([service], boot_ms).find((one) => one.figure === figure)?.value;

test("down, in a crash loop, unwell: since when; what was stopped on purpose is nobody's business", () => {
  const sensor = new ServicesSensor();
  expect(sensor.look([web], 5000).map(({ figure, value }) => [figure, value])).toEqual([
    ["service.down_s", 0],
    ["service.crash_loop", 0],
    ["service.unwell_s", 0],
  ]);
  expect(measured(sensor, { ...web, state: "backoff", since_ms: 5000, pid: null }, 35_000, "service.down_s")).toBe(30);
  expect(measured(sensor, { ...web, state: "crash-loop", since_ms: 5000, pid: null }, 36_000, "service.crash_loop")).toBe(1);
  const unwell: ServiceStatus = { ...web, health: { status: "degraded", detail: "memory is away", facts: {}, resources } };
  expect(measured(sensor, unwell, 40_000, "service.unwell_s")).toBe(0);
  expect(measured(sensor, unwell, 100_000, "service.unwell_s")).toBe(60);
  expect(measured(sensor, web, 101_000, "service.unwell_s")).toBe(0);
  expect(measured(sensor, unwell, 102_000, "service.unwell_s")).toBe(0);
  expect(sensor.look([{ ...web, state: "stopped" }], 103_000)).toEqual([]);
});

test("a service of the system that is degraded is a notice, one that has failed is not well", () => {
  const sensor = new ServicesSensor();
  const memory = (status: "degraded" | "failed"): ServiceStatus => ({
    ...{ ...web, name: "memory" },
    health: { status, detail: "the disk is full", facts: {}, resources },
  });
  sensor.look([memory("degraded")], 0);
  expect(measured(sensor, memory("degraded"), 60_000, "own.degraded_s")).toBe(60);
  expect(measured(sensor, memory("degraded"), 60_000, "service.unwell_s")).toBeUndefined();
  expect(measured(sensor, memory("failed"), 61_000, "service.unwell_s")).toBe(61);
});

test("a start that takes long is told against the usual one, each start once, and not before three are known", () => {
  const sensor = new ServicesSensor();
  const started = (since_ms: number, ready_after_ms: number) =>
    measured(sensor, { ...web, since_ms, ready_after_ms }, since_ms, "service.start_ratio");
  expect([started(1000, 2000), started(2000, 1800), started(3000, 2200)]).toEqual([undefined, undefined, undefined]);
  expect(started(4000, 10_000)).toBe(5);
  expect(started(4000, 10_000)).toBe(5);
  expect(started(5000, 2000)).toBeCloseTo(2000 / 2200);
});

test("a quick service is not slow because it took a few milliseconds more", () => {
  const sensor = new ServicesSensor();
  for (const since_ms of [1, 2, 3]) sensor.look([{ ...web, since_ms, ready_after_ms: 20 }], since_ms);
  expect(measured(sensor, { ...web, since_ms: 4, ready_after_ms: 400 }, 4, "service.start_ratio")).toBe(1);
});
