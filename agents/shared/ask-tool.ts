/** A tool that a tier asks for its own purposes, not for an incident: it mostly only looks. */

import type { broker_methods } from "../../contracts/broker.ts";
import { type AnsweringTool, type ToolAnswer, tool_answers } from "../../contracts/tool-answers.ts";
import type { Peer } from "../../wire/peer.ts";

export type BrokerPeer = Peer<Record<never, never>, Record<never, never>, typeof broker_methods, Record<never, never>>;

export type AskTool = <T extends AnsweringTool>(tool: T, args: Readonly<Record<string, unknown>>, why: string) => Promise<ToolAnswer<T>>;

/** Longest that an answer is waited for, milliseconds. */
const limit_ms = 120_000;

/** @param peer the broker, or null while it is away @returns asks; throws when it is away, says no, or answers something else */
export function toolAsker(peer: () => BrokerPeer | null): AskTool {
  return async <T extends AnsweringTool>(tool: T, args: Readonly<Record<string, unknown>>, why: string) => {
    const broker = peer();
    if (broker === null) throw new Error(`asking ${tool} failed: the broker is away`);
    const result = await broker.call("tools/call", { name: tool, arguments: args, _meta: { reason: { text: why } } }, limit_ms);
    const { status, text } = result._meta;
    if (status !== "done") throw new Error(`asking ${tool} failed: ${status === "failed" ? "" : `${status}: `}${text}`);
    return tool_answers[tool].parse(result.structuredContent) as ToolAnswer<T>;
  };
}
