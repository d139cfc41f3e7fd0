/** The strategic tier's part: a plan for a goal that no cheaper tier knows one for. */

import type { WorkChange } from "../../contracts/memory/working/changes.ts";
import { JsonObject } from "../../contracts/memory/working/fields.ts";
import { Check } from "../../contracts/memory/working/goals.ts";
import type { StepDraft } from "../../contracts/memory/working/plans.ts";
import { JsonSchema } from "../../contracts/model/chat.ts";
import { PlanAnswer, plan_answer_schema } from "../../contracts/strategic.ts";
import type { ToolDescription } from "../../contracts/tool.ts";
import { issuesText } from "../../wire/issues.ts";
import type { Round } from "../loop/run.ts";
import { quoted } from "../prompts/prompts.ts";
import type { Thinker } from "../strategic/think/incidents.ts";
import { type Found, investigate, type Question } from "../strategic/think/investigate.ts";
import { callProblem } from "../strategic/think/looks.ts";
import plan_goal from "../strategic/think/prompts/plan-goal.md" with { type: "text" };
import { problemWith, taintOf } from "../strategic/think/proposals.ts";
import { type Goal, Goals, type HeldGoal, type Way } from "./goals.ts";
import { attempts_max } from "./known.ts";

/** What the operational tier may ask by itself: other checks it could not run. */
const checkable = [
  "service.status",
  "service.list",
  "process.list",
  "net.interfaces",
  "net.connections",
  "fs.stat",
  "fs.usage",
  "sys.info",
  "sys.metrics",
  "pkg.list",
  "pkg.info",
];

/** Of why a plan failed, where more is to be said. */
const failed_chars_max = 300;

export async function planGoal(held: HeldGoal, thinker: Thinker): Promise<void> {
  const { hindrance, models, broker, tools, thresholds } = thinker;
  const last = (await held.plan())?.plan;
  const failed = last?.state === "failed" ? last.reason : null;
  const why_not = hindrance();
  if (why_not !== null) {
    await handDown(held, why_not, failed);
    return;
  }
  const question = goalQuestion(held.item, failed);
  const found = await investigate(question, { models, broker, thresholds, tools: await tools.all() });
  if (found.unasked !== null) {
    await handDown(held, found.unasked, failed);
    return;
  }
  if (found.answer === null) {
    await held.block(`a plan: the strategic tier has none: ${found.said}; resume the goal to have it tried again`);
    return;
  }
  const answer = PlanAnswer.parse(found.answer);
  const cost = `${found.model ?? "a model"}, ${found.tokens} tokens, $${found.usd.toFixed(4)}, ${found.looks.made} looks`;
  if (answer.steps.length === 0)
    await held.block(`a person's decision: it cannot be reached: ${answer.why_none || answer.purpose} (${cost})`);
  else await held.pursue(wayOf(answer, held.item, found), `planned: ${answer.purpose} (${cost})`);
}

/** Nobody can be asked now (no key, offline, budget spent, provider away): the tier below may split it by itself, but not what has failed. */
async function handDown(held: HeldGoal, why: string, failed: string | null): Promise<void> {
  const { id, version } = held.item;
  const handed: WorkChange = { do: "edit", id, version, patch: { waits_for: { call: null, what: why.slice(0, 500) } } };
  if (failed === null) await held.change([handed], `no provider can be asked, it is handed back down: ${why}`.slice(0, 500));
  else
    await held.block(
      `a person's decision: ${failed.slice(0, failed_chars_max)}, and no provider can be asked: ${why}; see to that, then resume the goal`,
    );
}

/** What of a goal the question is made of. */
interface Wanted {
  readonly id: string;
  readonly body: Pick<Goal["body"], "text" | "keep" | "taint">;
}

export function goalQuestion({ id, body }: Wanted, failed: string | null): Question {
  const brief = [
    "The goal, in a person's words:",
    quoted(body.text, 2000),
    ...(failed === null ? [] : ["A plan for it failed (data of the machine):", quoted(failed, 1000)]),
  ].join("\n");
  // why it failed may quote what a service wrote
  const why = failed === null ? [] : [["plan:failed", failed] as const];
  return {
    ...{ system: plan_goal, brief, id, matter: body.text, outside: [...body.taint.map((from) => [from, body.text] as const), ...why] },
    behalf: { why: `planning the goal ${id}`, event: null, trusted: body.taint.length === 0 ? body.text : "" },
    finish: {
      name: "goal.plan",
      description: "The plan, and how it is checked. Ends the work.",
      schema: JsonSchema.parse(plan_answer_schema),
    },
    refuse(given, tools) {
      const read = PlanAnswer.safeParse(given);
      return read.success ? problemOf(read.data, body.keep, tools) : issuesText(read.error);
    },
  };
}

function problemOf({ steps, check, keep }: PlanAnswer, wanted: boolean, tools: readonly ToolDescription[]): string | null {
  const before = new Set<string>();
  for (const { key, needs } of steps) {
    const missing = needs.find((need) => !before.has(need));
    if (missing !== undefined) return `step "${key}" needs "${missing}", which is no step before it`;
    if (before.has(key)) return `two steps are called "${key}"`;
    before.add(key);
  }
  const wrong = problemWith(steps, tools);
  if (wrong !== null || steps.length === 0) return wrong;
  if (check === null) return keep || wanted ? "it is to be kept: it needs a standing check" : null;
  if (!checkable.includes(check.tool)) return `the standing check may be one of: ${checkable.join(", ")}`;
  if (Object.keys(check.expect).length === 0) return "the standing check expects nothing: any answer would do";
  return callProblem(tools, check.tool, check.arguments);
}

function wayOf({ purpose, steps, keep, check }: PlanAnswer, { body }: Goal, { tools, looks }: Found): Way {
  const heard = [...looks.heard].slice(0, 16);
  return {
    ...{ purpose: purpose.replace(/\s+/g, " "), keep: keep || body.keep, taint: heard },
    check: check === null ? null : Check.parse(check),
    steps: steps.map(({ key, title, tool, arguments: args, needs }): StepDraft => {
      const rests = taintOf(tool, args, tools, looks).length > 0;
      return { key, title, tool, arguments: JsonObject.parse(args), needs, attempts_max, taint: rests ? heard : [] };
    }),
  };
}

/** One goal after the other: thinking costs. */
export function planningRound(thinker: Thinker, holder: string, warn: (sentence: string) => void): Round {
  const goals = new Goals(thinker.memory, holder);
  let busy = 0;
  const plan = async (held: HeldGoal): Promise<void> => {
    busy = 1;
    try {
      if (isHandedUp(held.item)) await planGoal(held, thinker);
    } catch (error) {
      warn(`planning the goal "${held.item.id}" was interrupted: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      busy = 0;
      await held.release().catch(() => {}); // it ends by itself
    }
  };
  return {
    get busy() {
      return busy;
    },
    async run() {
      if (busy > 0) return;
      const goal = (await goals.open()).find(isHandedUp);
      const held = goal === undefined ? null : await goals.take(goal);
      if (held !== null) void plan(held);
    },
  };
}

function isHandedUp({ state, changed_by }: Goal): boolean {
  return state === "planning" && changed_by === "tactical";
}
