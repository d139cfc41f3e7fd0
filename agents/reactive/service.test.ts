import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { Decision } from "../../contracts/decision.ts";
import { history_methods } from "../../contracts/memory/history.ts";
import { type MetricSample, operational_methods } from "../../contracts/memory/operational.ts";
import { callerSocket, callerSocketFolder } from "../../contracts/paths.ts";
import { openBootClock } from "../../wire/boot-clock.ts";
import type { Handlers } from "../../wire/peer.ts";
import { startFakeInit } from "../../wire/testing/fake-init.ts";
import { listenUnix, silent } from "../../wire/unix.ts";
import { exited } from "../testing/events.ts";

const started: Subprocess[] = [];
afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
});
const now_ms = openBootClock();

async function start(before?: (init: ReturnType<typeof startFakeInit>) => void) {
  const run = mkdtempSync(join(tmpdir(), "reactive-"));
  mkdirSync(callerSocketFolder("memory", "reactive", run), { recursive: true });
  const init = startFakeInit(run, "reactive");
  before?.(init);
  const command = [process.execPath, join(import.meta.dir, "..", "testing", "start.ts"), "reactive", run];
  started.push(Bun.spawn(command, { stdout: "ignore", stderr: "inherit" }));
  await init.until("reactive to be ready", () => init.ready.length > 0);
  return { run, init };
}

/** Memory as reactive sees it: every version of every decision, in the order of arrival. */
function fakeMemory(run: string, decisions: Decision[], metrics: MetricSample[] = []): { close(): void } {
  const methods = { ...history_methods, "metrics.append": operational_methods["metrics.append"] };
  const take = (batch: Decision[]) => {
    decisions.push(...batch);
    return { written: batch.length };
  };
  const unused = (): never => {
    throw new Error("the test has no answer for this");
  };
  const handlers: Handlers<typeof methods> = {
    "metrics.append": ({ samples }) => {
      metrics.push(...samples);
      return { durable: true };
    },
    "events.append": ({ events }) => ({ written: events.length }),
    "decisions.append": ({ decisions: batch }) => take(batch),
    "events.list": unused,
    "alarms.standing": () => [],
    "decisions.list": unused,
    "decisions.get": () => [],
    why: unused,
    subscribe: unused,
    counts: unused,
  };
  const path = callerSocket("memory", "reactive", run);
  return listenUnix(path, 0o660, () => ({ ...silent, serves: { methods, handlers }, calls: {}, tells: {} }));
}

test("a service dies: it is asked back at once, and trigger, rule, reason and outcome are on record", async () => {
  const { run, init } = await start();
  const decisions: Decision[] = [];
  const memory = fakeMemory(run, decisions);
  const event = exited("console", null, now_ms());
  init.emit(event);
  await init.until("the restart", () => init.calls.some((call) => call.method === "service.restart"));
  expect(init.calls.find((call) => call.method === "service.restart")?.params).toMatchObject({
    service: "console",
    why: { who: "reactive" },
  });
  await init.until("the outcome in memory", () => decisions.some((one) => one.outcome.result === "done"));
  const last = decisions.at(-1);
  expect(last).toMatchObject({ trigger: event, rule: "service-dead", action: { do: "restart", service: "console" }, tier: "reactive" });
  expect(last?.outcome.detail).toBe("console is ready after 42 ms");
  expect(last?.reason).toContain("service console (pid 100) ended after 5000 ms and nobody asked for it: signal SIGKILL");
  memory.close();
});

test("memory is away: decisions wait for it, health says so, and they arrive when it is back", async () => {
  const { run, init } = await start();
  for (let n = 0; n < 5; n += 1) init.emit(exited("memory", null, now_ms()));
  const health = async () => await init.child?.call("health", {});
  await init.until("three restarts", () => init.calls.filter((call) => call.method === "service.restart").length === 3);
  while (((await health())?.facts["decisions"] ?? 0) !== 5) await Bun.sleep(10);
  expect(await health()).toMatchObject({ status: "degraded", facts: { memory: "away" } });
  const decisions: Decision[] = [];
  const memory = fakeMemory(run, decisions);
  await init.until("all decisions in memory", () => decisions.length >= 5);
  expect(decisions.map((one) => one.outcome.result)).toEqual(["done", "done", "done", "suppressed", "suppressed"]);
  expect(decisions.at(-1)?.outcome.detail).toBe("not carried out, more than 3 in 60 s: PID 1 restarts it after its own wait");
  while ((await health())?.facts["waiting"] !== 0) await Bun.sleep(20); // events follow the decisions
  expect((await health())?.facts["memory"]).toBe("connected");
  memory.close();
}, 20_000);

test("deaths from before it came up, its own and requested ones do not make it act", async () => {
  const { init } = await start((fake) => void fake.held.push(exited("console", null, now_ms() - 1000)));
  for (const event of [exited("reactive", null, now_ms()), exited("tactical", "stop requested", now_ms())]) init.emit(event);
  init.emit(exited("broker", null, now_ms()));
  await init.until("the restart of broker", () => init.calls.some((call) => call.method === "service.restart"));
  await Bun.sleep(100);
  const asked = init.calls.filter((call) => call.method === "service.restart").map((call) => call.params);
  expect(asked).toMatchObject([{ service: "broker" }]);
});

test("figures of the machine reach memory every ten seconds, with their own time", async () => {
  const { run, init } = await start();
  const metrics: MetricSample[] = [];
  const memory = fakeMemory(run, [], metrics);
  await init.until("the second sample", () => metrics.length >= 2, 25_000);
  const [first, second] = metrics;
  expect((second?.boot_ms ?? 0) - (first?.boot_ms ?? 0)).toBeGreaterThan(9000);
  const names = ["cpu.busy_ratio", "memory.available_bytes", "tasks.all", "data.used_ratio"];
  for (const name of names) expect(second?.values[name]).toBeGreaterThan(0);
  memory.close();
}, 40_000);
