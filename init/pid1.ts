/** PID 1 put together: the parts know nothing of each other, this file does. */

import { hostname, release, totalmem } from "node:os";
import type { EventKind, Facts, Severity } from "../contracts/event.ts";
import type { BootTimeline, Degradation, ShutdownAction, SystemStatus } from "../contracts/init.ts";
import { callerSocket } from "../contracts/paths.ts";
import type { CoreService } from "../contracts/service.ts";
import type { System } from "../sys/system.ts";
import type { BootContext, BootState, KernelRecord, Phase } from "./boot/phase.ts";
import type { Program } from "./boot/programs.ts";
import { releaseWatchdog } from "./boot/watchdog.ts";
import type { BootClock } from "./clock.ts";
import { DefinedServices } from "./control/defined.ts";
import { type Door, makeDoor } from "./control/door.ts";
import type { Desk } from "./control/handlers.ts";
import { ProcessList } from "./control/processes.ts";
import { strategicSettings } from "./control/strategic.ts";
import { data_not_looked_for } from "./defaults.ts";
import { EventHub } from "./events.ts";
import { LogHub } from "./logs.ts";
import { Maintenance } from "./maintenance.ts";
import { Readiness } from "./readiness.ts";
import { releaseVersion } from "./release.ts";
import { runPhases } from "./runner.ts";
import { Shutdown } from "./shutdown/shutdown.ts";
import type { WayDown } from "./shutdown/steps.ts";
import { makeInitFolder } from "./supervise/folders.ts";
import { inOrder } from "./supervise/order.ts";
import { orphanReaper, type Reaper } from "./supervise/orphans.ts";
import { policy } from "./supervise/policy.ts";
import { prepare } from "./supervise/prepare.ts";
import { run } from "./supervise/process.ts";
import { processRunner, type Runner } from "./supervise/runner.ts";
import type { ServiceSpec } from "./supervise/spec.ts";
import { readStrain } from "./supervise/strain.ts";
import { Supervisor } from "./supervise/supervisor.ts";
import { coreSpecs, enabled, extraSpec, programSpec, tooSmallFor, uids } from "./supervise/table.ts";

export interface Pid1Ports {
  readonly clock: BootClock;
  readonly mode: "machine" | "container";
  readonly phases: readonly Phase[];
  readonly state: BootState;
  /** Marks on the boot clock that are known already. */
  readonly marks: Record<string, number>;
  /** Loads the system calls when they are first needed. @throws when they cannot be loaded */
  readonly loadSystem: () => System;
  say(line: string): void;
  kernelLog(severity: Severity, message: string): void;
  exit(): void;
  /** Replaced in tests. */
  readonly runner?: (reaper: Reaper) => Runner;
}

const use_unknown = { used_bytes: 0, size_bytes: 0, inodes_used: 0, inodes: 0 };
const reap_interval_ms = 1_000;
/** What is not ready by then is called missing; a machine may be emulated. */
const all_ready_limit_ms = { machine: 240_000, container: 60_000 } as const;

/** Lines of a service's output that are repeated when it fails. */
const last_lines = 8;

const too_small: Degradation = {
  what: "the thinking tiers do not run",
  detail: `the machine has ${Math.floor(totalmem() / (1024 * 1024))} MiB of memory, which is too little for them; rules still act`,
  todo: "give the machine 512 MiB or more",
};

const kernel_levels: readonly Severity[] = ["critical", "critical", "critical", "error", "warning", "notice", "info", "debug"];

function hasOtherBounds(a: ServiceSpec, b: ServiceSpec): boolean {
  return a.heartbeat_ms !== b.heartbeat_ms || !Bun.deepEquals(a.limits, b.limits);
}

export class Pid1 {
  readonly #ports: Pid1Ports;
  readonly #events: EventHub;
  readonly #logs: LogHub;
  readonly #supervisor: Supervisor;
  readonly #processes: ProcessList;
  readonly #reaper: Reaper;
  readonly #defined: DefinedServices;
  readonly #readiness: Readiness;
  readonly #shutdown: Shutdown;
  readonly maintenance: Maintenance;
  readonly #doors = new Map<string, Door>();
  readonly #degradations = new Map<string, Degradation>();
  readonly #works: { what: string; work: () => void | Promise<void> }[] = [];
  readonly #timeline: BootTimeline;
  #system: System | null = null;
  #control: Promise<void> | null = null;
  #loading: Promise<string | null> | null = null;

  constructor(ports: Pid1Ports) {
    this.#ports = ports;
    const now = (): number => ports.clock.now();
    const clock = { boot: now, wall: Date.now };
    this.#timeline = { boot_id: ports.state.boot_id, marks: ports.marks, phases: [] };
    this.#events = new EventHub(clock, () => ports.state.boot_id);
    this.#logs = new LogHub(clock);
    this.#reaper = orphanReaper({
      process: { peekDead: () => this.#sys().process.peekDead(), collect: (pid) => this.#sys().process.collect(pid) },
      now,
      onError: (error) => this.#log("warning", `collecting orphans failed: ${describe(error)}`),
    });
    this.#supervisor = new Supervisor({
      runner: ports.runner?.(this.#reaper) ?? processRunner({ system: () => this.#sys(), reaper: this.#reaper, now }),
      now,
      random: Math.random,
      policy,
      strain: readStrain,
      emit: (kind, severity, facts) => this.#emitOfService(kind, severity, facts),
      output: (service, stream, said) => this.#logs.add({ service, stream, ...said }),
      onChange: () => this.#changed(),
    });
    this.#defined = new DefinedServices(this.#supervisor, ports.mode);
    this.#processes = new ProcessList({ supervisor: this.#supervisor, now });
    this.#readiness = new Readiness({
      now,
      marks: ports.marks,
      emit: (kind, severity, facts) => this.#emit(kind, severity, facts),
      say: ports.say,
      wanted: () => this.#wantedCore(),
      degradations: () => [...this.#degradations.values()],
    });
    this.#shutdown = new Shutdown({
      way: () => this.#wayDown(),
      mode: ports.mode,
      hold: () => this.#supervisor.hold(),
      report: (action, phase, detail) => this.#emit("system.shutdown", "notice", { action, phase, detail }),
      say: ports.say,
      last: (action, clean) => releaseWatchdog(this.#context(), clean && action === "poweroff"),
      exit: ports.exit,
    });
    this.maintenance = new Maintenance({
      say: ports.say,
      tell: (detail) => {
        this.#degradations.set("maintenance", {
          what: "maintenance mode",
          detail,
          todo: "save what the log says, then restart the system",
        });
        this.#emit("system.maintenance", "critical", { detail });
        this.#log("critical", detail);
      },
      keepConsole: () => {
        if (this.#supervisor.state("console") === "ready" || this.stopping) return;
        this.#startServices(["console"]);
      },
      bareConsole: () => this.#bareConsole(),
    });
  }

  /** Runs the phases; afterwards everything happens by events. */
  async boot(): Promise<void> {
    const boot = this.#context();
    await runPhases(this.#ports.phases, {
      boot,
      now: () => this.#ports.clock.now(),
      timeline: this.#timeline.phases,
      goesDown: () => this.#shutdown.sequence !== "up",
    });
    process.on("SIGCHLD", () => this.#reaper.ended());
    setInterval(() => this.#reaper.reap(), reap_interval_ms);
    this.#readiness.booted();
    setTimeout(() => this.#readiness.giveUp(), all_ready_limit_ms[this.#ports.mode]);
  }

  get stopping(): boolean {
    return this.#shutdown.sequence !== "up";
  }

  /** @returns why not, or null */
  requestShutdown(action: ShutdownAction, reason: string): string | null {
    const refusal = this.#shutdown.request(action, reason);
    this.#log("notice", refusal === null ? `${action}: ${reason}` : `${action} refused: ${refusal}; ${reason}`);
    return refusal;
  }

  /** As `requestShutdown`; for a kexec, the kernel is loaded first. */
  async askShutdown(action: ShutdownAction, reason: string): Promise<string | null> {
    if (action === "kexec" && !this.stopping) {
      const { loadNextKernel } = await import("./shutdown/next-kernel.ts");
      this.#loading ??= loadNextKernel(this.#context()).finally(() => {
        this.#loading = null;
      });
      const refusal = await this.#loading;
      if (refusal !== null) {
        this.#log("notice", `${refusal}; ${reason}`);
        return refusal;
      }
    }
    return this.requestShutdown(action, reason);
  }

  status(): SystemStatus {
    const { state, mode, clock } = this.#ports;
    const now = clock.now();
    const { persistent, mount, detail } = state.data;
    const { device, timeout_s, petted_ms } = state.watchdog;
    return {
      state: this.#stateWord(),
      hostname: hostname(),
      machine_id: state.machine_id,
      boot_id: state.boot_id,
      version: releaseVersion(),
      kernel: release(),
      mode,
      uptime_ms: now,
      time_ms: Date.now(),
      degradations: [...this.#degradations.values()],
      clock: { ...state.clock, servers: [...state.clock.servers] },
      config: { from: state.config_source.found?.where ?? "the defaults", next: state.config_source.next?.detail ?? null },
      data: { persistent, mount, detail, ...(detail === data_not_looked_for ? use_unknown : this.#use(mount)) },
      watchdog: { device, timeout_s, petted_ms_ago: petted_ms === null ? null : now - petted_ms },
    };
  }

  get timeline(): BootTimeline {
    return this.#timeline;
  }

  #stateWord(): SystemStatus["state"] {
    if (this.stopping) return "stopping";
    if (this.maintenance.detail !== null) return "maintenance";
    if (!this.#readiness.all) return "booting";
    return this.#degradations.size > 0 ? "degraded" : "running";
  }

  #use(mount: string): typeof use_unknown {
    try {
      const { size_bytes, free_bytes, inodes, inodes_free } = this.#sys().mount.use(mount);
      return { used_bytes: size_bytes - free_bytes, size_bytes, inodes_used: inodes - inodes_free, inodes };
    } catch {
      return use_unknown;
    }
  }

  #sys(): System {
    if (this.#system === null) {
      this.#system = this.#ports.loadSystem();
      this.#ports.clock.refine(this.#system.clock.nowMs("boottime"));
    }
    return this.#system;
  }

  #context(): BootContext {
    const pid1 = this;
    return {
      get sys() {
        return pid1.#sys();
      },
      mode: this.#ports.mode,
      state: this.#ports.state,
      emit: (kind, severity, facts, untrusted) => this.#emit(kind, severity, facts, untrusted),
      log: (severity, message) => this.#log(severity, message),
      degrade: (what, degradation) => this.#degrade(what, degradation),
      openControl: () => {
        this.#control ??= this.#openControl();
        return this.#control;
      },
      startServices: (names) => this.#startServices(names),
      onShutdown: (what, work) => void this.#works.push({ what, work }),
      kernelLine: (record) => this.#kernelLine(record),
      requestShutdown: (action, reason) => void this.requestShutdown(action, reason),
      runProgram: (name, program, reason) => this.#runProgram(name, program, reason),
      ownChild: (pid, exited) => {
        this.#reaper.own(pid);
        void exited.finally(() => this.#reaper.disown(pid)).catch(() => {});
      },
      isHealthy: () => this.#supervisor.isHealthy(),
    };
  }

  #emit<K extends EventKind>(kind: K, severity: Severity, facts: Facts<K>, untrusted?: string): void {
    this.#events.emit(kind, severity, facts, untrusted);
  }

  /** Trouble with a service is also said where PID 1 logs: with a broken console that is all there is to see. */
  #emitOfService<K extends EventKind>(kind: K, severity: Severity, facts: Facts<K>): void {
    this.#emit(kind, severity, facts);
    if (severity !== "info" && "service" in facts)
      this.#log(
        severity,
        troubleText(
          kind,
          facts,
          this.#logs
            .last(last_lines, facts.service)
            .map((record) => record.message)
            .join(" | "),
        ),
      );
  }

  #log(severity: Severity, message: string): void {
    this.#logs.add({ service: "init", stream: "stderr", level: severity, message });
    if (severity === "warning" || severity === "error" || severity === "critical") this.#ports.kernelLog(severity, message);
  }

  #kernelLine({ priority, message }: KernelRecord): void {
    this.#logs.add({ service: "kernel", stream: "kernel", level: kernel_levels[priority & 7] ?? "info", message });
  }

  #degrade(what: string, degradation: Degradation | null): void {
    if (degradation === null) this.#degradations.delete(what);
    else this.#degradations.set(what, degradation);
  }

  #startServices(names: readonly string[]): void {
    const { config } = this.#ports.state;
    const specs = this.#knownSpecs();
    const added = [...specs.values()].filter((spec) => !this.#supervisor.has(spec.name) || names.includes(spec.name));
    const before = this.#supervisor.specs().find(({ name }) => name === "console");
    this.#supervisor.put(added);
    // the console was started before the config was read
    if (before !== undefined && names.includes("console") && hasOtherBounds(before, specs.get("console") ?? before))
      void this.#supervisor.restart("console", "its entry in aios.yaml holds from now on");
    // one that is not asked for yet holds nobody up: so those that others come after are asked for first
    const order = inOrder([...specs.values()]).map(({ name }) => name);
    for (const name of [...names].sort((a, b) => order.indexOf(a) - order.indexOf(b))) {
      const spec = specs.get(name);
      if (spec === undefined) this.#log("error", `starting the service "${name}" failed: there is no such service`);
      else if (!enabled(name, config)) this.#log("notice", `service "${name}" is switched off in the machine config`);
      else if (tooSmallFor(name, totalmem())) this.#degrade("thinking tiers", too_small);
      else this.#startService(spec);
    }
    this.#control ??= this.#openControl();
  }

  #startService(spec: ServiceSpec): void {
    try {
      this.#makeDoor(spec);
    } catch (error) {
      this.#log("error", `listening for the service "${spec.name}" failed: ${describe(error)}`);
    }
    void this.#supervisor.start(spec.name, "started at boot");
  }

  #makeDoor(spec: ServiceSpec): void {
    if (spec.ready !== "rpc" || this.#doors.has(spec.name)) return;
    makeInitFolder(spec.name, spec.gid);
    this.#doors.set(spec.name, makeDoor(callerSocket("init", spec.name), spec.gid));
    if (this.#control !== null) void this.#control.then(() => this.#openDoors());
  }

  #knownSpecs(): ReadonlyMap<string, ServiceSpec> {
    const { config } = this.#ports.state;
    const core = coreSpecs(config, this.#ports.mode);
    const extra = Object.entries(config.extra_services).map(([name, each]) => extraSpec(name, each, this.#ports.mode));
    try {
      return new Map(inOrder([...core, ...extra]).map((spec) => [spec.name, spec]));
    } catch (error) {
      const todo = 'correct "extra_services" in aios.yaml and restart the system';
      this.#degrade("extra_services", { what: "the services that the machine config adds do not run", detail: describe(error), todo });
      return new Map(core.map((spec) => [spec.name, spec]));
    }
  }

  /** The schemas take longer to load than the first service takes to be started: it is started first. */
  async #openControl(): Promise<void> {
    this.#welcome = (await import("./control/server.ts")).welcomeFor;
    this.#openDoors();
  }
  #welcome: typeof import("./control/server.ts").welcomeFor | null = null;

  #openDoors(): void {
    for (const [name, door] of this.#doors)
      if (this.#welcome !== null) door.open(this.#welcome(name as CoreService, this.#desk(), this.#supervisor));
  }

  #desk(): Desk {
    return {
      supervisor: this.#supervisor,
      events: this.#events,
      logs: this.#logs,
      mode: this.#ports.mode,
      status: () => this.status(),
      boot: () => this.#timeline,
      hardware: () => this.#ports.state.hardware,
      processes: () => this.#processes.list(),
      shutdown: (action, reason) => this.askShutdown(action, reason),
      stopping: () => this.stopping,
      packages: () => this.#ports.state.config.packages,
      sensors: () => this.#ports.state.config.sensors,
      strategic: () => strategicSettings(this.#ports.state.config.tiers.strategic),
      defined: this.#defined,
      log: (message) => this.#log("notice", message),
    };
  }

  #runProgram(name: string, program: Program | null, reason: string): void {
    if (program === null) {
      this.#supervisor.leave(name, reason);
      return;
    }
    const known = this.#supervisor.has(name);
    this.#supervisor.put([{ ...programSpec(program, this.#ports.mode), name }]);
    void (known ? this.#supervisor.restart(name, reason) : this.#supervisor.start(name, reason));
  }

  #wantedCore(): { name: string; state: NonNullable<ReturnType<Supervisor["state"]>> }[] {
    return this.#supervisor
      .statuses()
      .filter(({ name }) => uids.has(name) && this.#supervisor.wanted(name))
      .map(({ name, state }) => ({ name, state }));
  }

  #changed(): void {
    if (!this.stopping)
      for (const { name, state, reason } of this.#supervisor.statuses()) {
        if (state === "crash-loop")
          this.#degrade(`service ${name}`, {
            what: `service "${name}" does not run`,
            detail: reason,
            todo: `see its log, then restart it`,
          });
        else if (state === "ready" || state === "stopped") this.#degrade(`service ${name}`, null);
      }
    this.#readiness.look();
  }

  #wayDown(): WayDown {
    const after = new Map(this.#supervisor.specs().map((spec) => [spec.name, spec.after]));
    return {
      sys: this.#sys(),
      mode: this.#ports.mode,
      services: {
        stop: (name, cause) => this.#supervisor.stop(name, cause),
        stopOrder: () => this.#supervisor.stopOrder(),
        after: (name) => after.get(name) ?? [],
      },
      works: this.#works,
      disks_answer: true,
      log: (message) => this.#log("warning", `shutdown: ${message}`),
    };
  }

  #bareConsole(): Promise<unknown> {
    const spec = coreSpecs(this.#ports.state.config, this.#ports.mode).find(({ name }) => name === "console");
    if (spec === undefined) return Promise.resolve();
    const { argv, env } = prepare(spec);
    return run({ argv, env }).ended;
  }
}

function troubleText(kind: string, facts: { service: string } & Partial<Record<string, unknown>>, last_said: string): string {
  const { service, reason } = facts;
  if (typeof reason === "string") return `service "${service}": ${reason}`;
  const said = last_said === "" ? "it had said nothing" : `it last said ${JSON.stringify(last_said.slice(-600))}`;
  return `service "${service}": ${kind === "service.hung" ? "it hangs" : "it ended"}; ${said}`;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
