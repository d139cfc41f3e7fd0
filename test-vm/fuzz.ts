/** `make fuzz`: generated input for everything that takes bytes from outside. A case that fails is shown with its seed. */

import { fuzzConsole } from "../console/fuzz.ts";
import { fuzzTemplates } from "../memory/templates/fuzz.ts";
import { say, step } from "../tooling/progress.ts";
import { fuzzChildProtocol } from "../wire/fuzz.ts";
import { fuzzConfig } from "./fuzz-config.ts";

/** Each is called with the number of cases, and throws when one fails. */
const fuzzers = [
  { what: "machine config", fuzz: fuzzConfig },
  { what: "console API", fuzz: fuzzConsole },
  { what: "child protocol", fuzz: fuzzChildProtocol },
  { what: "log lines", fuzz: fuzzTemplates },
] as const;

async function main(): Promise<number> {
  const cases = Number(process.argv[2] ?? 100_000);
  if (!Number.isInteger(cases) || cases < 1)
    throw new Error(`reading the number of cases failed: "${process.argv[2]}" is not a whole number`);
  let failed = 0;
  for (const { what, fuzz } of fuzzers) {
    try {
      await step(`${what}: ${cases} cases`, async () => await fuzz(cases));
    } catch (error) {
      failed += 1;
      say(`${what}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed === 0 ? 0 : 1;
}

process.exit(await main());
