/**
 * The state machine of services. Pure: events and the time go in, actions come out; it starts no process, reads no clock
 * and sets no timer. Events that one event causes are queued, never handled within each other.
 *
 * A service is in one of seven states, and has at most one process (a `run`) at a time.
 *
 * stopped     No process, and none is wanted: not asked for yet, switched off in the config, or stopped by request.
 *             → waiting   on `start` or `restart`
 * waiting     Wanted; not started yet. It waits until every service that it comes after is settled: ready, in a crash
 *             loop, or stopped. The order is soft on purpose: a system in which one service is broken should bring up
 *             the rest, so a wait ends after the patience limit in any case.
 *             → starting  when all are settled or patience is over: spawn
 *             → stopped   on `stop`, or when the system goes down
 * starting    A process exists; it has not said ready.
 *             → ready     when it says so (readiness `exec`: as soon as it runs)
 *             → stopping  on `stop` or `restart` of a process that runs already; when the start limit is over (KILL at
 *                         once: what cannot start cannot be expected to stop)
 *             → backoff / crash-loop   when it ends by itself, or cannot be spawned
 * ready       It does its job. Each sign of life moves its heartbeat limit on.
 *             It may say that it reloads its configuration: it still counts as ready, and has to say ready again within
 *             its start limit (KILL otherwise).
 *             → stopping  on `stop` or `restart` (TERM), or when it was silent for the limit (KILL: what hangs does not
 *                         answer TERM; the silence is reported as a hang)
 *             → backoff / crash-loop   when it ends by itself, whatever the status: a service has no end of its own
 *             → stopped   when it ends by itself and its definition says that this is its end (restart `never`; restart
 *                         `on-failure` and status 0); the same from starting
 * stopping    TERM was sent, or it says by itself that it stops (from starting or ready); then KILL after the stop limit.
 *             Heartbeats are not asked for any more. A process that survives KILL sits in the kernel (a dead
 *             disk, say): that is said, KILL is repeated, and the state stays. No second process is started meanwhile.
 *             → stopped   when it has ended and is not wanted
 *             → waiting   when it has ended and a restart was asked for, also one after a failure, if it is no crash loop
 *             → backoff / crash-loop   when it stopped by itself, or was killed for a hang or for the limit of a start or a
 *                         reload: that is a failure
 * backoff     Failed; the next try comes after a wait that doubles from 100 ms to 30 s.
 *             → waiting   when the wait is over, or at once on `start` or `restart`
 *             → stopped   on `stop`
 * crash-loop  Failed too often within the window. It is left alone, so that it cannot wear out the rest of the system,
 *             and tried again after a long wait (five minutes), so that the system heals by itself when the cause has
 *             gone. It is then on probation: one more failure leads straight back here.
 *             → waiting   when the long wait is over, or at once on `start` or `restart`
 *             → stopped   on `stop`
 *
 * Failures are forgiven (the wait starts at 100 ms again, probation ends) when the service was ready for 60 s. A restart
 * by request cuts a wait short but forgives nothing: a rule that restarts what is dead must not be able to hide a loop.
 *
 * While somebody waits for a processor, a silence has to be longer to count as a hang: on a machine that is overloaded, or
 * emulated, seven services that start at once are silent for long, and each that is killed makes it worse.
 *
 * Time that PID 1 itself did not see (it was stopped, or the machine slept) is recognised by ticks that are far apart,
 * and is counted against no one: all limits move on by that much.
 *
 * Who causes what: `start`, `stop`, `restart` come from boot, the console, the reactive tier or shutdown; `ready`,
 * `alive`, `extend`, `stuck`, `reloading`, `leaving` from the service itself; `spawned`, `spawn-failed`, `exited` from the runner; `hold` from
 * shutdown; `tick` from the clock.
 */

import type { Severity } from "../../contracts/event.ts";
import type { ServiceState } from "../../contracts/service.ts";
import type { Action, MachineEvent } from "./events.ts";
import { inOrder } from "./order.ts";
import { backoffMs, type Policy } from "./policy.ts";
import type { ServiceSpec } from "./spec.ts";
import { newUnit, type Unit } from "./unit.ts";
import { exitText, severityOf } from "./words.ts";

/** What the machine has to know of a service. */
export type MachineSpec = Pick<ServiceSpec, "name" | "after" | "ready" | "restart" | "heartbeat_ms" | "start_limit_ms" | "stop_limit_ms">;

/** Something that this service may wait for has changed. */
interface Look {
  readonly type: "look";
  readonly service: string;
}

/** Whether a service that ended by itself was meant to. */
function isItsEnd(restart: MachineSpec["restart"], status: number | null): boolean {
  return restart === "never" || (restart === "on-failure" && status === 0);
}

/** Events that one event may cause; more is a fault of the machine, and the rest is dropped rather than looped over. */
const queue_max = 10_000;
const reload_told_every_ms = 5000;
const by_itself_cause = "stopping by itself";

export class Machine {
  readonly #units = new Map<string, Unit>();
  readonly #policy: Policy;
  readonly #random: () => number;
  #queue: (MachineEvent | Look)[] = [];
  #actions: Action[] = [];
  #now = 0;
  #ticked: number | null = null;
  #held = false;
  /** See `strain` of a tick. */
  #strain = 0;

  constructor(policy: Policy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
  }

  /** Takes services in, all stopped. @throws {OrderError} when they cannot be ordered; nothing is taken in then */
  add(specs: readonly MachineSpec[], now: number): void {
    inOrder([...[...this.#units.values()].map((unit) => unit.spec), ...specs]);
    for (const spec of specs) this.#units.set(spec.name, newUnit(spec, now));
  }

  /** New definitions for services that are in already. @throws {OrderError} as `add` */
  replace(spec: MachineSpec): void {
    const unit = this.#units.get(spec.name);
    if (unit === undefined) return;
    inOrder([...this.#units.values()].map((other) => (other === unit ? spec : other.spec)));
    unit.spec = spec;
  }

  /** Takes a stopped service away. @returns false when it is not stopped, or others come after it */
  remove(name: string): boolean {
    if (this.#units.get(name)?.state !== "stopped") return false;
    for (const { spec } of this.#units.values()) if (spec.after.includes(name)) return false;
    return this.#units.delete(name);
  }

  get units(): ReadonlyMap<string, Readonly<Unit>> {
    return this.#units;
  }

  /** When the next tick is needed; null when nothing waits for time. */
  get next_ms(): number | null {
    let next: number | null = null;
    for (const { deadline } of this.#units.values()) if (deadline !== null && (next === null || deadline < next)) next = deadline;
    return next;
  }

  /** Names in the order in which they have to stop: the reverse of their start. */
  stopOrder(): string[] {
    return inOrder([...this.#units.values()].map((unit) => unit.spec))
      .map((spec) => spec.name)
      .reverse();
  }

  handle(event: MachineEvent, now: number): Action[] {
    this.#now = Math.max(now, this.#now);
    this.#queue = [event];
    this.#actions = [];
    for (let at = 0; at < this.#queue.length && at < queue_max; at += 1) this.#take(this.#queue[at] as MachineEvent | Look);
    return this.#actions;
  }

  #take(event: MachineEvent | Look): void {
    if (event.type === "tick") {
      if (event.strain !== undefined) this.#strained(event.strain);
      this.#tick();
      return;
    }
    if (event.type === "hold") {
      this.#hold();
      return;
    }
    const unit = this.#units.get(event.service);
    if (unit === undefined) return;
    if (event.type === "start") {
      this.#start(unit, event.reason);
      return;
    }
    if (event.type === "stop") {
      this.#stop(unit, event.cause);
      return;
    }
    if (event.type === "restart") {
      this.#restart(unit, event.reason);
      return;
    }
    if (event.type === "look") {
      this.#spawnIfSettled(unit);
      return;
    }
    if (event.run !== unit.run || !unit.alive) return;
    switch (event.type) {
      case "spawned":
        this.#spawned(unit, event.pid);
        return;
      case "spawn-failed":
        unit.alive = false;
        this.#ended(unit, `it could not be started: ${event.error}`);
        return;
      case "ready":
        if (unit.state === "starting") this.#ready(unit, event.detail);
        else if (unit.reload_limit !== null) this.#reloaded(unit);
        return;
      case "alive":
        this.#alive(unit);
        return;
      case "extend":
        this.#extend(unit, this.#now + Math.min(event.by_ms, this.#policy.extend_max_ms));
        return;
      case "stuck":
        if (unit.state === "ready") this.#hung(unit);
        return;
      case "reloading":
        if (unit.state === "ready") this.#reloading(unit);
        return;
      case "leaving":
        if (unit.state === "starting" || unit.state === "ready") this.#leaving(unit);
        return;
      case "exited":
        this.#exited(unit, event.status, event.signal);
        return;
    }
  }

  #start(unit: Unit, reason: string): void {
    if (this.#held) return;
    unit.wanted = true;
    if (unit.state === "stopping") unit.asked = reason;
    else if (unit.state === "stopped" || unit.state === "backoff" || unit.state === "crash-loop") this.#wait(unit, reason);
  }

  #stop(unit: Unit, cause: string): void {
    unit.wanted = false;
    unit.asked = null;
    if (unit.state === "starting" || unit.state === "ready") this.#term(unit, cause);
    else if (unit.state !== "stopping" && unit.state !== "stopped") this.#enter(unit, "stopped", cause);
  }

  #restart(unit: Unit, reason: string): void {
    if (this.#held) return;
    unit.wanted = true;
    if (unit.state === "stopping") unit.asked = reason;
    else if (unit.state === "starting" || unit.state === "ready") this.#term(unit, reason);
    else if (unit.state === "stopped" || unit.state === "backoff" || unit.state === "crash-loop") this.#wait(unit, reason);
  }

  #wait(unit: Unit, reason: string): void {
    this.#enter(unit, "waiting", reason);
    unit.deadline = this.#now + this.#policy.patience_ms;
    this.#spawnIfSettled(unit);
  }

  #spawnIfSettled(unit: Unit): void {
    if (unit.state !== "waiting") return;
    const open = unit.spec.after.filter((name) => !this.#settled(name));
    const patient = this.#now < (unit.deadline ?? 0);
    if (open.length > 0 && patient) {
      unit.reason = `waits for ${open.join(", ")}`;
      return;
    }
    const why = open.length > 0 ? `without ${open.join(", ")}: not ready after ${this.#policy.patience_ms} ms` : unit.why;
    unit.run += 1;
    if (unit.run > 1) unit.restarts += 1;
    unit.alive = true;
    unit.pid = null;
    unit.cause = null;
    unit.failed = false;
    unit.asked = null;
    unit.spawned_at = this.#now;
    unit.heartbeat_ms = unit.spec.heartbeat_ms;
    this.#enter(unit, "starting", why);
    unit.deadline = this.#now + unit.spec.start_limit_ms;
    this.#actions.push({ do: "spawn", service: unit.spec.name, run: unit.run });
  }

  #settled(name: string): boolean {
    const state = this.#units.get(name)?.state;
    return state === undefined || state === "ready" || state === "crash-loop" || state === "stopped";
  }

  #spawned(unit: Unit, pid: number): void {
    unit.pid = pid;
    if (unit.state === "starting" && unit.spec.ready === "exec") this.#ready(unit, "runs");
  }

  #ready(unit: Unit, detail: string): void {
    unit.ready_after_ms = this.#now - unit.spawned_at;
    unit.heard_at = this.#now;
    this.#enter(unit, "ready", detail);
    this.#readyDeadline(unit);
  }

  #alive(unit: Unit): void {
    unit.heard_at = this.#now;
    if (unit.state === "ready") this.#readyDeadline(unit);
  }

  /** The next moment that matters for a ready service: silence, or forgiveness. */
  #readyDeadline(unit: Unit): void {
    const silence = unit.heartbeat_ms > 0 ? unit.heard_at + this.#silenceLimit(unit) : null;
    const stable = unit.failures.length > 0 || unit.attempt > 0 || unit.probation ? unit.since + this.#policy.stable_ms : null;
    const limits = [silence, stable, unit.reload_limit].filter((limit) => limit !== null);
    unit.deadline = limits.length === 0 ? null : Math.min(...limits);
  }

  #strained(strain: number): void {
    if (strain === this.#strain) return;
    this.#strain = strain;
    for (const unit of this.#units.values()) if (unit.state === "ready") this.#readyDeadline(unit);
  }

  /** Who does not get a processor cannot say anything: killing it would make the others wait for one more start. */
  #silenceLimit({ heartbeat_ms }: Unit): number {
    return heartbeat_ms * (1 + this.#strain * (this.#policy.strained_factor - 1));
  }

  /** More time, for the limit that runs: of the start, of a reload, of the stop (not once KILL was sent). */
  #extend(unit: Unit, to: number): void {
    if (unit.state === "starting" || (unit.state === "stopping" && !unit.killed)) unit.deadline = Math.max(unit.deadline ?? 0, to);
    if (unit.reload_limit === null) return;
    unit.reload_limit = Math.max(unit.reload_limit, to);
    this.#readyDeadline(unit);
  }

  #reloading(unit: Unit): void {
    if (unit.reload_limit !== null) return; // said again it gives no more time, and is no event
    unit.reload_limit = this.#now + unit.spec.start_limit_ms;
    unit.reason = "reloads its configuration";
    // whoever reloads without end must not fill the events
    unit.reload_told = unit.reload_told_at === null || this.#now - unit.reload_told_at >= reload_told_every_ms;
    if (unit.reload_told) {
      unit.reload_told_at = this.#now;
      this.#report(unit, unit.state, "info");
    }
    this.#readyDeadline(unit);
  }

  #reloaded(unit: Unit): void {
    unit.reload_limit = null;
    unit.reason = "has reloaded its configuration";
    if (unit.reload_told) this.#report(unit, unit.state, "info");
    this.#readyDeadline(unit);
  }

  /** It ends of its own accord, in its own time: no TERM, but a limit. */
  #leaving(unit: Unit): void {
    unit.cause = by_itself_cause;
    unit.failed = true;
    this.#enter(unit, "stopping", "says that it stops");
    unit.deadline = this.#now + unit.spec.stop_limit_ms;
  }

  #hung(unit: Unit): void {
    this.#actions.push({
      do: "report-hang",
      service: unit.spec.name,
      pid: unit.pid ?? 0,
      silent_ms: Math.round(this.#now - unit.heard_at),
    });
    this.#kill(unit, "hang", `hangs: no sign of life for ${Math.round(this.#now - unit.heard_at)} ms`);
  }

  #term(unit: Unit, cause: string): void {
    unit.cause = cause;
    unit.failed = false;
    this.#enter(unit, "stopping", cause);
    unit.deadline = this.#now + unit.spec.stop_limit_ms;
    this.#actions.push({ do: "term", service: unit.spec.name, run: unit.run });
  }

  #kill(unit: Unit, cause: string, reason: string): void {
    unit.cause = cause;
    unit.failed = true;
    this.#enter(unit, "stopping", reason);
    unit.killed = true;
    unit.deadline = this.#now + this.#policy.kill_limit_ms;
    this.#actions.push({ do: "kill", service: unit.spec.name, run: unit.run });
  }

  #exited(unit: Unit, status: number | null, signal: string | null): void {
    const exit = { status, signal, cause: unit.state === "stopping" ? unit.cause : null };
    const uptime_ms = Math.round(this.#now - unit.spawned_at);
    this.#actions.push({ do: "report-exit", service: unit.spec.name, pid: unit.pid ?? 0, exit, uptime_ms });
    unit.last_exit = exit;
    unit.alive = false;
    unit.pid = null;
    // one that was killed for a hang has not come to its end: only who is never started again stays away then
    const by_itself = unit.state !== "stopping" || unit.cause === by_itself_cause || (unit.failed && unit.spec.restart === "never");
    if (by_itself && isItsEnd(unit.spec.restart, status)) unit.wanted = false;
    this.#ended(unit, exitText(exit));
  }

  /** The process is gone (or never was). */
  #ended(unit: Unit, how: string): void {
    const failed = unit.state !== "stopping" || unit.failed;
    if (this.#held) unit.wanted = false;
    if (!unit.wanted) {
      this.#enter(unit, "stopped", unit.cause ?? how);
      return;
    }
    if (!failed) {
      this.#wait(unit, unit.cause ?? how);
      return;
    }
    this.#fail(unit, how);
  }

  #fail(unit: Unit, how: string): void {
    const numbers = this.#policy;
    unit.attempt += 1;
    unit.failures = [...unit.failures.filter((at) => at > this.#now - numbers.loop_window_ms), this.#now].slice(-numbers.loop_failures);
    if (unit.probation || unit.failures.length >= numbers.loop_failures) {
      const why = unit.probation
        ? "it failed again on probation"
        : `${unit.failures.length} failures in ${numbers.loop_window_ms / 1000} s`;
      unit.probation = true;
      this.#enter(unit, "crash-loop", `${how}; ${why}; next try in ${numbers.loop_retry_ms / 1000} s, or on request`);
      unit.deadline = this.#now + numbers.loop_retry_ms;
      return;
    }
    if (unit.asked !== null) {
      this.#wait(unit, `${how}; ${unit.asked}`);
      return;
    }
    const wait_ms = backoffMs(unit.attempt, numbers, this.#random());
    this.#enter(unit, "backoff", `${how}; next try in ${wait_ms} ms`);
    unit.deadline = this.#now + wait_ms;
  }

  #hold(): void {
    this.#held = true;
    for (const unit of this.#units.values()) {
      if (unit.alive || unit.state === "stopped") continue;
      unit.wanted = false;
      this.#enter(unit, "stopped", "the system goes down");
    }
  }

  #tick(): void {
    const gap_ms = this.#ticked === null ? 0 : this.#now - this.#ticked;
    this.#ticked = this.#now;
    if (gap_ms > this.#policy.stall_ms) this.#moveOn(gap_ms);
    for (const unit of this.#units.values()) if (unit.deadline !== null && unit.deadline <= this.#now) this.#due(unit);
  }

  /** PID 1 stood still for this long: what should have been heard meanwhile may still wait to be read. */
  #moveOn(by_ms: number): void {
    for (const unit of this.#units.values()) {
      unit.heard_at += by_ms;
      if (unit.deadline !== null) unit.deadline += by_ms;
      if (unit.reload_limit !== null) unit.reload_limit += by_ms;
    }
  }

  #due(unit: Unit): void {
    switch (unit.state) {
      case "stopped":
        unit.deadline = null;
        return;
      case "waiting":
        this.#spawnIfSettled(unit);
        return;
      case "starting":
        this.#kill(unit, "start timeout", `was not ready after ${unit.spec.start_limit_ms} ms`);
        return;
      case "ready":
        this.#readyDue(unit);
        return;
      case "stopping":
        this.#stoppingDue(unit);
        return;
      case "backoff":
        this.#wait(unit, "the wait after a failure is over");
        return;
      case "crash-loop":
        this.#wait(unit, "the long wait after a crash loop is over; on probation");
        return;
    }
  }

  #readyDue(unit: Unit): void {
    if (unit.heartbeat_ms > 0 && this.#now >= unit.heard_at + this.#silenceLimit(unit)) {
      this.#hung(unit);
      return;
    }
    if (unit.reload_limit !== null && this.#now >= unit.reload_limit) {
      this.#kill(unit, "reload timeout", "did not say ready again after it had begun to reload its configuration");
      return;
    }
    if (this.#now >= unit.since + this.#policy.stable_ms) {
      unit.attempt = 0;
      unit.failures = [];
      unit.probation = false;
    }
    this.#readyDeadline(unit);
  }

  #stoppingDue(unit: Unit): void {
    if (unit.killed) {
      unit.reason = `does not die: still there ${this.#policy.kill_limit_ms} ms after KILL; a device it waits for may be stuck`;
      this.#report(unit, unit.state, "error");
    }
    unit.killed = true;
    unit.deadline = this.#now + this.#policy.kill_limit_ms;
    this.#actions.push({ do: "kill", service: unit.spec.name, run: unit.run });
  }

  #enter(unit: Unit, to: ServiceState, reason: string): void {
    const from = unit.state;
    unit.state = to;
    unit.since = this.#now;
    unit.reason = reason;
    unit.why = reason;
    unit.deadline = null;
    unit.killed = false;
    unit.reload_limit = null;
    this.#report(unit, from, severityOf(to, unit.failed));
    for (const { spec, state } of this.#units.values())
      if (state === "waiting" && spec.after.includes(unit.spec.name)) this.#queue.push({ type: "look", service: spec.name });
  }

  #report(unit: Unit, from: ServiceState, severity: Severity): void {
    this.#actions.push({ do: "report-state", service: unit.spec.name, from, to: unit.state, reason: unit.reason, severity });
  }
}
