/**
 * `make fuzz`: generated input for what takes bytes from outside: the machine config, the console's API, what services say
 * to PID 1 and to each other, sd_notify, and log lines. A case that fails is shown with its seed.
 */

import { fuzzConsole } from "../console/fuzz.ts";
import { fuzzControl } from "../init/control/fuzz.ts";
import { fuzzNotify } from "../init/supervise/fuzz.ts";
import { fuzzTemplates } from "../memory/templates/fuzz.ts";
import { beat, say, step } from "../tooling/progress.ts";
import { fuzzListener } from "../wire/fuzz.ts";
import { fuzzConfig } from "./fuzz-config.ts";

/** Throws when a case fails; the same seed makes the same cases. Calls `tried` after each. */
type Fuzz = (cases: number, seed: number, tried: () => void) => void | Promise<void>;

const fuzzers: readonly { readonly what: string; readonly fuzz: Fuzz }[] = [
  { what: "machine config", fuzz: fuzzConfig },
  { what: "console API", fuzz: fuzzConsole },
  { what: "child protocol", fuzz: fuzzControl },
  { what: "sd_notify", fuzz: fuzzNotify },
  { what: "sockets of services", fuzz: fuzzListener },
  { what: "log lines", fuzz: inParts(fuzzTemplates, 1000) },
];

/** For one that does not tell how far it is. */
function inParts(fuzz: (cases: number, seed: number) => void, part: number): Fuzz {
  return (cases, seed, tried) => {
    for (let begun = 0; begun < cases; begun += part) {
      const now = Math.min(part, cases - begun);
      fuzz(now, seed + begun);
      for (let each = 0; each < now; each += 1) tried();
    }
  };
}

/** Named while it goes on, with the cases so far. */
async function tryAll(what: string, fuzz: Fuzz, cases: number): Promise<void> {
  let done = 0;
  const tried = (): void => {
    done += 1;
    beat();
  };
  const work = async (): Promise<void> => await fuzz(cases, Date.now() & 0x7fffffff, tried);
  await step(`${what}: ${cases} cases`, work, () => `${done} tried`);
}

async function main(): Promise<number> {
  const cases = Number(process.argv[2] ?? 100_000);
  if (!Number.isInteger(cases) || cases < 1)
    throw new Error(`reading the number of cases failed: "${process.argv[2]}" is not a whole number`);
  let failed = 0;
  for (const { what, fuzz } of fuzzers) {
    try {
      await tryAll(what, fuzz, cases);
    } catch (error) {
      failed += 1;
      say(`${what}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed === 0 ? 0 : 1;
}

process.exit(await main());
