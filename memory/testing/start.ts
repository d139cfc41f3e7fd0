/** Runs the real service as a process of its own: `bun memory/testing/start.ts <run dir> <data dir> [<model file>]`. */

import { join } from "node:path";
import { runMemory } from "../main.ts";

const [run, data, model_path] = process.argv.slice(2);
if (run === undefined || data === undefined) throw new Error("starting memory failed: give a run and a data directory");
const command = [process.execPath, join(import.meta.dir, "../embed/testing/child.ts")];
const knowledge = join(import.meta.dir, "../../knowledge");
await runMemory({ run, data, knowledge, embedding: model_path === undefined ? null : { command, model_path } });
