/** Plans that need no model: what reached the goal before, what reached one of the same words, and forms that are known. */

import { GoalPattern } from "../../contracts/goal.ts";
import type { JsonObject } from "../../contracts/memory/working/fields.ts";
import type { StepDraft } from "../../contracts/memory/working/plans.ts";
import { issuesText } from "../../wire/issues.ts";
import type { MemoryPeer } from "../loop/incidents.ts";
import { demandKnownPlaces, filledArguments } from "../shared/fill.ts";
import { type Loaded, loadEach } from "../shared/load-data.ts";
import { type Goal, type Step, stepsOf, type Way } from "./goals.ts";

const looked_at_max = 100;
export const attempts_max = 2;

/** Words that differ in nothing but case and blanks are the same goal. */
export function normalised(text: string): string {
  return singleBlanks(text).toLowerCase();
}

function singleBlanks(text: string): string {
  return text.replace(/\s+/g, " ").trim();
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
  const steps = (await stepsOf(plan.id, memory)).map(draftOf);
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
    const { text, steps, check, examples } = parsed.data;
    demandKnownPlaces(
      [...steps, check].map((call) => call.arguments),
      text,
    );
    for (const words of examples.fits) if (groupsIn(parsed.data, words) === null) throw new Error(`it has to fit "${words}", and does not`);
    for (const words of examples.does_not)
      if (groupsIn(parsed.data, words) !== null) throw new Error(`it must not fit "${words}", and does`);
    return parsed.data;
  });
}

/** What the pattern's groups found in the words, as they were written; null when it does not fit. */
function groupsIn({ text }: Pick<GoalPattern, "text">, words: string): ReadonlyMap<string, string> | null {
  const found = new RegExp(`^(?:${text})$`, "i").exec(singleBlanks(words));
  return found === null ? null : new Map(Object.entries(found.groups ?? {}).filter(([, value]) => value !== undefined));
}

/** Of a goal, what its words are and where they come from. */
interface Worded {
  readonly body: Pick<Goal["body"], "text" | "taint">;
}

/** The way of the first pattern that fits the words. */
export function patternWay({ body }: Worded, patterns: readonly GoalPattern[]): { way: Way; from: string } | null {
  for (const pattern of patterns) {
    const { name, does, keep, steps, check } = pattern;
    const named = groupsIn(pattern, body.text);
    if (named === null) continue;
    const filled = (args: JsonObject): JsonObject => filledArguments(args, named);
    const way: Way = {
      purpose: does,
      steps: steps.map((step) => ({ ...step, arguments: filled(step.arguments), attempts_max, taint: body.taint })),
      keep,
      check: { ...check, arguments: filled(check.arguments), expect: filled(check.expect) },
      taint: body.taint,
    };
    return { way, from: `the pattern ${name}` };
  }
  return null;
}
