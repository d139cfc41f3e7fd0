/**
 * Generations: each is a layer on the data partition above those of its parents and the base, with a record of what it
 * changed. Generation 0 is the base alone. A generation is never changed once its folder has its number; which one counts
 * stands in the file `current`.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { Principal } from "../../../../contracts/tool.ts";
import { syncFolder, writeDurably } from "../../../../wire/files.ts";
import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import { ToolError } from "../../../tool.ts";
import { needBase } from "./base.ts";
import { currentFile, folderOf, generationFolder, generationsOf, stagingOf } from "./folders.ts";

export const PackageChange = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    before: z.string().nullable().describe("its version before; null: it was not installed"),
    after: z.string().nullable().describe("its version after; null: it is not installed any more"),
  }),
);
export type PackageChange = z.infer<typeof PackageChange>;

export const GenerationRecord = z.lazy(() =>
  z.strictObject({
    number: z.number().int().min(1),
    parent: z.number().int().min(0),
    /** SHA-256 of the base below it. */
    base: z.string(),
    call: z.string(),
    tool: z.string(),
    principal: Principal,
    time_ms: z.number(),
    /** SHA-256 of what was asked for: a redo finds by it what was made already. */
    request: z.string(),
    changes: z.array(PackageChange),
    sources: z.array(z.string()),
    files: z.array(z.strictObject({ path: z.string(), sha256: z.string(), name: z.string(), version: z.string() })),
  }),
);
export type GenerationRecord = z.infer<typeof GenerationRecord>;

type Ports = Pick<Context, "places">;

export function recordOf(number: number, { places }: Ports): GenerationRecord {
  const file = `${generationFolder(number, places)}/record.json`;
  try {
    return GenerationRecord.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new ToolError(
      `looking up generation ${number} of the userland failed: ${existsSync(file) ? `its record ${quote(file)} cannot be read: ${error instanceof Error ? error.message.slice(0, 200) : error}` : "there is none"}; pkg.history lists those that there are`,
    );
  }
}

export const DamagedGeneration = z.lazy(() => z.strictObject({ number: z.number().int(), why: z.string() }));

/** All that are there, oldest first, and those whose record cannot be read. */
export function readGenerations({ places }: Ports): {
  readonly records: readonly GenerationRecord[];
  readonly damaged: readonly z.infer<typeof DamagedGeneration>[];
} {
  const records: GenerationRecord[] = [];
  const damaged: z.infer<typeof DamagedGeneration>[] = [];
  for (const number of numbersIn(generationsOf(places))) {
    try {
      records.push(recordOf(number, { places }));
    } catch (error) {
      damaged.push({ number, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { records, damaged };
}

function numbersIn(folder: string): number[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => /^[1-9][0-9]{0,8}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** The number that nothing has had. */
export function nextNumber({ places }: Ports): number {
  return Math.max(0, ...numbersIn(generationsOf(places)), ...numbersIn(stagingOf(places))) + 1;
}

/** Itself and those below it, newest first; 0 is not among them. @throws {ToolError} when one is missing */
export function chainOf(number: number, ports: Ports): GenerationRecord[] {
  const chain: GenerationRecord[] = [];
  for (let at = number; at !== 0; ) {
    const record = recordOf(at, ports);
    if (record.parent >= at)
      throw new ToolError(`looking up generation ${at} of the userland failed: its record names itself as what is below it`);
    chain.push(record);
    at = record.parent;
  }
  return chain;
}

const current_text = /^[0-9]{1,9}\n$/;

export function currentNumber({ places }: Ports): number {
  const file = currentFile(places);
  if (!existsSync(file)) return 0;
  const text = readFileSync(file, "utf8");
  if (current_text.test(text)) return Number(text);
  throw new ToolError(
    `looking up the current generation failed: ${quote(file)} holds no number; write that of one that pkg.history lists into it`,
  );
}

/** From here on it counts, also after a power cut. */
export function makeCurrent(number: number, { places, sys }: Pick<Context, "places" | "sys">): void {
  mkdirSync(folderOf(places), { recursive: true, mode: 0o700 });
  const fresh = `${currentFile(places)}.next`;
  writeDurably(fresh, `${number}\n`);
  sys.file.rename("cwd", fresh, "cwd", currentFile(places), "replace");
  syncFolder(folderOf(places));
}

/** The base upon which a change to this one is made. */
export async function baseBelow(number: number, context: Context): Promise<string> {
  return number === 0 ? await needBase(context) : recordOf(number, context).base;
}
