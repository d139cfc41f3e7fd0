/** The broker as the MCP server needs it: beside it in the console, over HTTP in `aiosctl mcp`. */

import type { Approval } from "../../contracts/permission.ts";
import type { CallMeta, CallResult, ToolDescription } from "../../contracts/tool.ts";

export interface ToolPort {
  list(cursor: string | null): Promise<{ readonly tools: readonly ToolDescription[]; readonly nextCursor: string | null }>;
  call(name: string, args: Record<string, unknown>, meta: CallMeta): Promise<CallResult>;
  /** The calls that wait. */
  waiting(): Promise<readonly Approval[]>;
  decide(call: string, approve: boolean, reason: string): Promise<CallResult>;
}
