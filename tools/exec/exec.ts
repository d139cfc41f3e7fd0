/** Starting a program for a call: argument vector, sandbox, limits, its own cgroup; its output bounded and streamed. */

import { z } from "zod";

/** What the program may see and do. Everything else is taken away. */
export interface Sandbox {
  /**
   * Folders and files that it may read, or write, besides the read-only root: what is outside, and its path inside. A
   * descriptor of the caller's means the very thing that was authorised, whatever its path means by then; mounts below it
   * are not shown.
   */
  readonly reads?: readonly (readonly [from: string | number, to: string])[];
  readonly writes?: readonly (readonly [from: string | number, to: string])[];
  /** Another root instead of the system's own: a userland. */
  readonly root?: string;
  /** It may change that root: a layer that is being made. */
  readonly writable_root?: boolean;
  /** The system's network; otherwise one of its own with nothing in it. */
  readonly network?: boolean;
  /** Capabilities (capabilities(7), lower case, with `cap_`) that it keeps; none unless named. Implies uid 0. */
  readonly capabilities?: readonly string[];
  /** Device nodes that it may use, besides null, zero, random and its like. */
  readonly devices?: readonly string[];
  /** Sees the processes of the system. */
  readonly processes?: boolean;
  /** The uid of tools' programs (`tools_uid`) unless it says otherwise. */
  readonly uid?: number;
  readonly gid?: number;
}

/** `none`: the program is one of the image's own, needs the system as it is, and is told nothing that came from outside. */
type SandboxChoice = Sandbox | "none";

/** User `tools` of the image: programs that tools start, where nothing else is said. */
export const tools_uid = 890;

export interface Command {
  readonly argv: readonly [program: string, ...string[]];
  readonly sandbox: SandboxChoice;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array | string;
  readonly limits?: {
    /** Of `run` and `ok`; 60 s unless it says otherwise. */
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
  /** Exit status; null when a signal ended it, or when nobody saw it end. */
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

/** What has to be kept of a program that goes on, to find it again when the broker was restarted. */
export const KeptProgram = z.strictObject({
  /** Its pid, and when it began (clock ticks after boot): together they name one process of one boot. */
  pid: z.number().int(),
  started_ticks: z.number(),
  /** The process around it, whose end is the end of all of it; the program itself where there is none. */
  outer_pid: z.number().int(),
  outer_started_ticks: z.number(),
  /** The cgroup that holds it and all it starts; null where there are none. */
  cgroup: z.string().nullable(),
  /** The named pipes into which it writes are `<pipes>.stdout` and `<pipes>.stderr`. */
  pipes: z.string(),
});
export type KeptProgram = z.infer<typeof KeptProgram>;

/** A program that goes on after the call. */
export interface Started {
  readonly pid: number;
  readonly cgroup: string | null;
  readonly kept: KeptProgram;
  /** Never rejects. Its output is what `tail` had at the end. */
  readonly ended: Promise<Finished>;
  readonly running: boolean;
  /** The newest of what it wrote, at most `output_bytes_max` of each stream; what it wrote while no broker ran comes later. */
  tail(): { readonly stdout: Uint8Array; readonly stderr: Uint8Array; readonly dropped_bytes: number };
  /** A signal to the program itself; nothing when it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Ends it and everything that it started. */
  end(): void;
}

export interface Exec {
  /** Runs it to its end. @throws {ToolError} when it cannot be started at all */
  run(command: Command): Promise<Finished>;
  /** Runs it to its end and demands status 0. @throws {ToolError} with the end of its stderr */
  ok(command: Command): Promise<Finished>;
  /** Starts it and leaves it running: it survives the call, and the broker. @throws {ToolError} */
  start(command: Command): Promise<Started>;
  /**
   * The one that goes on as `kept` says, also when an earlier broker started it, or when it has ended a while ago.
   * @returns null when it ended and nothing is known of it any more
   */
  adopt(kept: KeptProgram): Started | null;
  /** Ends every program that this call started and that still runs, whether anybody kept track of it or not. */
  endCall(call: string): Promise<void>;
}
