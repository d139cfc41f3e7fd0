/** The audit as the rest of the broker sees it. */

import type { AuditEntry, AuditQuery, AuditVerdict } from "../../contracts/audit.ts";

/** An entry before it has its place in the chain: numbers, times and hashes are the audit's to give. */
export type NewEntry = Omit<AuditEntry, "seq" | "time_ms" | "boot" | "boot_ms" | "previous" | "hash">;

export interface Audit {
  /** Resolves when it is durable. Entries that come in one turn of the event loop share one commit. */
  append(entry: NewEntry): Promise<AuditEntry>;
  /** For calls that change nothing: written in order with the rest, durable within 100 ms, not waited for. */
  note(entry: NewEntry): void;
  /** The same, for looks that nobody asks for again by their number: a tier's that is like an earlier one of its own is counted only (repeats.ts). */
  look(entry: NewEntry): void;
  query(query: AuditQuery): AuditEntry[];
  /** All entries of one call, oldest first. */
  ofCall(call: string): AuditEntry[];
  /** Outcomes after entry `seq`, oldest first, without those of calls that only looked. */
  outcomesAfter(seq: number, limit: number): AuditEntry[];
  /** Entries of calls with an intent and no outcome, by call, oldest first. */
  unfinished(): ReadonlyMap<string, readonly AuditEntry[]>;
  /** The highest number of a call of this boot that is on record; 0 before the first. */
  lastCallNumber(): number;
  /** Reads the whole chain. Other calls go on meanwhile. */
  verify(): Promise<AuditVerdict>;
  readonly head: string;
  /** What people should know and what refuses nothing: entries found missing, a head that is told nowhere else; or null. */
  readonly notice: string | null;
  /** How many entries there are. */
  readonly entries: number;
  /** What does not work and what to do, or null: then calls that change something are refused. */
  readonly degradation: string | null;
  close(): Promise<void>;
}
