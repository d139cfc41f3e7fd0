/** A system under test, as far as faults use it. */

import type { Namespaces } from "../namespaces.ts";

export type PatientName = "web" | "shop" | "clerk";

export interface Patient {
  /** Its folder: what it is told, its database. */
  readonly folder: string;
  /** Port on which it was declared to listen, or null. */
  readonly port: number | null;
  /** Writes an order for it (fixtures/patient.c). */
  tell(order: string): Promise<void> | void;
  /** Its process, by the number that `Served` takes, or null while there is none. */
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

export interface Task {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
}

/** Files of the system, past it. All but `mode` throw when it does not go. */
export interface Files {
  /** In place of what was there; for everybody to read. */
  write(path: string, text: string): Promise<void> | void;
  /** Real blocks, no hole. */
  fill(path: string, mib: number): Promise<void> | void;
  copy(from: string, to: string): Promise<void> | void;
  /** It may be gone. */
  remove(path: string): Promise<void> | void;
  /** A program that has the rights of its owner, root. */
  makeSetuid(path: string): Promise<void> | void;
  /** Permission bits, or null when it is not there. */
  mode(path: string): Promise<number | null> | number | null;
  /** As a broken disk does: whole pages of something else, all but the first. */
  damage(path: string): Promise<void> | void;
  /** Whether SQLite finds the shop's database whole, with all that was in it. */
  isWhole(path: string): Promise<boolean> | boolean;
}

/** What a process of nobody's does: keeps a processor busy, or listens on that port of all addresses. */
export type StrangerDoes = "spin" | { readonly listen: number };

/** A system with the services under test: what a container and a machine have in common. Paths and numbers of processes are its own. */
export interface Served extends System {
  readonly folders: {
    /** What the system is for. */
    readonly srv: string;
    /** Copies of it, by service. */
    readonly backup: string;
  };
  readonly files: Files;
  patient(name: PatientName): Patient;
  tasks(): Promise<readonly Task[]> | readonly Task[];
  /** It may be gone. */
  signal(pid: number, signal: "KILL" | "STOP"): Promise<void> | void;
  /** nice(2) of a process; null when it is gone. */
  niceOf(pid: number): Promise<number | null> | number | null;
  /** A process that belongs to no service. @returns its number */
  stranger(does: StrangerDoes): Promise<number>;
  /** All of them. */
  endStrangers(): Promise<void> | void;
  /** Ports of all addresses but loopback on which somebody listens: `tcp:8080`. */
  listeners(): Promise<readonly string[]> | readonly string[];
  /** What a service answers on a port of the system's own loopback; "" when nobody does. */
  answerOn(port: number): Promise<string>;
  /** As nft(8) lists it. */
  ruleset(): Promise<string>;
  /** What a person with all rights does. */
  readonly person: {
    restart(name: PatientName): Promise<void>;
    stop(name: PatientName): Promise<void>;
    start(name: PatientName): Promise<void>;
    setHostname(name: string): Promise<void>;
    declarePort(port: number, owner: PatientName): Promise<void>;
    closePort(port: number, owner: PatientName): Promise<void>;
    unban(address: string): Promise<void>;
  };
}

/** A container: its paths and processes are the host's. */
export interface Ground extends Served {
  readonly inside: Namespaces;
  /** The small disk on which everything lies that changes, and what is on it. */
  readonly disk: string;
  readonly folders: Served["folders"] & {
    readonly cache: string;
    readonly temporary: string;
    /** What rotates logs looks here for *.log. */
    readonly logs: string;
  };
  readonly resolv: string;
  /** What else belongs into a snapshot: permission, bans. */
  more(): Promise<ReadonlyMap<string, string>>;
}
