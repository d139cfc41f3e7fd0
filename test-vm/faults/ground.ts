/** A system under test, as far as faults use it. Paths are the host's. */

import type { Namespaces } from "../namespaces.ts";

export type PatientName = "web" | "shop" | "clerk";

export interface Patient {
  /** Its folder: what it is told, its database. */
  readonly folder: string;
  /** Port on which it was declared to listen, or null. */
  readonly port: number | null;
  /** Writes an order for it (fixtures/patient.c). */
  tell(order: string): void;
  /** The host's number of its process, or null while there is none. */
  pid(): Promise<number | null>;
  /** Whether it runs and says that it is ready. */
  ready(): Promise<boolean>;
  /** Whether nobody starts it any more, since it ended too often. */
  givenUp(): Promise<boolean>;
}

/** What a trial itself uses. */
export interface System {
  readonly arm: "ours" | "conventional";
  /** How many times sooner than in earnest. */
  readonly pace: number;
  end(): Promise<void>;
}

export interface Ground extends System {
  readonly inside: Namespaces;
  /** The small disk on which everything lies that changes, and what is on it. */
  readonly disk: string;
  readonly folders: {
    readonly cache: string;
    readonly temporary: string;
    /** What rotates logs looks here for *.log. */
    readonly logs: string;
    /** What the system is for. */
    readonly srv: string;
    /** Copies of it, by service. */
    readonly backup: string;
  };
  readonly resolv: string;
  patient(name: PatientName): Patient;
  /** What else belongs into a snapshot: permission, bans. */
  more(): Promise<ReadonlyMap<string, string>>;
  /** What a person with all rights does. */
  readonly person: {
    restart(name: PatientName): Promise<void>;
    stop(name: PatientName): Promise<void>;
    start(name: PatientName): Promise<void>;
    setHostname(name: string): Promise<void>;
    declarePort(port: number, owner: PatientName): Promise<void>;
    closePort(port: number, owner: PatientName): Promise<void>;
  };
}
