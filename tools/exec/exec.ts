/** Starting a program for a call: argument vector, sandbox, limits, its own cgroup; its output bounded and streamed. */

/** What the program may see and do. Everything else is taken away. */
export interface Sandbox {
  /** Folders and files that it may read, or write, besides the read-only root: [path outside, path inside]. */
  readonly reads?: readonly (readonly [from: string, to: string])[];
  readonly writes?: readonly (readonly [from: string, to: string])[];
  /** Another root instead of the system's own: a userland. */
  readonly root?: string;
  /** The system's network; otherwise one of its own with nothing in it. */
  readonly network?: boolean;
  /** Capabilities (capabilities(7), lower case, with `cap_`) that it keeps; none unless named. Implies uid 0. */
  readonly capabilities?: readonly string[];
  /** Sees the processes of the system. */
  readonly processes?: boolean;
  readonly uid?: number;
  readonly gid?: number;
}

/** `none`: the program is one of the image's own, needs the system as it is, and is told nothing that came from outside. */
export type SandboxChoice = Sandbox | "none";

export interface Command {
  readonly argv: readonly [program: string, ...string[]];
  readonly sandbox: SandboxChoice;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array | string;
  readonly limits?: {
    readonly timeout_ms?: number;
    readonly memory_max_bytes?: number;
    readonly pids_max?: number;
    readonly cpu_weight?: number;
    /** Bytes of each stream that are kept; more is counted and dropped. 1 MiB unless it says otherwise. */
    readonly output_bytes_max?: number;
  };
  /** Also to those who follow the call. */
  readonly stream?: boolean;
}

export interface Finished {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: string | null;
  /** Why it was ended, when it was: its time was over, the call was cancelled. */
  readonly ended_for: "timeout" | "cancelled" | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** Bytes that were dropped beyond `output_bytes_max`. */
  readonly stdout_dropped_bytes: number;
  readonly stderr_dropped_bytes: number;
  readonly took_ms: number;
  /** From its cgroup, where there is one; else from wait4(2). */
  readonly cpu_ms: number | null;
  readonly memory_peak_bytes: number | null;
}

/** A program that goes on after the call. */
export interface Started {
  readonly pid: number;
  /** The cgroup that holds it and all it starts; null where there are none. */
  readonly cgroup: string | null;
  readonly ended: Promise<Finished>;
  kill(signal: NodeJS.Signals): void;
}

export interface Exec {
  /** Runs it to its end. @throws {ToolError} when it cannot be started at all */
  run(command: Command): Promise<Finished>;
  /** Runs it to its end and demands status 0. @throws {ToolError} with the end of its stderr */
  ok(command: Command): Promise<Finished>;
  /** Starts it and leaves it running. @throws {ToolError} */
  start(command: Command): Promise<Started>;
}
