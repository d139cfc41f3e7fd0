/**
 * What the reactive tier does about an alarm by a playbook that became a rule. Its decision is on record before the alarm is (it
 * writes decisions first), so whoever decides about the alarm sees it: the incident waits until that try has ended, and goes on where
 * it left off. Nobody waits for ever: a reactive tier that was killed meanwhile never says how its try ended.
 */

import type { Decision } from "../../contracts/decision.ts";
import { matterOf } from "../shared/standing.ts";
import type { Held } from "./incidents.ts";
import type { LoopPorts } from "./ports.ts";

const look_every_ms = 250;
const usual_watch_ms = 60_000;
/** For its calls, besides the time that they have to help. */
const calls_ms = 120_000;
/** That the alarm was cleared is told to each tier on its own way. */
const told_within_ms = 5_000;

/** @returns its try that this incident has not seen yet, or null: what it does about another alarm of a storm says nothing of this one */
export function tryBelow(past: readonly Decision[], { item: { body } }: Held): Decision | null {
  const of_this = ({ id, tier, trigger, rule }: Decision): boolean =>
    tier === "reactive" &&
    trigger.kind === "alarm.changed" &&
    matterOf(trigger) === body.key &&
    body.events.includes(trigger.id) &&
    rule.startsWith("playbook ") &&
    !body.decisions.includes(id);
  return past.findLast(of_this) ?? null;
}

export async function leaveToBelow(held: Held, { id, rule }: Decision): Promise<void> {
  const decisions = [...held.item.body.decisions, id].slice(-32);
  await held.move("watching", `the reactive tier tries ${rule} (${id})`, { decisions });
}

/** Until its try has ended. */
export async function watchBelow(held: Held, decision: Decision, ports: LoopPorts): Promise<void> {
  const watch_ms = decision.action.do === "call" ? (decision.action.watch_ms ?? usual_watch_ms) : usual_watch_ms;
  const until_ms = decision.boot_ms + watch_ms + calls_ms;
  for (let now = decision; ; ) {
    const { result, detail } = now.outcome;
    if (result === "done") {
      const stands = await stillStands(held, ports);
      if (stands)
        await held.move("deciding", `the reactive tier tried ${decision.rule}, which helped for a moment: the alarm stands again`);
      else await held.move("learning", `the reactive tier has solved it by ${decision.rule}`);
      return;
    }
    // of another boot nobody is left who would say it, and its clock is not this one
    const late = result === "pending" && (!ports.standing.isOfThisBoot(decision.id) || ports.boot_ms() >= until_ms);
    if (late && ports.standing.get(held.item.body.key) === null) {
      await held.move("learning", `the alarm is cleared; the reactive tier did not say how its try of ${decision.rule} ended`);
      return;
    }
    if (result !== "pending" || late) {
      const why = late ? "it did not say in time how that ended" : `${result}: ${detail}`;
      await held.move("deciding", `the reactive tier tried ${decision.rule}: ${why}`.slice(0, 500));
      return;
    }
    await ports.wait(look_every_ms);
    now = (await ports.memory().call("decisions.get", { ids: [decision.id] }))[0] ?? now;
  }
}

async function stillStands({ item }: Held, { standing, wait }: LoopPorts): Promise<boolean> {
  for (let left_ms = told_within_ms; standing.get(item.body.key) !== null; left_ms -= look_every_ms) {
    if (left_ms <= 0) return true;
    await wait(look_every_ms);
  }
  return false;
}
