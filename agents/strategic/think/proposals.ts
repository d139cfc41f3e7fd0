/**
 * Calls that a model proposes: held against the tools' own schemas, and marked where they rest on text from outside.
 *
 * An argument that repeats a piece of what was heard is marked. Besides, a model that has heard anything from outside may have been
 * talked into something: then its calls are marked as a whole, and the policy "tainted-change" holds what removes something, makes
 * a program run or cannot be taken back for a person who has read it. Left out are calls that do no more than a playbook would try.
 */

import { JsonObject } from "../../../contracts/memory/working/fields.ts";
import type { IncidentAnswer } from "../../../contracts/strategic.ts";
import type { ToolDescription } from "../../../contracts/tool.ts";
import type { ActionCall } from "../../loop/options.ts";
import { callProblem, type Looks, observes } from "./looks.ts";

/** Start anew what is to run, take priority from what takes too much, give back what can be made again. */
export const everyday: readonly string[] = ["service.restart", "service.start", "process.priority", "sys.rotate"];
const whole = "";

type Proposed = IncidentAnswer["options"][number]["calls"][number];

/** What is wrong with them, or null. */
export function problemWith(calls: readonly Pick<Proposed, "tool" | "arguments">[], tools: readonly ToolDescription[]): string | null {
  for (const { tool, arguments: args } of calls) {
    const problem = callProblem(tools, tool, args);
    if (problem !== null) return problem;
  }
  return null;
}

/** Pointers into the arguments of one call. */
export function taintOf(tool: string, args: unknown, tools: readonly ToolDescription[], looks: Looks): string[] {
  const marks = looks.marks(args);
  const known = tools.find(({ name }) => name === tool);
  const spared = everyday.includes(tool) || (known !== undefined && observes(known));
  return looks.heard.size > 0 && !spared ? [whole, ...marks] : marks;
}

export function callsOf(proposed: readonly Proposed[], tools: readonly ToolDescription[], looks: Looks): ActionCall[] {
  return proposed.map(({ tool, arguments: args, may_fail }) => ({
    ...{ tool, arguments: JsonObject.parse(args), may_fail },
    tainted: taintOf(tool, args, tools, looks).slice(0, 64),
  }));
}
