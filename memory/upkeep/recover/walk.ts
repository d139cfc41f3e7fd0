/** Reads a table in the order of an integer key around pages that are broken. */

import { isDamage } from "../../../wire/database.ts";

const rows_max = 256;
/** Keys beyond the last readable one that are tried before the rest is given up. */
const reach = 2 ** 48;

export interface Keyed {
  readonly key: number;
}

/** @returns up to `limit` rows whose key is `from` or above, in order. @throws when it meets a broken page */
type ReadRows<T extends Keyed> = (from: number, limit: number) => T[];

/** @param onGap told of each range of which nothing can be read */
export function* walk<T extends Keyed>(read: ReadRows<T>, onGap: () => void): Generator<T> {
  let limit = rows_max;
  for (let from = -reach; ; ) {
    const rows = tried(read, from, limit);
    if (rows !== null) {
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined) return;
      from = last.key + 1;
      limit = Math.min(rows_max, limit * 2);
    } else if (limit > 1) {
      limit = Math.max(1, Math.floor(limit / 4));
    } else {
      onGap();
      const next = readableFrom(read, from);
      if (next === null) return;
      from = next;
    }
  }
}

/** @returns a key above `from`, as small as can be found, from which rows can be read again; null when there is none */
function readableFrom<T extends Keyed>(read: ReadRows<T>, from: number): number | null {
  let step = 1;
  while (tried(read, from + step, 1) === null) {
    step *= 2;
    if (step > reach * 2) return null;
  }
  let broken = from + Math.floor(step / 2);
  let good = from + step;
  while (good - broken > 1) {
    const middle = broken + Math.floor((good - broken) / 2);
    if (tried(read, middle, 1) === null) broken = middle;
    else good = middle;
  }
  return good;
}

function tried<T extends Keyed>(read: ReadRows<T>, from: number, limit: number): T[] | null {
  try {
    return read(from, limit);
  } catch (error) {
    if (isDamage(error)) return null;
    throw error;
  }
}
