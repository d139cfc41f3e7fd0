/**
 * MCP over the console's own HTTP socket, at `/mcp`. The SDK is loaded when the first client comes: it is most of what a
 * console that nobody asks would else hold in memory.
 *
 * A browser that was lured to a name which leads here is turned away (DNS rebinding): the Host has to be local, and so has
 * the Origin, where there is one.
 */

import { ProblemError, problemResponse } from "../server/problem.ts";
import type { ToolPort } from "./port.ts";

/** Names under which the socket is reached: what `aiosctl` says, and those of the machine at the near end of a tunnel. */
const own_names = ["aios"];
const subscriptions_max = 16;
const keepalive_ms = 15_000;

export interface McpEndpoint {
  fetch(request: Request): Promise<Response>;
}

/** @param body_bytes_max of one message */
export function mcpEndpoint(port: ToolPort, body_bytes_max: number): McpEndpoint {
  let loaded: Promise<(request: Request) => Promise<Response>> | null = null;
  const load = async (): Promise<(request: Request) => Promise<Response>> => {
    const [sdk, { mcpServers }] = await Promise.all([import("@modelcontextprotocol/server"), import("./server.ts")]);
    const { fetch } = sdk.createMcpHandler(mcpServers(port), {
      // a call may take minutes: a stream shows meanwhile that it lives
      responseMode: "sse",
      maxRequestBodySize: body_bytes_max,
      maxSubscriptions: subscriptions_max,
      keepAliveMs: keepalive_ms,
    });
    const hosts = [...sdk.localhostAllowedHostnames(), ...own_names];
    const origins = [...sdk.localhostAllowedOrigins(), ...own_names];
    return async (request) =>
      sdk.hostHeaderValidationResponse(request, hosts) ?? sdk.originValidationResponse(request, origins) ?? (await fetch(request));
  };
  return {
    async fetch(request) {
      try {
        loaded ??= load();
        return await (await loaded)(request);
      } catch (error) {
        loaded = null;
        return problemResponse(
          new ProblemError(500, `answering over MCP failed: ${error instanceof Error ? error.message : String(error)}`),
        );
      }
    },
  };
}
