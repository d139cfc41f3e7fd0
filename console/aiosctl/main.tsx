/** The operator's client as a process: reads where it is, runs one command line, ends with its code. */

import { readSurroundings } from "./context.ts";
import { runProgram } from "./program.ts";

const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
process.on("SIGTERM", () => stop.abort());
// The reader of our output left (`| head`): nothing is left to do.
process.stdout.on("error", () => process.exit(0));

const code = await runProgram(process.argv.slice(2), readSurroundings(), stop.signal);
// A pipe takes what it has room for; the rest is written when its reader has read. Ending before that would lose it.
for (const stream of [process.stdout, process.stderr]) await new Promise<void>((resolve) => stream.write("", () => resolve()));
process.exit(code);
