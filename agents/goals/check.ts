/** One look whether a goal is so: a call that only reads, and what its answer has to hold. */

import { isDeepStrictEqual } from "node:util";
import type { BrokerPeer } from "../shared/ask-tool.ts";
import type { Goal } from "./goals.ts";

const answer_limit_ms = 60_000;
const shown_chars_max = 200;

/** @returns in words what is not so, or null. @throws when it cannot be looked at: the broker is away, or does not let us */
export async function notSo({ id, body }: Goal, broker: () => BrokerPeer): Promise<string | null> {
  const { check } = body;
  if (check === null) return null;
  const reason = { text: `the standing check of the goal ${id}` };
  const answer = await broker().call("tools/call", { name: check.tool, arguments: check.arguments, _meta: { reason } }, answer_limit_ms);
  const { status, text } = answer._meta;
  if (status === "refused" || status === "limited" || status === "waiting")
    throw new Error(`checking the goal "${id}" by ${check.tool} failed: ${status}: ${text}`);
  if (answer.structuredContent === null) return `${check.tool}: ${text}`.slice(0, shown_chars_max);
  return differs(answer.structuredContent, check.expect);
}

/** The first member that is not as expected, in words, or null. */
export function differs(answer: Readonly<Record<string, unknown>>, expect: Readonly<Record<string, unknown>>): string | null {
  for (const [name, wanted] of Object.entries(expect)) {
    const found = answer[name];
    if (isDeepStrictEqual(found, wanted)) continue;
    const both = isRecord(found) && isRecord(wanted) ? differs(found, wanted) : undefined;
    if (both === null) continue;
    const shown = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, shown_chars_max);
    return both === undefined ? `${name} is ${shown(found)}, not ${shown(wanted)}` : `${name}: ${both}`;
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
