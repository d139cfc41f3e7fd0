/**
 * Results as they come: each trial is in build/faults/SET.json as soon as it is over, with a key of all that its result depends on (the system
 * under test, the suite, the fault itself, the pace). A set that was stopped goes on with what is missing; what has another key is
 * tried again.
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { keyOf } from "../../tooling/cache.ts";
import { writeDurably } from "../../wire/files.ts";
import { build, checkout } from "../places.ts";
import { Result } from "./result.ts";

/** What is tried together: an arm, in one way. */
export const set_names = ["ours", "packages", "without-playbooks", "conventional", "conventional-packages", "vm"] as const;
export type SetName = (typeof set_names)[number];

/** All of it says how a trial is made, besides the faults themselves. */
const suite = [
  "trial.ts",
  "repository.ts",
  "snapshot.ts",
  "effects.ts",
  "beside.ts",
  "ours",
  "conventional",
  "vm",
  "../fixtures/patient.c",
];

const Kept = z.array(z.strictObject({ key: z.string(), ended: z.string(), result: Result }));

export function folderOfResults(): string {
  const folder = join(build, "faults");
  mkdirSync(folder, { recursive: true });
  return folder;
}

export interface KeptOptions {
  readonly set: SetName;
  readonly pace: number;
  /** The key of the system under test. */
  readonly system: string;
  /** Results count whatever they were had with. */
  readonly whatever: boolean;
}

export class KeptResults {
  readonly #path: string;
  readonly #base: string;
  readonly #whatever: boolean;
  #kept: z.infer<typeof Kept>;

  /** @param forget results of earlier runs */
  constructor({ set, pace, system, whatever }: KeptOptions, forget: boolean) {
    this.#path = join(folderOfResults(), `${set}.json`);
    const home = join(checkout, "test-vm/faults");
    this.#base = keyOf({ files: suite.map((name) => join(home, name)).filter(existsSync), values: [system, String(pace)] });
    this.#whatever = whatever;
    this.#kept = forget || !existsSync(this.#path) ? [] : read(this.#path);
  }

  /** Of one fault or control, by its code; null: not all of its times are there, made without trouble. */
  of(name: string, code: string, times: number): readonly Result[] | null {
    const own = this.#kept.filter(({ result, key }) => result.name === name && (this.#whatever || key === this.#key(code)));
    const good = own.map(({ result }) => result).filter(({ trouble }) => trouble === null);
    return good.length === times ? good : null;
  }

  /** In place of what there was of it. */
  add(result: Result, code: string): void {
    const others = this.#kept.filter((one) => one.result.name !== result.name || one.result.time !== result.time);
    this.#kept = [...others, { key: this.#key(code), ended: new Date().toISOString(), result }];
    writeDurably(this.#path, `${JSON.stringify(this.#kept, null, 1)}\n`);
  }

  #key(code: string): string {
    return createHash("sha256").update(`${this.#base}\n${code}`).digest("hex").slice(0, 16);
  }
}

/** What an earlier suite wrote in another form does not count. */
function read(path: string): z.infer<typeof Kept> {
  const parsed = Kept.safeParse(JSON.parse(readFileSync(path, "utf8")));
  return parsed.success ? parsed.data : [];
}
