import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { broker_methods } from "../../contracts/broker.ts";
import { callerSocket, callerSocketFolder } from "../../contracts/paths.ts";
import { startFakeInit } from "../../wire/testing/fake-init.ts";
import { listenUnix, silent } from "../../wire/unix.ts";
import { tierHealth } from "./tier.ts";

let child: Subprocess | null = null;
afterAll(() => child?.kill("SIGKILL"));

function fakeBroker(run: string): { close(): void } {
  return listenUnix(callerSocket("broker", "tactical", run), 0o660, () => ({
    ...silent,
    serves: {
      methods: { "tools/list": broker_methods["tools/list"] },
      handlers: { "tools/list": () => ({ tools: [], nextCursor: null, total: 0 }) },
    },
    calls: {},
    tells: {},
  }));
}

test("a tier says what it lacks and who is away, and finds a neighbour that comes, goes and returns", async () => {
  const run = mkdtempSync(join(tmpdir(), "tier-"));
  for (const server of ["broker", "memory"]) mkdirSync(callerSocketFolder(server, "tactical", run), { recursive: true });
  const init = startFakeInit(run, "tactical");
  child = Bun.spawn([process.execPath, join(import.meta.dir, "..", "testing", "start.ts"), "tactical", run], { stderr: "inherit" });
  await init.until("the tier to be ready", () => init.ready.length > 0);
  const health = async () => (await init.child?.call("health", {}))?.facts["broker"];
  expect(await health()).toBe("away");
  for (let round = 0; round < 2; round += 1) {
    const broker = fakeBroker(run);
    while ((await health()) !== "connected") await Bun.sleep(20);
    const answer = await init.child?.call("health", {});
    expect(answer).toMatchObject({ status: "degraded", facts: { model: "none", tools: 0, memory: "away" } });
    expect(answer?.detail).toStartWith("memory is away; no model loaded");
    broker.close();
    while ((await health()) !== "away") await Bun.sleep(20);
  }
}, 15_000);

test("without a model but with its neighbours a tier is as it is meant to be", () => {
  const neighbours = { broker: "connected", memory: "connected", tools: 0, memory_events: 7 } as const;
  expect(
    tierHealth(
      {
        detail: "no model loaded: no model chosen",
        facts: { model: "none", model_error: "", model_off: false, model_late_ratio: 0, model_wrong_ratio: 0 },
      },
      neighbours,
    ),
  ).toEqual({
    status: "ok",
    detail: "no model loaded: no model chosen; no tools registered",
    facts: {
      incidents: 0,
      model: "none",
      model_error: "",
      model_off: false,
      model_late_ratio: 0,
      model_wrong_ratio: 0,
      tools: 0,
      memory_events: 7,
      broker: "connected",
      memory: "connected",
    },
  });
});
