/**
 * Opens audit.db, whatever state it is in.
 *
 *   usable                       → used
 *   missing                      → made
 *   damaged, or not an audit     → renamed to `audit-damaged-<time>.db`, a new chain is begun that names the head it follows
 *   shorter than audit.head says → used; the chain goes on with an entry that says what is missing
 *   written by a later version   → left alone; nothing is audited durably until that version runs again
 *   folder missing or read-only  → nothing is audited durably
 *
 * In the last two the entries are kept in RAM only and `append` refuses, so that the broker refuses to change anything.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { describe, FromTheFuture, inspect, moveAside, openFile, openInRam, outlivesPower } from "../../wire/database.ts";
import { genesis } from "./chain.ts";
import { readHead } from "./heads.ts";
import type { Loss } from "./loss.ts";
import { audit_file } from "./schema.ts";
import { AuditStore } from "./store.ts";

export interface OpenAudit {
  readonly db: Sqlite.Database;
  readonly store: AuditStore;
  /** Null when it is in RAM only. */
  readonly path: string | null;
  readonly head_file: string | null;
  /** Why changes have to be refused, and what to do; null when they need not. */
  readonly degradation: string | null;
  /** What was found missing, to be written into the chain. */
  readonly loss: Loss | null;
}

export interface OpenOptions {
  readonly folder: string;
  /** Whether an audit that is lost at power-off is as good as none: in the machine it is, in a container it is not. */
  readonly must_last: boolean;
  readonly now: () => Date;
}

export function openAuditFile({ folder, must_last, now }: OpenOptions): OpenAudit {
  const path = join(folder, audit_file.file);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const damage = inspect(path, audit_file);
    const kept = damage === null ? null : moveAside(path, now());
    const db = openFile(path, audit_file);
    const store = new AuditStore(db);
    const head_file = join(folder, "audit.head");
    const volatile = must_last && !outlivesPower(folder);
    const degradation = volatile
      ? `the audit "${path}" is on a tmpfs and lost at power-off; changes are refused; give the system a data partition`
      : null;
    const loss = kept === null ? missingOf(store, head_file) : { what: damagedLoss(path, damage, kept), known: readHead(head_file) };
    return { db, store, path, head_file, degradation, loss };
  } catch (error) {
    const db = openInRam(audit_file);
    return { db, store: new AuditStore(db), path: null, head_file: null, degradation: because(path, error), loss: null };
  }
}

export function damagedLoss(path: string, damage: string | null, kept: string): string {
  return `"${path}" was damaged (${damage}) and is kept as "${kept}": this is a new chain, read the old one there`;
}

/** Compares the chain with the head that was told beside it. */
function missingOf(store: AuditStore, head_file: string): Loss | null {
  const known = readHead(head_file);
  if (known === null) {
    // it is written before the first entry: only a chain without entries may lack it
    return store.head.seq === 0 ? null : { what: `"${head_file}" is missing or unreadable: whether the chain was cut is not known`, known };
  }
  if (known.seq > store.head.seq)
    return { what: `entries ${store.head.seq + 1} to ${known.seq} are missing: "${head_file}" names the last`, known };
  const there = known.seq === 0 ? genesis.hash : store.hashAt(known.seq);
  return there === known.hash
    ? null
    : { what: `entry ${known.seq} is not the one that "${head_file}" names: the chain was rewritten`, known };
}

function because(path: string, error: unknown): string {
  const todo =
    error instanceof FromTheFuture
      ? "the file was not touched: boot the version that wrote it"
      : "check the data partition, then restart the broker";
  return `opening the audit "${path}" failed: ${describe(error)}; changes are refused; ${todo}`;
}
