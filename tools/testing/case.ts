/**
 * What a tool's family says of each of its tools, so that the same properties can be proved of all of them
 * (`testing/prove.ts`): undo after call restores what was observed, bad arguments and a missing permission have no effect,
 * and a broker that is killed anywhere leaves the whole effect or none.
 *
 * A case runs as root in namespaces of its own (mount, network, UTS, IPC), in a world that is thrown away.
 */

import type { Places } from "../context.ts";

export interface World {
  /** An empty folder on the data partition, for the case to fill. */
  readonly folder: string;
  readonly places: Places;
  /** Makes a call beforehand, with everything allowed. @returns its answer. @throws when it is not done */
  call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
}

export interface ToolCase {
  readonly tool: string;
  /** What is special about it: `replaces a file with attributes`. */
  readonly name: string;
  /** A device that the kernel has to have; elsewhere the case is passed over, and said so. */
  readonly needs?: "wireguard";
  /** Makes the world ready. @returns the arguments of the call */
  prepare(world: World): Promise<Record<string, unknown>> | Record<string, unknown>;
  /** Everything that the call may change, exactly, as data: undo has to bring the very same back. */
  observe(world: World): Promise<unknown> | unknown;
  /** The part of it that two runs of the same call have in common; `observe` itself where it has no times, pids or ids. */
  effect?(world: World): Promise<unknown> | unknown;
  /** Arguments that have to be refused without any effect. */
  bad?(world: World): readonly Record<string, unknown>[];
  /** How it ends, where not well: there is nothing here to answer it, or what was begun is taken back. Nothing is different then. */
  readonly fails?: "failed" | "undone";
  /** Looks at the answer. @throws when it is wrong */
  check?(answer: Record<string, unknown>, world: World): Promise<void> | void;
  /** Waits until what the call started has settled (a service that becomes ready). */
  settle?(world: World): Promise<void>;
  /** This call only looks, though its tool may change something. */
  readonly looks?: true;
  /** The call changes something that only an approved undo could not bring back: there is no undo to prove. */
  readonly final?: true;
  /** Its arguments hold a secret, which nothing keeps: what was taken back cannot be made anew without it. */
  readonly secret?: true;
  /** Ends what would outlive the world. */
  clean?(world: World): Promise<void> | void;
}
