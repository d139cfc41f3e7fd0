import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Action, MachineEvent } from "./events.ts";
import { Machine, type MachineSpec } from "./machine.ts";
import { backoffMs, policy } from "./policy.ts";

const spec = (name: string, after: string[] = [], changes: Partial<MachineSpec> = {}): MachineSpec => ({
  name,
  after,
  ready: "rpc",
  restart: "always",
  heartbeat_ms: 5_000,
  start_limit_ms: 10_000,
  stop_limit_ms: 3_000,
  ...changes,
});

/** A machine with a clock that the test turns, which ticks on the way as the supervisor does. */
function rig(specs: MachineSpec[] = [spec("a")]) {
  const machine = new Machine(policy, () => 0);
  machine.add(specs, 0);
  const log: Action[] = [];
  let now = 0;
  const rig = {
    machine,
    log,
    send(event: MachineEvent) {
      const actions = machine.handle(event, now);
      log.push(...actions);
      return actions;
    },
    run: (service = "a") => machine.units.get(service)?.run ?? 0,
    state: (service = "a") => machine.units.get(service)?.state,
    unit: (service = "a") => machine.units.get(service),
    up(service = "a") {
      rig.send({ type: "start", service, reason: "test" });
      rig.started(service);
    },
    started(service = "a") {
      rig.send({ type: "spawned", service, run: rig.run(service), pid: 100 });
      rig.send({ type: "ready", service, run: rig.run(service), detail: "ok" });
    },
    die(service = "a", status: number | null = 1, signal: string | null = null) {
      return rig.send({ type: "exited", service, run: rig.run(service), status, signal });
    },
    /** Lets time pass; `alive` services give their sign of life each second. */
    pass(ms: number, alive: string[] = []) {
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, now + 100);
        if (now % 1000 === 0) for (const service of alive) rig.send({ type: "alive", service, run: rig.run(service) });
        rig.send({ type: "tick" });
      }
    },
    jump(ms: number) {
      now += ms;
      rig.send({ type: "tick" });
    },
    did: (what: Action["do"], service = "a") => log.filter((action) => action.do === what && action.service === service).length,
  };
  return rig;
}

describe("states", () => {
  test("start spawns, ready is ready, and the time from spawn to ready is known", () => {
    const r = rig();
    r.send({ type: "start", service: "a", reason: "test" });
    r.send({ type: "spawned", service: "a", run: 1, pid: 100 });
    expect(r.state()).toBe("starting");
    r.pass(300);
    r.send({ type: "ready", service: "a", run: 1, detail: "ok" });
    expect(r.unit()).toMatchObject({ state: "ready", pid: 100, ready_after_ms: 300 });
  });

  test("one that may end by itself stops with the reason; one that fails is started again, unless never", () => {
    const how = (restart: MachineSpec["restart"], status: number) => {
      const r = rig([spec("a", [], { restart })]);
      r.up();
      r.die("a", status);
      return [r.state(), r.unit()?.wanted, r.unit()?.reason];
    };
    expect(how("on-failure", 0)).toEqual(["stopped", false, "ended with status 0"]);
    expect(how("on-failure", 1)[0]).toBe("backoff");
    expect(how("never", 1)).toEqual(["stopped", false, "ended with status 1"]);
    expect(how("always", 0)[0]).toBe("backoff");
    const r = rig([spec("a", [], { restart: "never" })]);
    r.up();
    r.send({ type: "restart", service: "a", reason: "test" });
    r.die();
    expect(r.state()).toBe("starting"); // it was asked to end, for a restart
  });

  test("readiness exec: ready as soon as it runs", () => {
    const r = rig([spec("a", [], { ready: "exec", heartbeat_ms: 0 })]);
    r.send({ type: "start", service: "a", reason: "test" });
    r.send({ type: "spawned", service: "a", run: 1, pid: 5 });
    expect(r.state()).toBe("ready");
    r.pass(60_000);
    expect(r.state()).toBe("ready");
  });

  test("an end that nobody asked for leads to backoff, whatever the status, and to a new start after the wait", () => {
    for (const [status, signal] of [
      [0, null],
      [3, null],
      [null, "SIGKILL"],
    ] as const) {
      const r = rig();
      r.up();
      r.die("a", status, signal);
      expect(r.state()).toBe("backoff");
      r.pass(100);
      expect(r.state()).toBe("starting");
      expect(r.unit()?.restarts).toBe(1);
      expect(r.unit()?.last_exit).toEqual({ status, signal, cause: null });
    }
  });

  test("the wait doubles up to its cap, and jitter only shortens it", () => {
    const waits: number[] = [];
    const r = rig([spec("a", [], { start_limit_ms: 1e9 })]);
    r.send({ type: "start", service: "a", reason: "test" });
    for (let failure = 0; failure < 12; failure += 1) {
      r.pass(60_000); // far apart: no crash loop, and not ready in between: no forgiveness
      r.die();
      const until = r.unit()?.deadline ?? 0;
      waits.push(until - (r.unit()?.since ?? 0));
      r.pass(until);
    }
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000]);
  });

  test("waits that began together end apart", () => {
    const waits = [0, 0.5, 0.999].map((random) => backoffMs(4, policy, random));
    expect(waits).toEqual([800, 720, 640]);
  });

  test("many failures in a short time are a crash loop; it is tried again after the long wait, on probation", () => {
    const r = rig();
    r.up();
    for (let failure = 0; failure < policy.loop_failures; failure += 1) {
      expect(r.state()).not.toBe("crash-loop");
      r.die();
      if (failure < policy.loop_failures - 1) {
        r.pass(5_000);
        r.started();
      }
    }
    expect(r.state()).toBe("crash-loop");
    r.pass(policy.loop_retry_ms - 1000);
    expect(r.state()).toBe("crash-loop");
    r.pass(1000);
    expect(r.state()).toBe("starting");
    r.started();
    r.die();
    expect(r.state()).toBe("crash-loop");
    r.pass(policy.loop_retry_ms);
    r.started();
    r.pass(policy.stable_ms, ["a"]);
    r.die();
    expect(r.state()).toBe("backoff");
    expect((r.unit()?.deadline ?? 0) - (r.unit()?.since ?? 0)).toBe(policy.backoff_first_ms);
  });

  test("silence for the heartbeat limit is a hang: reported, killed at once, restarted", () => {
    const r = rig();
    r.up();
    r.pass(20_000, ["a"]);
    expect(r.state()).toBe("ready");
    r.pass(5_100);
    expect(r.state()).toBe("stopping");
    expect(r.did("report-hang")).toBe(1);
    expect(r.did("kill")).toBe(1);
    expect(r.did("term")).toBe(0);
    r.die("a", null, "SIGKILL");
    expect(r.unit()).toMatchObject({ state: "backoff", last_exit: { signal: "SIGKILL", cause: "hang" } });
    r.pass(100);
    expect(r.state()).toBe("starting");
  });

  test("while somebody waits for a processor a silence has to be longer; the limit falls with the strain", () => {
    const r = rig();
    r.up();
    r.send({ type: "tick", strain: 1 });
    r.pass(29_000);
    expect(r.state()).toBe("ready");
    r.send({ type: "tick", strain: 0.5 });
    r.pass(500);
    expect(r.state()).toBe("stopping");
    expect(r.did("report-hang")).toBe(1);
  });

  test("a restart that is asked for while what hangs is being killed comes at once when it is gone, and the failure counts", () => {
    for (const type of ["restart", "start"] as const) {
      const r = rig();
      r.up();
      r.pass(5_100);
      expect(r.state()).toBe("stopping");
      r.send({ type, service: "a", reason: "the rule wants it" });
      const states = r.die("a", null, "SIGKILL").flatMap((action) => (action.do === "report-state" ? [action.to] : []));
      expect(states).toEqual(["waiting", "starting"]);
      expect(r.unit()).toMatchObject({ run: 2, attempt: 1, asked: null });
    }
  });

  test("it does not hide a crash loop, and a stop after it counts", () => {
    const r = rig();
    for (let n = 0; r.state() !== "crash-loop"; n += 1) {
      expect(n).toBeLessThan(20);
      if (r.run() === 0) r.up();
      else r.started();
      r.pass(5_100);
      r.send({ type: "restart", service: "a", reason: "the rule wants it" });
      r.die("a", null, "SIGKILL");
    }
    expect(r.unit()?.failures.length).toBe(policy.loop_failures);
    const stopped = rig();
    stopped.up();
    stopped.pass(5_100);
    stopped.send({ type: "restart", service: "a", reason: "the rule wants it" });
    stopped.send({ type: "stop", service: "a", cause: "a person" });
    stopped.die("a", null, "SIGKILL");
    expect(stopped.state()).toBe("stopped");
  });

  test("WATCHDOG=trigger is a hang at once", () => {
    const r = rig();
    r.up();
    r.send({ type: "stuck", service: "a", run: 1 });
    expect(r.state()).toBe("stopping");
    expect(r.did("kill")).toBe(1);
  });

  test("RELOADING=1: still ready, and has to say ready again within the start limit; more time may be asked for", () => {
    const r = rig();
    r.up();
    r.send({ type: "reloading", service: "a", run: 1 });
    expect(r.unit()).toMatchObject({ state: "ready", reason: "reloads its configuration" });
    r.pass(9_000, ["a"]);
    r.send({ type: "ready", service: "a", run: 1, detail: "ok" });
    expect(r.unit()).toMatchObject({ state: "ready", reason: "has reloaded its configuration" });
    r.pass(20_000, ["a"]);
    expect(r.state()).toBe("ready");
    r.send({ type: "reloading", service: "a", run: 1 });
    r.send({ type: "extend", service: "a", run: 1, by_ms: 15_000 });
    r.pass(14_000, ["a"]);
    expect(r.state()).toBe("ready");
    r.pass(1_100, ["a"]);
    expect(r.unit()).toMatchObject({ state: "stopping", cause: "reload timeout" });
    expect(r.did("kill")).toBe(1);
    r.die("a", null, "SIGKILL");
    expect(r.state()).toBe("backoff");
  });

  test("a reload that is said again gives no more time, and reloads without end are a few events", () => {
    const r = rig();
    r.up();
    const told = r.did("report-state");
    for (let n = 0; n < 1000; n += 1) r.send({ type: "reloading", service: "a", run: 1 });
    expect(r.did("report-state")).toBe(told + 1);
    for (let n = 0; n < 11; n += 1) {
      r.pass(1000, ["a"]);
      r.send({ type: "reloading", service: "a", run: 1 });
    }
    expect(r.unit()).toMatchObject({ state: "stopping", cause: "reload timeout" });
    const again = rig();
    again.up();
    const before = again.did("report-state");
    for (let n = 0; n < 1000; n += 1) {
      again.send({ type: "reloading", service: "a", run: 1 });
      again.send({ type: "ready", service: "a", run: 1, detail: "ok" });
      again.pass(10, ["a"]);
    }
    expect(again.state()).toBe("ready");
    expect(again.did("report-state") - before).toBe(4);
  });

  test("another heartbeat holds from the next start on: the process that runs knows of the one before", () => {
    const r = rig();
    r.up();
    r.machine.replace(spec("a", [], { heartbeat_ms: 1500 }));
    r.pass(4_000);
    expect(r.state()).toBe("ready");
    r.pass(1_100);
    expect(r.did("report-hang")).toBe(1);
    r.die("a", null, "SIGKILL");
    r.pass(200);
    r.started();
    r.pass(1_600);
    expect(r.did("report-hang")).toBe(2);
  });

  test("a restart of one that is still starting begins anew, with the definition of now", () => {
    const r = rig();
    r.send({ type: "start", service: "a", reason: "test" });
    r.send({ type: "spawned", service: "a", run: 1, pid: 100 });
    r.send({ type: "restart", service: "a", reason: "another definition" });
    expect(r.unit()).toMatchObject({ state: "stopping", cause: "another definition" });
    expect(r.did("term")).toBe(1);
    r.die("a", null, "SIGTERM");
    expect(r.unit()).toMatchObject({ state: "starting", run: 2, attempt: 0 });
  });

  test("a reload is no leave to be silent", () => {
    const r = rig();
    r.up();
    r.send({ type: "reloading", service: "a", run: 1 });
    r.pass(5_100);
    expect(r.did("report-hang")).toBe(1);
  });

  test("STOPPING=1: it is given the stop limit without a TERM or a heartbeat, and its end is a failure like any other", () => {
    const r = rig([spec("a", [], { heartbeat_ms: 1_000 })]);
    r.up();
    r.send({ type: "leaving", service: "a", run: 1 });
    expect(r.state()).toBe("stopping");
    r.pass(2_000);
    expect(r.did("term") + r.did("kill") + r.did("report-hang")).toBe(0);
    r.die("a", 0);
    expect(r.unit()).toMatchObject({ state: "backoff", attempt: 1, last_exit: { status: 0, cause: "stopping by itself" } });
    r.pass(200);
    r.started();
    r.send({ type: "leaving", service: "a", run: 2 });
    r.send({ type: "extend", service: "a", run: 2, by_ms: 5_000 });
    r.pass(4_900);
    expect(r.did("kill")).toBe(0);
    r.pass(200);
    expect(r.did("kill")).toBe(1);
  });

  test("STOPPING=1 and an end that its definition takes for its own leave it stopped", () => {
    const end = (restart: "always" | "on-failure" | "never", status: number) => {
      const r = rig([{ ...spec("a"), restart }]);
      r.up();
      r.send({ type: "leaving", service: "a", run: 1 });
      r.die("a", status);
      return r.state();
    };
    expect(["always", "on-failure", "never"].map((restart) => [0, 1].map((status) => end(restart as "always", status)))).toEqual([
      ["backoff", "backoff"],
      ["stopped", "backoff"],
      ["stopped", "stopped"],
    ]);
  });

  test("what stops by itself and is not wanted any more stays stopped", () => {
    const r = rig();
    r.up();
    r.send({ type: "leaving", service: "a", run: 1 });
    r.send({ type: "stop", service: "a", cause: "stop requested" });
    r.die("a", 0);
    expect(r.state()).toBe("stopped");
  });

  test("time that PID 1 did not see is counted against no one", () => {
    const r = rig();
    r.up();
    r.pass(2_000, ["a"]);
    r.jump(60_000);
    expect(r.state()).toBe("ready");
    r.pass(5_100);
    expect(r.state()).toBe("stopping");
  });

  test("what does not become ready in time is killed, and that is a failure; more time may be asked for", () => {
    const r = rig();
    r.send({ type: "start", service: "a", reason: "test" });
    r.send({ type: "spawned", service: "a", run: 1, pid: 5 });
    r.send({ type: "extend", service: "a", run: 1, by_ms: 20_000 });
    r.pass(19_000);
    expect(r.state()).toBe("starting");
    r.pass(1_100);
    expect(r.unit()).toMatchObject({ state: "stopping", cause: "start timeout" });
    r.die("a", null, "SIGKILL");
    expect(r.state()).toBe("backoff");
  });

  test("a program that cannot be started fails like one that dies", () => {
    const r = rig();
    r.send({ type: "start", service: "a", reason: "test" });
    r.send({ type: "spawn-failed", service: "a", run: 1, error: "ENOENT" });
    expect(r.unit()).toMatchObject({ state: "backoff", alive: false });
    expect(r.unit()?.reason).toContain("ENOENT");
  });

  test("stop: TERM, after the limit KILL, again and again while it does not die", () => {
    const r = rig();
    r.up();
    r.send({ type: "stop", service: "a", cause: "stop requested" });
    expect(r.did("term")).toBe(1);
    r.pass(2_900);
    expect(r.did("kill")).toBe(0);
    r.pass(200);
    expect(r.did("kill")).toBe(1);
    r.pass(policy.kill_limit_ms + 100);
    expect(r.did("kill")).toBe(2);
    expect(r.state()).toBe("stopping");
    expect(r.unit()?.reason).toContain("does not die");
    r.die("a", null, "SIGKILL");
    expect(r.unit()).toMatchObject({ state: "stopped", last_exit: { cause: "stop requested" } });
    r.pass(600_000);
    expect(r.state()).toBe("stopped");
  });

  test("restart of a ready service stops it and starts it without a wait, and is no failure", () => {
    const r = rig();
    r.up();
    r.send({ type: "restart", service: "a", reason: "wanted" });
    expect(r.state()).toBe("stopping");
    r.die("a", 0);
    expect(r.unit()).toMatchObject({ state: "starting", run: 2, attempt: 0 });
  });

  test("restart cuts a wait short, but forgives nothing", () => {
    const r = rig();
    r.up();
    for (let failure = 1; failure < policy.loop_failures; failure += 1) {
      r.die();
      r.send({ type: "restart", service: "a", reason: "a rule" });
      expect(r.state()).toBe("starting");
      r.started();
    }
    r.die();
    expect(r.state()).toBe("crash-loop");
    r.send({ type: "restart", service: "a", reason: "a person" });
    expect(r.state()).toBe("starting");
  });

  test("stop in each state without a process ends in stopped", () => {
    const backoff = rig();
    backoff.up();
    backoff.die();
    backoff.send({ type: "stop", service: "a", cause: "c" });
    expect(backoff.state()).toBe("stopped");
    backoff.pass(60_000);
    expect(backoff.state()).toBe("stopped");
    const waiting = rig([spec("b"), spec("a", ["b"])]);
    waiting.send({ type: "start", service: "b", reason: "t" });
    waiting.send({ type: "start", service: "a", reason: "t" });
    expect(waiting.state()).toBe("waiting");
    waiting.send({ type: "stop", service: "a", cause: "c" });
    expect(waiting.state()).toBe("stopped");
  });

  test("what an earlier process says or does is ignored", () => {
    const r = rig();
    r.up();
    r.die();
    r.pass(100);
    r.send({ type: "ready", service: "a", run: 1, detail: "late" });
    r.send({ type: "exited", service: "a", run: 1, status: 0, signal: null });
    expect(r.state()).toBe("starting");
  });

  test("when the system goes down nothing is started any more", () => {
    const r = rig([spec("a"), spec("b")]);
    r.up("a");
    r.up("b");
    r.die("b");
    r.send({ type: "hold" });
    expect(r.state("b")).toBe("stopped");
    r.send({ type: "restart", service: "b", reason: "x" });
    r.send({ type: "start", service: "b", reason: "x" });
    r.die("a");
    r.pass(600_000);
    expect([r.state("a"), r.state("b")]).toEqual(["stopped", "stopped"]);
  });
});

describe("order", () => {
  test("a service starts when those before it are ready", () => {
    const r = rig([spec("b", ["a"]), spec("a"), spec("c", ["a", "b"])]);
    for (const service of ["a", "b", "c"]) r.send({ type: "start", service, reason: "t" });
    expect([r.state("a"), r.state("b"), r.state("c")]).toEqual(["starting", "waiting", "waiting"]);
    r.started("a");
    expect([r.state("b"), r.state("c")]).toEqual(["starting", "waiting"]);
    r.started("b");
    expect(r.state("c")).toBe("starting");
    expect(r.machine.stopOrder()).toEqual(["c", "b", "a"]);
  });

  test("it does not wait for what is in a crash loop, nor longer than patience", () => {
    const r = rig([spec("a", [], { start_limit_ms: 1e9 }), spec("b", ["a"])]);
    r.send({ type: "start", service: "a", reason: "t" });
    r.send({ type: "start", service: "b", reason: "t" });
    r.pass(policy.patience_ms - 100);
    expect(r.state("b")).toBe("waiting");
    expect(r.unit("b")?.reason).toContain("waits for a");
    r.pass(200);
    expect(r.state("b")).toBe("starting");
    expect(r.unit("b")?.reason).toContain("without a");
  });

  test("a service can be replaced and, once stopped, taken away", () => {
    const r = rig();
    r.machine.replace(spec("a", [], { stop_limit_ms: 1 }));
    expect(r.unit()?.spec.stop_limit_ms).toBe(1);
    r.up();
    expect(r.machine.remove("a")).toBe(false);
    r.send({ type: "stop", service: "a", cause: "c" });
    r.die();
    expect(r.machine.remove("a")).toBe(true);
  });
});

test("whatever happens, in whatever order", () => {
  const names = ["a", "b", "c"];
  const specs = [spec("a"), spec("b", ["a"]), spec("c", ["a", "b"], { ready: "exec", heartbeat_ms: 0 })];
  const event = fc.record({
    kind: fc.constantFrom(
      "start",
      "stop",
      "restart",
      "spawned",
      "spawn-failed",
      "ready",
      "alive",
      "stuck",
      "reloading",
      "leaving",
      "extend",
      "exited",
      "pass",
      "jump",
      "hold",
    ),
    service: fc.constantFrom(...names),
    stale: fc.boolean(),
    ms: fc.nat(40_000),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), (events) => {
      const r = rig(specs);
      const alive = new Map(names.map((name) => [name, 0]));
      let seen = 0;
      let held = false;
      for (const { kind, service, stale, ms } of events) {
        const run = r.run(service) - (stale ? 1 : 0);
        if (kind === "pass") r.pass(ms % 3000);
        else if (kind === "jump") r.jump(ms);
        else if (kind === "hold") {
          r.send({ type: "hold" });
          held = true;
        } else if (kind === "start" || kind === "restart") r.send({ type: kind, service, reason: "r" });
        else if (kind === "stop") r.send({ type: kind, service, cause: "c" });
        else if (kind === "spawned") r.send({ type: kind, service, run, pid: 7 });
        else if (kind === "spawn-failed" || kind === "exited") {
          // only a process that exists can end, and only one that was just asked for can fail to start
          if (!stale && (alive.get(service) ?? 0) === 0) continue;
          if (!stale) alive.set(service, 0);
          if (kind === "exited") r.send({ type: kind, service, run, status: 1, signal: null });
          else r.send({ type: kind, service, run, error: "e" });
        } else if (kind === "ready") r.send({ type: kind, service, run, detail: "d" });
        else if (kind === "extend") r.send({ type: kind, service, run, by_ms: ms });
        else r.send({ type: kind, service, run });

        for (const action of r.log.slice(seen)) {
          if (action.do === "spawn") {
            expect(alive.get(action.service)).toBe(0); // at most one process a service
            expect(held).toBe(false); // nothing starts once the system goes down
            alive.set(action.service, 1);
          }
          if (action.do === "term" || action.do === "kill") expect(action.run).toBe(r.run(action.service));
        }
        seen = r.log.length;
        for (const unit of r.machine.units.values()) {
          expect(unit.alive).toBe(["starting", "ready", "stopping"].includes(unit.state));
          expect(unit.failures.length).toBeLessThanOrEqual(policy.loop_failures);
          if (unit.state !== "stopped" && unit.state !== "ready") expect(unit.deadline).not.toBeNull(); // nothing waits for ever
          if (unit.state === "stopped") expect(unit.wanted).toBe(false);
        }
      }
    }),
    { numRuns: Number(process.env["AIOS_FUZZ_RUNS"] ?? 300) },
  );
});
