/** The copies in RAM that there are: read in when they are first asked for, and changed with memory.db. */

import { totalmem } from "node:os";
import type Sqlite from "better-sqlite3";
import { Signs } from "./signs.ts";
import { RamTable } from "./table.ts";
import { Wholes } from "./wholes.ts";

/** Sign bits of two million vectors of 384 dimensions are 126 MB. The service may take 512 (init/supervise/table.ts). */
const bytes_max = 128 * 1024 * 1024;
/** Of a small machine. */
const ratio = 1 / 32;
/** Up to so many are compared as they are, which takes half a millisecond and 5 MB: of few, sign bits tell too little. */
const wholes_max = 12_000;

export interface InRamLimits {
  readonly bytes_max: number;
  readonly wholes_max: number;
}
export const in_ram_limits: InRamLimits = { bytes_max: Math.min(bytes_max, totalmem() * ratio), wholes_max };

export class InRam {
  readonly #db: Sqlite.Database;
  readonly #limits: InRamLimits;
  #wholes: Wholes | null = null;
  #signs: Signs | null = null;

  constructor(db: Sqlite.Database, limits: InRamLimits) {
    this.#db = db;
    this.#limits = limits;
  }

  /** @returns null when they are too many for it, or comparing in RAM does not run */
  wholes(count: number, dimensions: number): Wholes | null {
    if (count > this.#limits.wholes_max || !this.#fits(count, dimensions)) this.#wholes = null;
    else this.#wholes ??= Wholes.read(this.#db, dimensions, count);
    return this.#wholes;
  }

  /** @returns null when they are too many for it, or comparing in RAM does not run */
  signs(count: number, dimensions: number): Signs | null {
    if (!this.#fits(count, dimensions / 8)) this.#signs = null;
    else this.#signs ??= Signs.read(this.#db, dimensions, count);
    return this.#signs;
  }

  add(id: number, v: Uint8Array): void {
    this.#wholes?.add(id, v);
    this.#signs?.add(id, v);
  }

  remove(id: number): void {
    this.#wholes?.remove(id);
    this.#signs?.remove(id);
  }

  /** They are no longer what memory.db has. */
  drop(): void {
    this.#wholes = null;
    this.#signs = null;
  }

  #fits(count: number, row_bytes: number): boolean {
    return RamTable.bytesOf(count, row_bytes) <= this.#limits.bytes_max;
  }
}
