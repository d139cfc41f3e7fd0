/** What is wanted of a kernel: the fragments of its architecture, with the written exceptions put in their place. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { formatSetting, parseKconfig, type Value } from "./kconfig.ts";

export const architectures = ["x86_64", "arm64"] as const;
export type Architecture = (typeof architectures)[number];

export const here = import.meta.dir;

/** In the order in which they are read; each symbol stands in one of them. */
const fragments: Readonly<Record<Architecture, readonly string[]>> = {
  x86_64: ["base.config", "virt.config", "x86-boards.config", "hardening.config", "hardening-x86_64.config"],
  arm64: ["base.config", "virt.config", "arm64.config", "hardening.config", "hardening-arm64.config"],
};
const exceptionsFile = "hardening-exceptions.yaml";

export interface Wish {
  readonly symbol: string;
  readonly value: Value;
  /** "base.config:12", for errors. */
  readonly from: string;
  readonly hardening: boolean;
}

const Exception = z.strictObject({
  symbol: z.string().regex(/^(?!CONFIG_)[A-Z0-9][A-Za-z0-9_]*$/, "write the symbol without the CONFIG_ prefix"),
  value: z.string().min(1),
  arch: z.enum(architectures).optional(),
  why: z.string().min(30, "a reason takes a sentence"),
});
type Exception = z.infer<typeof Exception>;

export function parseExceptions(text: string, name: string): Exception[] {
  const parsed = z.array(Exception).safeParse(parse(text));
  if (!parsed.success) throw new Error(`reading "${name}" failed: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export function readWishes(architecture: Architecture): Wish[] {
  const wishes = gather(fragments[architecture].map((name) => ({ name, text: readFileSync(join(here, name), "utf8") })));
  const exceptions = parseExceptions(readFileSync(join(here, exceptionsFile), "utf8"), exceptionsFile);
  return withExceptions(
    wishes,
    exceptions.filter(({ arch }) => arch === undefined || arch === architecture),
  );
}

/** @throws when two fragments name the same symbol: one of them would silently lose */
export function gather(files: readonly { readonly name: string; readonly text: string }[]): Wish[] {
  const bySymbol = new Map<string, Wish>();
  for (const { name, text } of files) {
    for (const { symbol, value, line } of parseKconfig(text, name)) {
      const from = `${name}:${line}`;
      const before = bySymbol.get(symbol);
      if (before !== undefined)
        throw new Error(`reading the fragments failed: CONFIG_${symbol} is in ${before.from} and in ${from}; keep one`);
      bySymbol.set(symbol, { symbol, value, from, hardening: name.startsWith("hardening") });
    }
  }
  return [...bySymbol.values()];
}

/** @throws when an exception excuses nothing: the symbol is no hardening, or is wanted with that value anyway */
export function withExceptions(wishes: readonly Wish[], exceptions: readonly Exception[]): Wish[] {
  const open = new Map(exceptions.map((exception) => [exception.symbol, exception]));
  const result = wishes.map((wish) => {
    const exception = open.get(wish.symbol);
    if (exception === undefined || !wish.hardening || exception.value === wish.value) return wish;
    open.delete(wish.symbol);
    return { ...wish, value: exception.value, from: `${exceptionsFile} (${wish.from} wants ${wish.value})` };
  });
  const stale = [...open.keys()];
  if (stale.length > 0) {
    const names = stale.map((symbol) => `"${symbol}"`).join(", ");
    throw new Error(`applying ${exceptionsFile} failed: ${names} excuses nothing in the hardening fragments; remove the entry`);
  }
  return result;
}

/** The wishes as one kconfig file, sorted: where a symbol stands in the fragments changes nothing. */
export function wishesText(wishes: readonly Wish[]): string {
  const sorted = [...wishes].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
  return sorted
    .map(
      ({ symbol, value }) => `${formatSetting(symbol, value)}
`,
    )
    .join("");
}
