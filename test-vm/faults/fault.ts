/** What a fault is: something real that goes wrong, and how it is told that it is right again. */

import type { Ground, System } from "./ground.ts";

export type Family =
  | "disk"
  | "memory"
  | "cpu"
  | "process"
  | "network"
  | "dns"
  | "time"
  | "drift"
  | "security"
  | "certificates"
  | "database"
  | "packages";

/** Looks at the effect itself, from outside: true when it is as it should be. */
export type Check = () => Promise<boolean> | boolean;

/** What tables and sums go by. */
export interface Named {
  readonly name: string;
  readonly family: Family;
  /** For people: what goes wrong. */
  readonly what: string;
  /** A person has to say yes, by policy: that it is handed over with the reason is the right end. */
  readonly ends?: "person";
}

export interface Fault<G extends System = Ground> extends Named {
  /** It is noticed by one of these alarms, about a subject that holds `subject`; or by a rule of the reactive tier. */
  readonly noticed: { readonly alarms: readonly string[]; readonly subject?: string; readonly rules?: readonly string[] };
  /** Makes it so. @returns the look at its effect, false by then or at once after */
  inject(ground: G): Promise<Check> | Check;
  /** Which keys of the snapshot (snapshot.ts) may differ afterwards: its own traces. */
  readonly traces?: readonly RegExp[];
  /** Takes back what is left of it, so that it can come again. */
  clean?(ground: G): Promise<void> | void;
  /** Where it cannot be made so. Left out: on both. */
  readonly only?: "ours";
}

/** Looks like a fault, and is none. */
export interface Control<G extends System = Ground> extends Omit<Named, "ends"> {
  happen(ground: G): Promise<void> | void;
  readonly traces?: readonly RegExp[];
  clean?(ground: G): Promise<void> | void;
  readonly only?: "ours";
}
