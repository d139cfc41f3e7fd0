/**
 * What was tried on an incident. A playbook is one thing to try, whatever its parameters come to; of what was written for this very
 * incident the same tools with other arguments are another thing: the right file after the wrong one.
 */

import type { Decision } from "../../contracts/decision.ts";
import type { ActionCall, Option } from "./options.ts";

/** @param made decisions of this incident that count as tried @returns rules, and the calls that each of them was */
export function triedBy(made: readonly Decision[]): ReadonlySet<string> {
  return new Set(made.flatMap(({ rule, action }) => [rule, ...(action.do === "call" ? [withCalls(rule, action.calls)] : [])]));
}

export function wasTried(option: Option, tried: ReadonlySet<string>): boolean {
  return tried.has(identityOf(option));
}

/** What tells options of one incident apart. */
export function identityOf({ rule, calls, by_calls }: Pick<Option, "rule" | "calls" | "by_calls">): string {
  return by_calls === true ? withCalls(rule, calls) : rule;
}

function withCalls(rule: string, calls: readonly ActionCall[]): string {
  return `${rule} ${JSON.stringify(calls.map(({ tool, arguments: args }) => [tool, args]))}`;
}
