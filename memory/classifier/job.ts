/** Training as the helper process does it (memory/upkeep/job.ts): cases come in a file, and what came of it goes into another. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClassifierCases } from "../../contracts/memory/classifier.ts";
import type { Job, JobResults } from "../../contracts/memory/job.ts";
import { train } from "./train.ts";

export const cases_file = ".training-cases.json";
export const trained_file = ".training-result.json";

export function trainIn({ folder, embedding, time_ms }: Extract<Job, { do: "train" }>): JobResults["train"] {
  const cases = ClassifierCases.parse(JSON.parse(readFileSync(join(folder, cases_file), "utf8")));
  const trained = train(cases, embedding, time_ms);
  writeFileSync(join(folder, trained_file), JSON.stringify(trained));
  return { cases: cases.length };
}
