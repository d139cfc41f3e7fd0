/** What the broker answers on `/run/aios/broker/<caller>/sock`: the Model Context Protocol's own shapes. */

import { z } from "zod";
import { Nothing } from "./rpc.ts";

export const ToolDescription = z.strictObject({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  inputSchema: z.record(z.string(), z.unknown()),
  outputSchema: z.record(z.string(), z.unknown()),
});

export const broker_methods = {
  "tools/list": { params: Nothing, result: z.strictObject({ tools: z.array(ToolDescription) }) },
} as const;

export const broker_callers = ["reactive", "operational", "tactical", "strategic", "console"] as const;
