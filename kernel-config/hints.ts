/** Why kconfig did not set a symbol, as far as the Kconfig files of the kernel source tell. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Value } from "./kconfig.ts";

/** Folders without Kconfig files that matter; left out because the walk is slow enough. */
const skipped = new Set(["Documentation", "include", "tools", "samples", "LICENSES"]);

/** @returns a function from symbol to a hint, "" when nothing is known. Reads the tree when it is first asked. */
export function hintsFrom(source: string, config: ReadonlyMap<string, Value>): (symbol: string) => string {
  let texts: string[] | undefined;
  return (symbol) => {
    texts ??= kconfigTexts(source);
    return dependencyHint(symbol, texts, config);
  };
}

function kconfigTexts(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : kconfigTexts(join(folder, entry.name));
    return entry.name.startsWith("Kconfig") ? [readFileSync(join(folder, entry.name), "utf8")] : [];
  });
}

/** The symbol's own "depends on" lines, with the present value of each symbol in them. */
export function dependencyHint(symbol: string, kconfigs: readonly string[], config: ReadonlyMap<string, Value>): string {
  const definitions = kconfigs.flatMap((text) => blocksOf(symbol, text));
  if (definitions.length === 0) return "no Kconfig file of this kernel defines it: renamed or removed?";
  const expressions = definitions.flatMap((block) => [...block.matchAll(/^\s+depends on (.+)$/gm)].map((match) => match[1] ?? ""));
  if (expressions.length === 0) return "it names no dependency: look for an enclosing menu or if, a choice, or a select";
  return expressions
    .map((expression) => {
      const names = [...new Set(expression.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? [])];
      return `depends on ${expression} (${names.map((name) => `${name}=${config.get(name) ?? "n"}`).join(", ")})`;
    })
    .join("\n    ");
}

function blocksOf(symbol: string, text: string): string[] {
  const joined = text.replaceAll(/\s*\\\n\s*/g, " ");
  const head = new RegExp(`^(?:menu)?config ${symbol}\\n((?:[ \\t].*\\n|\\n)*)`, "gm");
  return [...joined.matchAll(head)].map((match) => match[1] ?? "");
}
