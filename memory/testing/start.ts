/** Runs the real service as a process of its own: `bun memory/testing/start.ts <run dir> <data dir>`. */

import { runMemory } from "../main.ts";

const [run, data] = process.argv.slice(2);
if (run === undefined || data === undefined) throw new Error("starting memory failed: give a run and a data directory");
await runMemory({ run, data });
