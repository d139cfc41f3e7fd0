/** What a tool may use while it is called. Ports only: `main.ts` wires the real ones, `testing/` those of a test. */

import type { LogRecord } from "../contracts/event.ts";
import type { memory_methods } from "../contracts/memory.ts";
import type { Principal, Role } from "../contracts/tool.ts";
import type { System } from "../sys/system.ts";
import type { Peer } from "../wire/peer.ts";
import type { InitPeer } from "../wire/service.ts";
import type { Exec } from "./exec/exec.ts";
import type { Approver } from "./policy/authorise.ts";
import type { CallImages } from "./undo/images.ts";
import type { Vault } from "./vault/vault.ts";

export type MemoryPeer = Peer<Record<never, never>, Record<never, never>, typeof memory_methods, Record<never, never>>;

/** Where things are; a test has its own. */
export interface Places {
  /** `/run/aios` */
  readonly run: string;
  /** `/var/lib/aios` */
  readonly data: string;
  /** The broker's own folder on the data partition, which no tool reaches by path: `<data>/broker`. */
  readonly broker: string;
  /** `/sys/fs/cgroup/work/tools`, or null where there are no cgroups. */
  readonly cgroup: string | null;
  /** The base of the userland: what the image says of it, and where it lies unless it has to be fetched from the ESP. */
  readonly userland: { readonly pin: string; readonly file: string };
  /** The image's catalogue of models, and the folder of those that it carries. */
  readonly models: { readonly catalogue: string; readonly image: string };
  /** How a role of the `aios` executable is started. */
  readonly aios: readonly [program: string, ...string[]];
}

/** Durable values of one family of tools, in the broker's own database. Each change is durable when it returns. */
export interface State {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
  delete(key: string): void;
  /** In the order of the keys. */
  list(prefix?: string): readonly { readonly key: string; readonly value: unknown }[];
}

export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  now_ms(): number;
  /** Monotonic, milliseconds. */
  boot_ms(): number;
}

export interface Context {
  /** The call's id. */
  readonly call: string;
  readonly principal: Principal;
  /** A person's role, and the tier that calls in an agent's name: what a call that is made later on its behalf needs. */
  readonly role: Role | null;
  readonly owner: Principal | null;
  /** What the caller gave as its reason. */
  readonly why?: string;
  /** Arguments that derive from text of outside, as pointers. */
  readonly tainted: readonly string[];
  /** The undo that this call takes back, by being made anew. */
  readonly redoes?: string | null;
  /** The person who approved this very call. */
  readonly approved_by?: Approver | null;
  /** Aborted when the call is cancelled or its time is over. */
  readonly signal: AbortSignal;
  readonly sys: System;
  /** Starts programs: argument vector, sandbox, limits, own cgroup. */
  readonly exec: Exec;
  /** Keeps the files of this call's before-image. */
  readonly images: CallImages;
  /** Values of the tool's own family. */
  readonly state: State;
  /** Secrets and certificates. What it opens is for those that it is handed to, never for an answer. */
  readonly vault: Vault;
  readonly places: Places;
  readonly clock: Clock;
  readonly mode: "machine" | "container";
  /** PID 1, or null while it is not connected. */
  readonly init: Pick<InitPeer, "call"> | null;
  /** What services have written, as PID 1 holds it; null while it is not connected. */
  readonly logs: { held(service: string | null, lines: number): Promise<readonly LogRecord[]> } | null;
  /** The memory service, or null while it is away. */
  readonly memory: Pick<MemoryPeer, "call"> | null;
  /** To those who follow the call. */
  output(stream: "stdout" | "stderr", text: string): void;
}
