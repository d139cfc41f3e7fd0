/**
 * Leases: who works on a goal, task or incident. Told by the boot clock, so that setting the wall clock neither ends nor
 * lengthens one; one of an earlier boot is over, for its holder is. Each holder gets a larger number (the fence), and what
 * is done under an older one is refused, so a holder that was slow or was thought dead cannot do harm when it comes back.
 */

import type Sqlite from "better-sqlite3";
import type { Lease } from "../../contracts/memory/working/leases.ts";

/** A moment on the clock of a boot. */
export interface Moment {
  readonly boot: string;
  readonly boot_ms: number;
  readonly time_ms: number;
}

interface Row {
  readonly root: string;
  readonly holder: string | null;
  readonly boot: string;
  readonly expires_ms: number;
  readonly fence: number;
}

const listed_max = 500;

export class Leases {
  readonly #get: Sqlite.Statement<[string], Row>;
  readonly #held: Sqlite.Statement<[string, number, number], Row>;
  readonly #put: Sqlite.Statement<[string, string | null, string, number, number]>;

  constructor(db: Sqlite.Database) {
    this.#get = db.prepare("SELECT root, holder, boot, expires_ms, fence FROM leases WHERE root = ?");
    this.#held = db.prepare(
      `SELECT root, holder, boot, expires_ms, fence FROM leases
       WHERE holder IS NOT NULL AND boot = ? AND expires_ms > ? ORDER BY root LIMIT ?`,
    );
    this.#put = db.prepare(
      `INSERT INTO leases (root, holder, boot, expires_ms, fence) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (root) DO UPDATE SET holder = excluded.holder, boot = excluded.boot, expires_ms = excluded.expires_ms,
         fence = excluded.fence`,
    );
  }

  /** The one that counts now, or null. */
  of(root: string, now: Moment): Lease | null {
    const row = this.#get.get(root);
    return row === undefined ? null : live(row, now);
  }

  /** Those that count now. */
  all(now: Moment): Lease[] {
    return this.#held.all(now.boot, now.boot_ms, listed_max).flatMap((row) => live(row, now) ?? []);
  }

  /** A holder that has it already gets it anew: with a larger fence, as it says that it does not know the one it had. */
  acquire(root: string, holder: string, ttl_ms: number, now: Moment): { granted: boolean; lease: Lease } {
    const row = this.#get.get(root);
    const held = row === undefined ? null : live(row, now);
    if (held !== null && held.holder !== holder) return { granted: false, lease: held };
    const fence = (row?.fence ?? 0) + 1;
    this.#put.run(root, holder, now.boot, now.boot_ms + ttl_ms, fence);
    return { granted: true, lease: { root, holder, fence, left_ms: ttl_ms } };
  }

  /** @returns false when it is over, or another's */
  renew(root: string, holder_of: string, fence: number, ttl_ms: number, now: Moment): boolean {
    const held = this.of(root, now);
    if (held === null || held.fence !== fence || !isOf(held, holder_of)) return false;
    this.#put.run(root, held.holder, now.boot, now.boot_ms + ttl_ms, fence);
    return true;
  }

  release(root: string, holder_of: string, fence: number, now: Moment): boolean {
    const held = this.of(root, now);
    if (held === null || held.fence !== fence || !isOf(held, holder_of)) return false;
    this.#put.run(root, null, now.boot, now.boot_ms, fence);
    return true;
  }
}

/** Holders are named `<service>/<process>`: which service, the socket says. */
export function holderName(caller: string, process: string): string {
  return `${caller}/${process}`;
}

export function isOf(lease: Lease, caller: string): boolean {
  return lease.holder.startsWith(`${caller}/`);
}

function live({ root, holder, boot, expires_ms, fence }: Row, now: Moment): Lease | null {
  if (holder === null || boot !== now.boot || expires_ms <= now.boot_ms) return null;
  return { root, holder, fence, left_ms: expires_ms - now.boot_ms };
}
