/**
 * Reads the whole chain and recomputes every hash, a slice at a time so that calls go on meanwhile. It finds entries whose
 * text was changed, that are missing, moved or out of order; entries cut off the end, by the head that this process
 * remembers and by the one that the side file names; resources that the index hides; and what earlier starts found lost.
 *
 * What it cannot find: somebody who, as root, stops the broker, rewrites the chain from some entry on with new hashes and
 * the side file with it. Only a head that has left the machine shows that: the kernel's log on the serial line.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { AuditEntry, type AuditVerdict } from "../../contracts/audit.ts";
import { describe } from "../../wire/database.ts";
import { entryHash, genesis, type Head } from "./chain.ts";
import { lossOf } from "./loss.ts";
import type { AuditStore, ChainRow } from "./store.ts";

interface VerifyOptions {
  readonly store: AuditStore;
  /** What this process wrote last. */
  readonly head: Head;
  /** What the side file named before this verification began, or null. */
  readonly told: Head | null;
  readonly now_ms: () => number;
}

const slice_entries = 512;
const faults_max = 100;

export async function verifyChain({ store, head, told, now_ms }: VerifyOptions): Promise<AuditVerdict> {
  const begin_ms = now_ms();
  const faults: { seq: number; what: string }[] = [];
  const fault = (seq: number, what: string): void => {
    if (faults.length < faults_max) faults.push({ seq, what });
  };
  let last = genesis;
  let entries = 0;
  try {
    for (;;) {
      const rows = store.slice(last.seq, head.seq, slice_entries);
      const end = rows.at(-1);
      if (end === undefined) break;
      for (const seq of store.misindexed(last.seq, end.seq)) fault(seq, "its resources are not in the index: queries by resource miss it");
      for (const row of rows) {
        checkRow(row, last, fault);
        last = { seq: row.seq, hash: row.hash };
      }
      entries += rows.length;
      await nextTurn();
    }
    if (last.seq !== head.seq) fault(head.seq, `${span(last.seq + 1, head.seq)} missing at the end`);
    else if (last.hash !== head.hash) fault(head.seq, "it is not the entry that the broker wrote");
    if (told !== null && told.seq > last.seq)
      fault(told.seq, `${span(last.seq + 1, told.seq)} missing at the end: audit.head names the last`);
    else if (told !== null && told.seq > 0 && store.hashAt(told.seq) !== told.hash)
      fault(told.seq, "its hash is not the one in audit.head");
  } catch (error) {
    fault(last.seq + 1, `reading it failed: ${describe(error)}`);
  }
  return { whole: faults.length === 0, entries, head: last.hash, faults, took_ms: now_ms() - begin_ms };
}

function checkRow(row: ChainRow, last: Head, fault: (seq: number, what: string) => void): void {
  if (row.seq !== last.seq + 1) fault(row.seq, `${span(last.seq + 1, row.seq - 1)} missing before it`);
  else if (row.previous !== last.hash) fault(row.seq, "it does not follow the entry before it: one of the two was put there or changed");
  if (entryHash(row.previous, row.content) !== row.hash) fault(row.seq, "its content does not fit its hash: it was changed");
  else if (row.own_seq !== row.seq) fault(row.seq, `it was entry ${row.own_seq}: it was moved`);
  if (row.kind !== "start") return;
  const loss = lossOf(AuditEntry.shape.body.safeParse(bodyOf(row.content)).data ?? {});
  if (loss !== null) fault(row.seq, loss);
}

function bodyOf(content: string): unknown {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === "object" && value !== null && "body" in value ? value.body : null;
  } catch {
    return null;
  }
}

function span(from: number, to: number): string {
  return from >= to ? `entry ${from} is` : `entries ${from} to ${to} are`;
}
