/** The operator's client as a process: reads where it is, runs one command line, ends with its code. */

import { readSurroundings } from "./context.ts";
import { runProgram } from "./program.ts";

const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
process.on("SIGTERM", () => stop.abort());
// The reader of our output left (`| head`): nothing is left to do.
process.stdout.on("error", () => process.exit(0));

const code = await runProgram(process.argv.slice(2), readSurroundings(), stop.signal);
process.exit(code);
