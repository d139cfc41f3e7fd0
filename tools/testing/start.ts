/** Runs the real broker as a process of its own: `bun tools/testing/start.ts <run dir>`. */

import { runBroker } from "../main.ts";

const [run] = process.argv.slice(2);
if (run === undefined) throw new Error("starting the broker failed: give a run directory");
await runBroker(run);
