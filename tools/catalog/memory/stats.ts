/** memory.stats */

import { z } from "zod";
import { longterm_methods } from "../../../contracts/memory/longterm.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { readsAll } from "./shared/memory.ts";

export const memoryStats = defineTool({
  name: "memory.stats",
  title: "Memory in figures",
  description:
    "How much is remembered: memories by kind, from when to when, distinct texts and how many of them have a vector, by which model, bytes on the disk, cold segments, what is pinned, marked as from outside, or in quarantine.",
  input: z.lazy(() => z.strictObject({})),
  output: longterm_methods.stats.result,
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: readsAll,
  run: (_target, _input, context) => asked(memoryOf(context, "counting memories").call("stats", {})),
});
