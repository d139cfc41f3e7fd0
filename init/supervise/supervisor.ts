/**
 * Turns the state machine's actions into deeds and what happens into its events. One timer, set to when the machine next
 * needs the time; one slow tick that shows that the loop turns.
 */

import type { EventKind, Facts, Severity } from "../../contracts/event.ts";
import type { Health, ServiceState, ServiceStatus } from "../../contracts/service.ts";
import type { Action, MachineEvent } from "./events.ts";
import { Machine } from "./machine.ts";
import type { Notified } from "./notify.ts";
import type { Policy } from "./policy.ts";
import type { Said } from "./record.ts";
import type { Handle, Runner } from "./runner.ts";
import type { ServiceSpec } from "./spec.ts";
import type { Unit } from "./unit.ts";

interface SupervisorPorts {
  readonly runner: Runner;
  /** CLOCK_BOOTTIME, milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  readonly policy: Policy;
  emit<K extends EventKind>(kind: K, severity: Severity, facts: Facts<K>): void;
  output(service: string, stream: "stdout" | "stderr", said: Said): void;
  /** The part of the last seconds in which somebody had to wait for a processor, 0 to 1. */
  strain(): number;
  /** After each event that changed something. */
  onChange(): void;
}

/** What is kept of a service besides the machine's state. */
interface Held {
  spec: ServiceSpec;
  handle: Handle | null;
  main_pid: number | null;
  status_text: string | null;
  health: Health | null;
  /** It goes as soon as it is stopped. */
  leaving: boolean;
  waiters: Waiter[];
}

interface Waiter {
  readonly until: readonly ServiceState[];
  readonly done: () => void;
}

/** States in which a start has come to something. */
const settled: readonly ServiceState[] = ["ready", "backoff", "crash-loop", "stopped"];
/** Causes of an end that nobody asked for. */
const unwanted_ends: ReadonlySet<string> = new Set(["hang", "start timeout", "reload timeout", "stopping by itself"]);
/** Events that may be handled one after the other before the loop is given up as stuck. */
const backlog_max = 10_000;
/** How many requests may wait for one service. */
const waiters_max = 64;

export class Supervisor {
  readonly #ports: SupervisorPorts;
  readonly #machine: Machine;
  readonly #held = new Map<string, Held>();
  #backlog: MachineEvent[] = [];
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #tick: ReturnType<typeof setInterval>;
  #ticked_at: number;

  constructor(ports: SupervisorPorts) {
    this.#ports = ports;
    this.#machine = new Machine(ports.policy, ports.random);
    this.#ticked_at = ports.now();
    this.#tick = setInterval(() => this.#happened({ type: "tick", strain: ports.strain() }), ports.policy.tick_ms);
  }

  /** Takes services in, or gives those that are in a new definition. @throws {OrderError} */
  put(specs: readonly ServiceSpec[]): void {
    const added = specs.filter((spec) => !this.#held.has(spec.name));
    this.#machine.add(added, this.#ports.now());
    for (const spec of added)
      this.#held.set(spec.name, { spec, handle: null, main_pid: null, status_text: null, health: null, leaving: false, waiters: [] });
    for (const spec of specs) {
      const held = this.#held.get(spec.name);
      if (held === undefined || held.spec === spec) continue;
      this.#machine.replace(spec);
      held.spec = spec;
      held.leaving = false;
    }
  }

  has(name: string): boolean {
    return this.#held.has(name);
  }

  specs(): readonly ServiceSpec[] {
    return [...this.#held.values()].map((held) => held.spec);
  }

  start(name: string, reason: string): Promise<void> {
    return this.#ask({ type: "start", service: name, reason }, settled);
  }

  /** Ends when it is stopped, or was asked to start again meanwhile: what it then is says `state`. */
  stop(name: string, cause: string): Promise<void> {
    return this.#ask({ type: "stop", service: name, cause }, ["stopped"]);
  }

  restart(name: string, reason: string): Promise<void> {
    return this.#ask({ type: "restart", service: name, reason }, settled);
  }

  /** Stops it and takes it away. */
  leave(name: string, cause: string): void {
    const held = this.#held.get(name);
    if (held === undefined) return;
    held.leaving = true;
    void this.stop(name, cause);
    this.#sweep();
  }

  /** From now on nothing is started any more. */
  hold(): void {
    this.#happened({ type: "hold" });
  }

  stopOrder(): string[] {
    return this.#machine.stopOrder();
  }

  /** What a service of ours said on its socket. */
  saidReady(name: string, detail: string): void {
    this.#said(name, (run) => ({ type: "ready", service: name, run, detail }));
  }

  saidAlive(name: string, health: Health): void {
    const held = this.#held.get(name);
    if (held !== undefined) held.health = health;
    this.#said(name, (run) => ({ type: "alive", service: name, run }));
  }

  saidStatus(name: string, text: string): void {
    const held = this.#held.get(name);
    if (held !== undefined) held.status_text = text;
  }

  status(name: string): ServiceStatus | null {
    const unit = this.#machine.units.get(name);
    const held = this.#held.get(name);
    return unit === undefined || held === undefined ? null : statusOf(unit, held);
  }

  statuses(): ServiceStatus[] {
    const found: ServiceStatus[] = [];
    for (const name of this.#held.keys()) {
      const status = this.status(name);
      if (status !== null) found.push(status);
    }
    return found;
  }

  /** The services by the pids of PID 1's children. */
  handles(): ReadonlyMap<number, string> {
    const found = new Map<number, string>();
    for (const [name, { handle }] of this.#held) if (handle !== null) found.set(handle.pid, name);
    return found;
  }

  state(name: string): ServiceState | null {
    return this.#machine.units.get(name)?.state ?? null;
  }

  wanted(name: string): boolean {
    return this.#machine.units.get(name)?.wanted ?? false;
  }

  /** The loop turns and keeps up: asked before the watchdog is petted. */
  isHealthy(): boolean {
    const late_ms = this.#ports.now() - this.#ticked_at;
    return late_ms < this.#ports.policy.tick_ms + this.#ports.policy.stall_ms && this.#backlog.length < backlog_max;
  }

  /** Ends the timers; processes are left as they are. */
  close(): void {
    clearInterval(this.#tick);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #endWaiters(held: Held, which: (waiter: Waiter) => boolean): void {
    const ended = held.waiters.filter(which);
    held.waiters = held.waiters.filter((waiter) => !ended.includes(waiter));
    for (const { done } of ended) done();
  }

  async #ask(event: MachineEvent & { service: string }, until: readonly ServiceState[]): Promise<void> {
    const held = this.#held.get(event.service);
    if (held === undefined) return;
    if (event.type === "stop" && this.state(event.service) === "stopped") return;
    if (event.type === "start" && this.state(event.service) === "ready") return;
    if (held.waiters.length >= waiters_max)
      throw new Error(`asking for "${event.service}" failed: ${waiters_max} requests wait for it already`);
    const { promise, resolve } = Promise.withResolvers<void>();
    // who waits for its end waits for nothing any more
    if (event.type !== "stop") this.#endWaiters(held, ({ until: [only, ...others] }) => only === "stopped" && others.length === 0);
    held.waiters.push({ until, done: resolve });
    this.#happened(event);
    await promise;
  }

  #said(name: string, make: (run: number) => MachineEvent): void {
    const unit = this.#machine.units.get(name);
    if (unit?.alive === true) this.#happened(make(unit.run));
  }

  /** Everything goes through here, one event after the other: what a deed causes is queued behind it. */
  #happened(event: MachineEvent): void {
    if (this.#backlog.length >= backlog_max) return;
    this.#backlog.push(event);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#backlog.shift(); next !== undefined; next = this.#backlog.shift()) {
        const now = this.#ports.now();
        if (next.type === "tick") this.#ticked_at = now;
        for (const action of this.#machine.handle(next, now)) this.#act(action);
      }
    } finally {
      this.#busy = false;
    }
    this.#setTimer();
  }

  #setTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const next = this.#machine.next_ms;
    if (next === null) return;
    const wait_ms = next - this.#ports.now();
    if (wait_ms > this.#ports.policy.tick_ms) return; // the slow tick comes first and looks again
    this.#timer = setTimeout(() => this.#happened({ type: "tick" }), Math.max(0, Math.ceil(wait_ms)));
  }

  #act(action: Action): void {
    const held = this.#held.get(action.service);
    if (held === undefined) return;
    switch (action.do) {
      case "spawn":
        this.#spawn(held, action.run);
        return;
      case "term":
        held.handle?.term();
        return;
      case "kill":
        held.handle?.kill();
        return;
      case "report-hang":
        this.#ports.emit("service.hung", "error", { service: action.service, pid: this.#mainPid(held), silent_ms: action.silent_ms });
        return;
      case "report-exit":
        this.#reportExit(held, action);
        return;
      case "report-state":
        this.#reportState(held, action);
        return;
    }
  }

  #spawn(held: Held, run: number): void {
    const service = held.spec.name;
    held.health = null;
    held.status_text = null;
    held.main_pid = null;
    try {
      held.handle = this.#ports.runner.start(held.spec, {
        ended: (how) => this.#happened({ type: "exited", service, run, ...how }),
        notified: (what) => this.#notified(service, run, what),
        output: (stream, said) => this.#ports.output(service, stream, said),
      });
      this.#happened({ type: "spawned", service, run, pid: held.handle.pid });
    } catch (error) {
      held.handle = null;
      this.#happened({ type: "spawn-failed", service, run, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #notified(service: string, run: number, what: Notified): void {
    const held = this.#held.get(service);
    if (held !== undefined && what.status !== null) held.status_text = what.status;
    if (what.reloading) this.#happened({ type: "reloading", service, run });
    if (what.extend_ms !== null) this.#happened({ type: "extend", service, run, by_ms: what.extend_ms });
    if (what.ready) this.#happened({ type: "ready", service, run, detail: what.status ?? "said READY=1" });
    if (what.stopping) this.#happened({ type: "leaving", service, run });
    if (what.stuck) this.#happened({ type: "stuck", service, run });
    if (what.alive) this.#happened({ type: "alive", service, run });
  }

  #reportExit(held: Held, action: Action & { do: "report-exit" }): void {
    const { service, exit, uptime_ms } = action;
    const severity = exit.cause === null || unwanted_ends.has(exit.cause) ? "warning" : "info";
    this.#ports.emit("service.exited", severity, { service, pid: held.main_pid ?? action.pid, exit, uptime_ms });
    held.handle = null;
    held.main_pid = null;
  }

  #reportState(held: Held, { service, from, to, reason, severity }: Action & { do: "report-state" }): void {
    if (to === "ready" && held.handle !== null) this.#mainPid(held);
    this.#ports.emit("service.state", severity, { service, from, to, reason });
    const done = held.waiters.filter((waiter) => waiter.until.includes(to));
    if (done.length > 0) held.waiters = held.waiters.filter((waiter) => !waiter.until.includes(to));
    for (const waiter of done) waiter.done();
    if (held.leaving && to === "stopped") queueMicrotask(() => this.#sweep());
    this.#ports.onChange();
  }

  #mainPid(held: Held): number {
    if (held.handle === null) return 0;
    held.main_pid ??= held.handle.mainPid();
    return held.main_pid;
  }

  #sweep(): void {
    for (const [name, held] of this.#held) if (held.leaving && this.#machine.remove(name)) this.#held.delete(name);
  }
}

function statusOf(unit: Readonly<Unit>, held: Held): ServiceStatus {
  return {
    name: unit.spec.name,
    state: unit.state,
    pid: unit.pid === null ? null : (held.main_pid ?? unit.pid),
    since_ms: unit.since,
    restarts: unit.restarts,
    ready_after_ms: unit.ready_after_ms,
    last_exit: unit.last_exit,
    status_text: held.status_text,
    health: held.health,
    reason: unit.reason,
  };
}
