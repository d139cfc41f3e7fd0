/** A tool as it is listed: MCP's shape, derived from the tool and nothing else. */

import { z } from "zod";
import type { ToolDescription } from "../contracts/tool.ts";
import type { AnyTool } from "./tool.ts";

const described = new WeakMap<AnyTool, ToolDescription>();

export function describeTool(tool: AnyTool): ToolDescription {
  let description = described.get(tool);
  if (description === undefined) {
    description = describe(tool);
    described.set(tool, description);
  }
  return description;
}

function describe(tool: AnyTool): ToolDescription {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: z.toJSONSchema(tool.input, { io: "input" }),
    outputSchema: z.toJSONSchema(tool.output, { io: "output" }),
    annotations: {
      readOnlyHint: tool.risk === "observe",
      destructiveHint: tool.risk === "irreversible" || tool.risk === "compensable",
      idempotentHint: tool.idempotent,
      openWorldHint: tool.open_world === true,
    },
    _meta: { risk: tool.risk, family: tool.name.split(".")[0] ?? "", timeout_ms: tool.timeout_ms, undoable: tool.undo !== undefined },
  };
}
