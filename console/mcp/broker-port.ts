/** The broker's socket as the MCP server uses it. */

import { asked, call_ms_max, changed, operator } from "../broker-routes.ts";
import type { BrokerLink } from "../sources/broker.ts";
import type { ToolPort } from "./port.ts";

export function brokerToolPort(link: () => BrokerLink | null): ToolPort {
  const person = operator;
  return {
    list: (cursor) => asked(link(), (port) => port.call("tools/list", { cursor })),
    call: (name, args, meta) =>
      changed(link(), (port) => port.call("tools/call", { name, arguments: args, _meta: meta, person }, call_ms_max)),
    waiting: async () => (await asked(link(), (port) => port.call("approvals/list", { person }))).approvals,
    decide: (call, approve, reason) =>
      changed(link(), (port) => port.call("approvals/decide", { call, approve, reason, person }, call_ms_max)),
  };
}
