/** Runs a real tier as a process of its own: `bun agents/testing/start.ts <tier> <run dir>`. */

import { join } from "node:path";
import { runOperational } from "../operational/main.ts";
import { runReactive } from "../reactive/main.ts";
import { runStrategic } from "../strategic/main.ts";
import { runTactical } from "../tactical/main.ts";

const think_command = [process.execPath, join(import.meta.dir, "../model/local/testing/child.ts")];

const [name, run] = process.argv.slice(2);
if (name === undefined || run === undefined) throw new Error("starting a tier failed: give its name and a run directory");
if (name === "reactive") await runReactive(run);
else if (name === "strategic") await runStrategic({ run, folder: `${run}/strategic-data`, secrets: `${run}/strategic-secrets` });
else if (name === "operational") await runOperational(run, think_command);
else if (name === "tactical") await runTactical(run, think_command);
else throw new Error(`starting a tier failed: there is no tier "${name}"`);
