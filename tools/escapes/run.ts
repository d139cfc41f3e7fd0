/**
 * Makes the attempts of one family, in the namespaces in which it is started:
 *
 *   bun tools/escapes/run.ts FAMILY
 *
 * Writes a line of JSON for each: its name, and how it got through; null when it did not.
 */

import type { Attempt } from "./attempt.ts";
import { families } from "./families.ts";
import { openStage, type RunningStage } from "./stage.ts";

/** Far above what an attempt takes, also where the processors have much else to do. */
const attempt_limit_ms = 240_000;

async function made(stage: RunningStage, attempt: Attempt, number: number): Promise<string | null> {
  try {
    const late = Bun.sleep(attempt_limit_ms).then(() => {
      throw new Error(`it took more than ${attempt_limit_ms} ms`);
    });
    await Promise.race([attempt.run(stage.forAttempt(number)), late]);
    await stage.lookAfter();
    return null;
  } catch (error) {
    return error instanceof Error ? (error.name === "Escaped" ? error.message : String(error.stack)) : String(error);
  }
}

const family = families.find(({ name }) => name === process.argv[2]);
if (family === undefined) throw new Error(`there is no family "${process.argv[2]}"`);
const only = process.argv[3];
const stage = await openStage();
for (const [index, attempt] of family.attempts.entries()) {
  if (only !== undefined && !attempt.name.includes(only)) continue;
  process.stdout.write(`${JSON.stringify({ name: attempt.name, escaped: await made(stage, attempt, index) })}\n`);
}
await stage.end();
process.exit(0);
