/** The tactical tier's work on goals: a plan that is known, its steps, and repair of what drifted; what is beyond it goes up. */

import type { GoalPattern } from "../../contracts/goal.ts";
import { decidedOf } from "../loop/approval.ts";
import type { BasePorts } from "../loop/ports.ts";
import { strategicAbove } from "../loop/rounds.ts";
import type { Round } from "../loop/run.ts";
import { type CarryPorts, carryOut } from "./carry.ts";
import { type Goal, Goals, type HeldGoal, type Way } from "./goals.ts";
import { knownWay, patternWay } from "./known.ts";
import { Withdrawals } from "./withdrawals.ts";

const at_once_max = 4;
/** What went wrong is left alone for a while. */
const pause_after_error_ms = 10_000;
/** A goal that is repaired more often than this within an hour drifts for a reason that its plan does not remove. */
const repairs_max = 6;
const hour_ms = 3_600_000;
/** The strategic tier may be starting. */
const above_waits_ms = 60_000;

/** Makes a plan of a goal's words without a provider. */
export interface Splitter {
  /** @returns or why there is none */
  split(goal: Goal): Promise<Way | string>;
}

export type GoalPorts = CarryPorts & { readonly patterns: readonly GoalPattern[]; readonly splitter: Splitter };

/** One goal, as far as this tier can bring it. */
export async function pursue(held: HeldGoal, ports: GoalPorts): Promise<void> {
  const { state, changed_by, changed_ms, body } = held.item;
  if (state === "new" || (state === "planning" && changed_by !== "tactical")) await plan(held, ports);
  else if (state === "planning" && Date.now() - changed_ms > above_waits_ms && (await ports.above()) === null)
    await split(held, no_provider, ports);
  else if (state === "drifted") await repair(held, ports);
  else if (state === "blocked" && body.waits_for?.call != null) await approved(held, body.waits_for.call, ports);
  if (held.item.state === "working") await carryOut(held, ports);
}

const no_provider = "there is no tier with a provider (tiers.strategic.providers)";

async function plan(held: HeldGoal, ports: GoalPorts): Promise<void> {
  const going_on = await held.plan();
  if (going_on !== null && !going_on.plan.ended) {
    await held.move("working", "it goes on with the plan that it has");
    return;
  }
  const found = (await knownWay(held.item, ports.memory)) ?? patternWay(held.item, ports.patterns);
  const { item } = held;
  if (found !== null) await held.pursue(found.way, `its plan is known from ${found.from}`);
  else if (item.state === "planning" && item.changed_by === "strategic") await split(held, item.body.waits_for?.what ?? no_provider, ports);
  else if ((await ports.above()) !== null) {
    const why = "no plan is known: the strategic tier is asked";
    if (item.state === "planning") await held.change([{ do: "edit", id: item.id, version: item.version, patch: {} }], why);
    else await held.move("planning", why);
  } else {
    if (item.state !== "planning") await held.move("planning", "a plan is looked for");
    await split(held, no_provider, ports);
  }
}

/** By the model of this machine, for a person to read. @param why_not why nobody above can be asked */
async function split(held: HeldGoal, why_not: string, { splitter }: GoalPorts): Promise<void> {
  const way = await splitter.split(held.item);
  if (typeof way === "string") {
    await held.block(
      `a plan: none is known for goals of these words, and no provider can be asked: ${why_not}; ${way}; see to that, then resume the goal`,
    );
    return;
  }
  const calls = way.steps.map(({ tool, arguments: args }, at) => `${at + 1}. ${tool} ${JSON.stringify(args)}`).join("; ");
  await held.propose(
    way,
    `a person's agreement (goal.show has the whole plan; resume the goal to have it carried out, or cancel it): the model of this machine would call ${calls}`,
  );
}

async function repair(held: HeldGoal, ports: GoalPorts): Promise<void> {
  const lately = (await held.plans(repairs_max + 1)).filter(({ created_ms }) => created_ms > Date.now() - hour_ms);
  const known = await knownWay(held.item, ports.memory);
  if (lately.length > repairs_max) await held.block(`a person's decision: it drifted ${lately.length} times within an hour`);
  else if (known === null) await plan(held, ports);
  else await held.pursue(known.way, "it is repaired by the plan that is known");
}

/** Goes on once somebody has decided, or the time for that is over. */
async function approved(held: HeldGoal, call: string, { broker }: GoalPorts): Promise<void> {
  const decided = await decidedOf(call, broker);
  const what = decided === "unknown" ? "nobody knows of the call" : decided?.status;
  if (decided !== null) await held.move("working", `the approval: ${what}`);
}

export function goalRound({ ask, log, ...base }: BasePorts, patterns: readonly GoalPattern[], splitter: Splitter): Round {
  const ports: GoalPorts = { ...base, patterns, splitter, above: () => strategicAbove(ask) };
  const goals = new Goals(base.memory, `goals-${process.pid}-${Math.round(base.boot_ms())}`);
  const busy = new Set<string>();
  const paused = new Map<string, number>();
  const withdrawals = new Withdrawals({ ...base, log });
  const workOn = async (held: HeldGoal): Promise<void> => {
    const { id } = held.item;
    busy.add(id);
    try {
      await pursue(held, ports);
      paused.delete(id);
    } catch (error) {
      paused.set(id, performance.now() + pause_after_error_ms);
      log.warn(`working on the goal "${id}" was interrupted: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      busy.delete(id);
      await held.release().catch(() => {}); // it ends by itself
    }
  };
  return {
    get busy() {
      return busy.size;
    },
    async run() {
      const open = await goals.open();
      await withdrawals.look(open);
      for (const goal of open) {
        if (!concerns(goal) || busy.has(goal.id) || busy.size >= at_once_max || (paused.get(goal.id) ?? 0) > performance.now()) continue;
        const held = await goals.take(goal);
        if (held !== null) void workOn(held);
      }
    },
  };
}

function concerns({ state, changed_by, changed_ms, body }: Goal): boolean {
  if (state === "planning") return changed_by !== "tactical" || Date.now() - changed_ms > above_waits_ms;
  if (state === "blocked") return body.waits_for?.call != null;
  return state === "new" || state === "drifted" || state === "working";
}
