/** Plans that need no model: what reached the goal before, what reached one of the same words, and forms that are known. */

import { GoalPattern } from "../../contracts/goal.ts";
import type { JsonObject } from "../../contracts/memory/working/fields.ts";
import type { StepDraft } from "../../contracts/memory/working/plans.ts";
import { issuesText } from "../../wire/issues.ts";
import type { MemoryPeer } from "../loop/incidents.ts";
import { type Loaded, loadEach } from "../shared/load-data.ts";
import type { Goal, Step, Way } from "./goals.ts";

const looked_at_max = 100;
export const attempts_max = 2;
const place = /\{([a-z_]+)\}/g;

/** Words that differ in nothing but case and blanks are the same goal. */
export function normalised(text: string): string {
  return text.toLowerCase().replace(/\s+/g, " ").trim();
}

/** The newest plan that was carried out to its end, of the goal itself or of one of the same words. */
export async function knownWay(goal: Goal, memory: () => MemoryPeer): Promise<{ way: Way; from: string } | null> {
  const wanted = normalised(goal.body.text);
  const { items } = await memory().call("work.list", { kinds: ["goal"], limit: looked_at_max });
  const alike = items.filter((item): item is Goal => item.kind === "goal" && normalised(item.body.text) === wanted && item.id !== goal.id);
  for (const one of [goal, ...alike]) {
    const way = await reachedBy(one, memory);
    if (way !== null) return { way, from: one.id };
  }
  return null;
}

async function reachedBy({ id, body }: Goal, memory: () => MemoryPeer): Promise<Way | null> {
  const { items } = await memory().call("work.list", { kinds: ["plan"], states: ["done"], parent: id, limit: 1 });
  const [plan] = items;
  if (plan?.kind !== "plan") return null;
  const { parts } = await memory().call("work.get", { id: plan.id });
  const steps = parts.filter((part): part is Step => part.kind === "step").map(draftOf);
  if (steps.length === 0) return null;
  return { purpose: plan.body.purpose, steps, keep: body.keep, check: body.check, taint: plan.body.taint };
}

function draftOf({ body: { key, title, tool, arguments: args, needs, taint } }: Step): StepDraft {
  return { key, title, tool, arguments: args, needs, attempts_max, taint };
}

export function loadPatterns(sources: Readonly<Record<string, unknown>>): Loaded<GoalPattern> {
  return loadEach("pattern of goals", sources, (source) => {
    const parsed = GoalPattern.safeParse(source);
    if (!parsed.success) throw new Error(issuesText(parsed.error));
    new RegExp(parsed.data.text);
    return parsed.data;
  });
}

/** The way of the first pattern that fits the words. */
export function patternWay({ body }: Goal, patterns: readonly GoalPattern[]): { way: Way; from: string } | null {
  for (const { name, does, text, keep, steps, check } of patterns) {
    const found = new RegExp(`^(?:${text})$`).exec(normalised(body.text));
    if (found === null) continue;
    const named = found.groups ?? {};
    const filled = (args: JsonObject): JsonObject => ({ ...args, ...replaced(args, named) });
    const way: Way = {
      purpose: does,
      steps: steps.map((step) => ({ ...step, arguments: filled(step.arguments), attempts_max, taint: body.taint })),
      keep,
      check: { ...check, arguments: filled(check.arguments) },
      taint: body.taint,
    };
    return { way, from: `the pattern ${name}` };
  }
  return null;
}

function replaced(args: JsonObject, named: Readonly<Record<string, string | undefined>>): JsonObject {
  const fill = (text: string): string => text.replace(place, (as_it_was, name: string) => named[name] ?? as_it_was);
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, typeof value === "string" ? fill(value) : value]));
}
