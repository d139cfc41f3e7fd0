/** `make fuzz`: generated input for everything that takes bytes from outside. A case that fails is shown with its seed. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { say, step } from "../tooling/progress.ts";
import { fuzzConfig } from "./fuzz-config.ts";
import { checkout } from "./places.ts";

type Fuzz = (cases: number) => unknown;

/** Fuzzers that live beside what they test: called with the number of cases, they throw when one fails. */
const elsewhere = [
  { what: "console API", file: "console/fuzz.ts", name: "fuzzConsole" },
  { what: "child protocol", file: "wire/fuzz.ts", name: "fuzzChildProtocol" },
] as const;

const AnyFunction = z.custom<Fuzz>((value) => typeof value === "function");

async function load(file: string, name: string): Promise<Fuzz> {
  const path = join(checkout, file);
  if (!existsSync(path)) throw new Error(`loading the fuzzer failed: "${file}" is not there`);
  const module: Record<string, unknown> = await import(path);
  return AnyFunction.parse(module[name]);
}

async function main(): Promise<number> {
  const cases = Number(process.argv[2] ?? 100_000);
  if (!Number.isInteger(cases) || cases < 1)
    throw new Error(`reading the number of cases failed: "${process.argv[2]}" is not a whole number`);
  const fuzzers = [
    { what: "machine config", load: async (): Promise<Fuzz> => fuzzConfig },
    ...elsewhere.map(({ what, file, name }) => ({ what, load: () => load(file, name) })),
  ];
  let failed = 0;
  for (const { what, load: loadIt } of fuzzers) {
    try {
      const fuzz = await loadIt();
      await step(`${what}: ${cases} cases`, async () => await fuzz(cases));
    } catch (error) {
      failed += 1;
      say(`${what}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed === 0 ? 0 : 1;
}

process.exit(await main());
