/** The services that are ours, as data; and what the machine config adds to them. */

import type { DefinedService, ExtraService, Limits, MachineConfig } from "../../contracts/config.ts";
import { aios_executable, callerSocketFolder, secrets_inside } from "../../contracts/paths.ts";
import type { CoreService } from "../../contracts/service.ts";
import { local_models_env } from "../../wire/model-process/switch.ts";
import type { Slice } from "../boot/cgroups.ts";
import type { Program } from "../boot/programs.ts";
import { definedProfile, extraProfile, hasSecrets, profiles } from "./sandbox.ts";
import type { ServiceSpec } from "./spec.ts";

export type Mode = "machine" | "container";

interface Row {
  readonly name: CoreService;
  readonly uid: number;
  readonly slice: Slice;
  readonly after: readonly CoreService[];
  readonly oom_score: number;
  readonly limits: Limits;
}

const mib = 1024 * 1024;

/**
 * The console first and after nobody: it is how people look in. Then memory, because the tiers remember there; then
 * broker and reactive; the thinking tiers last, since nothing waits for them.
 * Uids as in docs/LAYOUT.md. OOM scores: the console and memory are the last to go, the thinking tiers the first.
 */
const rows: readonly Row[] = [
  {
    name: "console",
    uid: 806,
    slice: "system",
    after: [],
    oom_score: -900,
    limits: { cpu_weight: 200, memory_max_bytes: 256 * mib, pids_max: 64 },
  },
  {
    name: "memory",
    uid: 801,
    slice: "system",
    after: ["console"],
    oom_score: -800,
    limits: { cpu_weight: 150, memory_max_bytes: 512 * mib, pids_max: 128 },
  },
  {
    name: "broker",
    uid: 0,
    slice: "system",
    after: ["memory"],
    oom_score: -700,
    limits: { cpu_weight: 150, memory_max_bytes: 512 * mib, pids_max: 256 },
  },
  {
    name: "reactive",
    uid: 802,
    slice: "tiers",
    after: ["memory"],
    oom_score: -500,
    limits: { cpu_weight: 200, memory_max_bytes: 256 * mib, pids_max: 64 },
  },
  {
    name: "operational",
    uid: 803,
    slice: "tiers",
    after: ["memory", "broker"],
    oom_score: 300,
    limits: { cpu_weight: 100, pids_max: 128 },
  },
  { name: "tactical", uid: 804, slice: "tiers", after: ["memory", "broker"], oom_score: 400, limits: { cpu_weight: 80, pids_max: 128 } },
  { name: "strategic", uid: 805, slice: "tiers", after: ["memory", "broker"], oom_score: 500, limits: { cpu_weight: 60, pids_max: 128 } },
];

/** Uid (and gid) of each service of ours, for the owners of socket folders. */
export const uids: ReadonlyMap<string, number> = new Map(rows.map((row) => [row.name, row.uid]));

/** Milliseconds. A machine may be emulated, a good ten times slower than what it was built on. */
const times = {
  machine: { heartbeat: 10_000, start: 90_000, stop: 10_000 },
  container: { heartbeat: 5_000, start: 30_000, stop: 5_000 },
} as const;

/**
 * What every program of ours or of the image starts with. Without its compiler the runtime starts in a quarter of the
 * time. By itself it collects all garbage every second while anything happens, a heartbeat for instance; every ten are
 * enough, for a heap that grows is collected whatever the timer says.
 */
const environment = { PATH: "/usr/bin:/usr/sbin", HOME: "/", LANG: "C.UTF-8", BUN_JSC_useJIT: "0", BUN_GC_TIMER_INTERVAL: "10000" };

/** For a service that has to be quick a thousand times a second. The first tier of the compiler is enough, and the one without threads of its own. */
const environment_compiling = { ...environment, BUN_JSC_useJIT: "1", BUN_JSC_useDFGJIT: "0", BUN_JSC_useConcurrentJIT: "0" };
/** And its second tier, which takes effect after some thousand calls: a call of a tool then takes half the time. */
const environment_optimising = { ...environment, BUN_JSC_useJIT: "1", BUN_JSC_useFTLJIT: "0", BUN_JSC_useConcurrentJIT: "0" };
/**
 * Reactive for its rules; the broker for Cedar, which is WebAssembly: without the compiler a decision takes thirty times as
 * long; memory for what it does with every line and every vector: log lines are understood six times as fast.
 */
const environments: Readonly<Partial<Record<CoreService, Readonly<Record<string, string>>>>> = {
  reactive: environment_compiling,
  broker: environment_optimising,
  memory: environment_optimising,
};

/** Services that hold a model in a process of its own. */
const with_model_process: ReadonlySet<string> = new Set(["memory", "operational", "tactical"]);

const tiers: readonly string[] = ["operational", "tactical", "strategic"] satisfies (keyof MachineConfig["tiers"])[];

/** To lower the score takes a capability that a container seldom has; raising it never does. */
function oomScore(wanted: number, mode: Mode): number {
  return mode === "container" ? Math.max(0, wanted) : wanted;
}

function isCore(name: string): name is CoreService {
  return rows.some((row) => row.name === name);
}

/** Whether the config wants this service at all. */
export function enabled(name: string, config: MachineConfig): boolean {
  if (isCore(name) && config.services[name]?.enabled === false) return false;
  return !tiers.includes(name) || config.tiers[name as keyof MachineConfig["tiers"]].enabled;
}

/**
 * On less memory the thinking tiers are not started: each takes some 20 MB without a model, and the kernel would end one
 * process after the other. The rules of the reactive tier act all the same.
 */
const small_memory_bytes = 320 * mib;

/** Whether the machine is too small for this service. @param memory_bytes of the machine */
export function tooSmallFor(name: string, memory_bytes: number): boolean {
  return memory_bytes < small_memory_bytes && tiers.includes(name);
}

/** The services that are ours, with the config merged over the table. */
export function coreSpecs(config: MachineConfig, mode: Mode): ServiceSpec[] {
  return rows.map((row) => {
    const own = config.services[row.name];
    return {
      name: row.name,
      argv: [aios_executable, row.name],
      env: { ...(environments[row.name] ?? environment), AIOS_MODE: mode, ...(config.models.local ? {} : { [local_models_env]: "off" }) },
      after: row.after,
      slice: row.slice,
      uid: row.uid,
      gid: row.uid,
      ready: "rpc",
      restart: "always",
      heartbeat_ms: own?.heartbeat_ms ?? times[mode].heartbeat,
      start_limit_ms: times[mode].start,
      stop_limit_ms: times[mode].stop,
      oom_score: oomScore(row.oom_score, mode),
      oom_ends: with_model_process.has(row.name) ? "one" : "all", // the process of its model is there to be the one
      swap: !(config.models.local && with_model_process.has(row.name)), // a model's weights cannot be compressed, and are wanted at once
      limits: { ...row.limits, ...own?.limits },
      sandbox: row.name === "broker" ? null : profiles[row.name],
      writes: row.name === "broker" ? [] : profiles[row.name].writes,
      capabilities: null,
    };
  });
}

/** A program that the config adds (`extra_services`). */
export function extraSpec(name: string, extra: ExtraService, mode: Mode): ServiceSpec {
  const [program, ...rest] = extra.argv;
  if (program === undefined) throw new Error(`adding the service "${name}" failed: its argv is empty; name a program`);
  return {
    name,
    argv: [program, ...rest],
    env: environment,
    after: extra.after,
    slice: "work",
    uid: extra.uid,
    gid: extra.uid,
    ready: extra.ready,
    restart: "always",
    heartbeat_ms: extra.heartbeat_ms,
    start_limit_ms: times[mode].start,
    stop_limit_ms: times[mode].stop,
    oom_score: 600,
    oom_ends: "all",
    swap: true,
    limits: extra.limits,
    sandbox: extra.sandbox ? extraProfile(extra.network) : null,
    writes: [],
    capabilities: null,
  };
}

/** A service that the broker defined (`service.define`). */
export function definedSpec(name: string, defined: DefinedService, mode: Mode): ServiceSpec {
  const base = extraSpec(name, { ...defined, sandbox: true }, mode);
  const credentials = hasSecrets(defined) ? { CREDENTIALS_DIRECTORY: secrets_inside } : {};
  const env = { ...environment, ...credentials };
  return { ...base, env: { ...env, ...defined.env }, restart: defined.restart, sandbox: definedProfile(name, defined) };
}

/** A well-kept program of the image (boot/programs.ts). */
export function programSpec(program: Program, mode: Mode): ServiceSpec {
  const base = extraSpec(program.name, { ...program, uid: Math.max(program.uid, 1) }, mode);
  return {
    ...base,
    env: { ...environment, ...program.environment },
    slice: program.slice,
    uid: program.uid,
    gid: program.uid,
    oom_score: oomScore(-300, mode),
    writes: program.writes,
    capabilities: program.capabilities,
  };
}

/** Folders in which each of our services listens for the others: [server, caller] pairs. */
export const socket_folders: readonly (readonly [server: CoreService, caller: CoreService])[] = [
  ...(["broker", "reactive", "operational", "tactical", "strategic", "console"] as const).map((caller) => ["memory", caller] as const),
  ...(["reactive", "operational", "tactical", "strategic", "console"] as const).map((caller) => ["broker", caller] as const),
];

/** Our services to which the broker hands secrets; it writes them into a folder that is there before it starts. */
export const secret_holders: readonly CoreService[] = ["strategic"];

/** The folder of a service's socket with PID 1. */
export function initFolder(name: string): string {
  return callerSocketFolder("init", name);
}
