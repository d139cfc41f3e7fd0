/** The supervisor with processes in name only: what it hears becomes states and events, and what it decides becomes deeds. */

import { afterEach, expect, test } from "bun:test";
import type { EventKind, Facts } from "../../contracts/event.ts";
import { default_config } from "../defaults.ts";
import type { Notified } from "./notify.ts";
import { policy } from "./policy.ts";
import type { RunnerHears } from "./runner.ts";
import type { ServiceSpec } from "./spec.ts";
import { Supervisor } from "./supervisor.ts";
import { coreSpecs } from "./table.ts";

const quiet: Notified = { ready: false, alive: false, stopping: false, reloading: false, stuck: false, status: null, extend_ms: null };
const opened: Supervisor[] = [];
afterEach(() => {
  for (const supervisor of opened.splice(0)) supervisor.close();
});

function rig(changes: Partial<ServiceSpec> = {}) {
  const time = { ms: 0 };
  const deeds: string[] = [];
  const events: { readonly kind: EventKind; readonly facts: Facts<EventKind> }[] = [];
  let hears: RunnerHears | null = null;
  const supervisor = new Supervisor({
    runner: {
      start(_spec, heard) {
        hears = heard;
        return { pid: 100, mainPid: () => 101, term: () => void deeds.push("term"), kill: () => void deeds.push("kill") };
      },
    },
    now: () => time.ms,
    random: () => 0,
    // the test turns the clock itself
    policy: { ...policy, tick_ms: 5, stall_ms: 1e9 },
    emit: (kind, _severity, facts) => void events.push({ kind, facts }),
    output: () => {},
    onChange: () => {},
    strain: () => 0,
  });
  opened.push(supervisor);
  const [console_spec] = coreSpecs(default_config, "container");
  if (console_spec === undefined) throw new Error("there is no service of ours");
  supervisor.put([{ ...console_spec, name: "a", ready: "notify", heartbeat_ms: 5000, start_limit_ms: 10_000, ...changes }]);
  void supervisor.start("a", "test");
  const say = (what: Partial<Notified>): void => hears?.notified({ ...quiet, ...what });
  const pass = async (ms: number): Promise<void> => {
    time.ms += ms;
    await Bun.sleep(20);
  };
  return { supervisor, time, deeds, events, say, pass, ended: () => hears?.ended({ status: null, signal: "SIGKILL" }) };
}

test("what a foreign program says is heard: ready, alive, more time, stuck, its status", async () => {
  const { supervisor, say, pass, deeds } = rig();
  expect(supervisor.state("a")).toBe("starting");
  say({ extend_ms: 20_000 });
  await pass(15_000);
  expect(supervisor.state("a")).toBe("starting");
  say({ ready: true, status: "here" });
  expect(supervisor.status("a")).toMatchObject({ state: "ready", status_text: "here" });
  await pass(4000);
  say({ alive: true });
  await pass(4000);
  expect(supervisor.state("a")).toBe("ready");
  say({ stuck: true });
  expect(supervisor.state("a")).toBe("stopping");
  expect(deeds).toEqual(["kill"]);
});

test("a hang and an end are events, and the process that hangs is killed", async () => {
  const { say, pass, deeds, events, ended } = rig();
  say({ ready: true });
  await pass(5000);
  expect(deeds).toEqual(["kill"]);
  ended();
  expect(events.filter(({ kind }) => kind !== "service.state")).toEqual([
    { kind: "service.hung", facts: { service: "a", pid: 101, silent_ms: 5000 } },
    {
      kind: "service.exited",
      facts: { service: "a", pid: 101, exit: { status: null, signal: "SIGKILL", cause: "hang" }, uptime_ms: 5000 },
    },
  ]);
});

test("a loop that does not turn is not healthy", () => {
  const { supervisor, time } = rig();
  const { tick_ms } = policy;
  expect(supervisor.isHealthy()).toBe(true);
  time.ms += tick_ms;
  expect(supervisor.isHealthy()).toBe(true);
  time.ms += 2e9;
  expect(supervisor.isHealthy()).toBe(false);
});
