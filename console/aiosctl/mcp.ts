/** `aiosctl mcp`: MCP over stdio, for clients that start their servers themselves. */

import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { ToolPort } from "../mcp/port.ts";
import { mcpServers } from "../mcp/server.ts";
import type { Context } from "./context.ts";
import { exit } from "./exit.ts";

/** Serves until the client closes its end or we are told to stop. stdout is the protocol's: what is wrong goes to stderr. */
export async function serveMcp({ client, signal }: Context): Promise<number> {
  const port: ToolPort = {
    list: async () => ({ tools: await client.call("tools"), nextCursor: null }),
    call: (name, args, meta) => client.call("call_make", { body: { name, arguments: args, _meta: meta } }),
    waiting: () => client.call("approvals"),
    decide: (id, approve, reason) => client.call("approval_decide", { path: { id }, body: { approve, reason } }),
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  process.stdin.on("end", resolve).on("close", resolve);
  signal.addEventListener("abort", () => resolve());
  const serving = serveStdio(mcpServers(port), { onerror: (error) => process.stderr.write(`aiosctl: mcp: ${error.message}\n`) });
  await promise;
  await serving.close();
  return exit.ok;
}
