/** What our system has noticed, decided and done since a moment, as its own records say. */

import { z } from "zod";
import type { Decision } from "../../../contracts/decision.ts";
import type { Event, EventOf } from "../../../contracts/event.ts";
import { LearnedAnswer } from "../../../contracts/learning.ts";
import { WorkItem } from "../../../contracts/memory/working/items.ts";
import type { Console } from "../../client.ts";
import type { Aiosctl } from "../../scenarios/aiosctl.ts";
import type { Fault } from "../fault.ts";
import { of_host } from "./host.ts";

/** A running system, wherever it runs: its records are asked for by the console. */
export interface Watched {
  readonly container: { readonly console: Console };
  readonly aiosctl: Aiosctl;
}

type Incident = Extract<WorkItem, { kind: "incident" }>;
type AlarmEvent = EventOf<"alarm.changed">;

const Incidents = z.looseObject({ incidents: z.array(WorkItem) });

/** Alarms that were raised since then, on the boot clock. */
export async function alarmsSince({ container }: Watched, since_boot_ms: number): Promise<AlarmEvent[]> {
  const events = await container.console.list("events", { query: { kind: "alarm.changed", lines: "1000" } });
  return events.filter(
    (event): event is AlarmEvent =>
      isAlarm(event) && event.facts.raised && event.boot_ms >= since_boot_ms && !of_host.includes(event.facts.alarm),
  );
}

export async function decisionsSince({ container }: Watched, since_boot_ms: number): Promise<Decision[]> {
  const decisions = await container.console.list("decisions", { query: { lines: "1000" } });
  return decisions.filter(
    ({ boot_ms, action, trigger }) =>
      boot_ms >= since_boot_ms && action.do !== "log" && !(isAlarm(trigger) && of_host.includes(trigger.facts.alarm)),
  );
}

function isAlarm(event: Event): event is AlarmEvent {
  return event.kind === "alarm.changed";
}

/** Those of these matters, newest state. */
export async function incidentsOf({ aiosctl }: Watched, alarms: readonly AlarmEvent[]): Promise<Incident[]> {
  const ids = new Set(alarms.map(({ id }) => id));
  const { structuredContent } = await aiosctl.done("memory.incidents", { ended: null, limit: 100 });
  return Incidents.parse(structuredContent).incidents.filter(
    (item): item is Incident => item.kind === "incident" && item.body.events.some((id) => ids.has(id)),
  );
}

/** The moment at which it was noticed, on the boot clock; null: not yet. */
export function noticedAt(
  { noticed }: Pick<Fault, "noticed">,
  alarms: readonly AlarmEvent[],
  decisions: readonly Decision[],
): number | null {
  const subject = noticed.subject ?? "";
  const by_alarm = alarms.filter(({ facts }) => noticed.alarms.includes(facts.alarm) && facts.subject.includes(subject));
  const by_rule = decisions.filter(({ rule }) => noticed.rules?.includes(rule));
  const times = [...by_alarm.map(({ boot_ms }) => boot_ms), ...by_rule.map(({ trigger }) => trigger.boot_ms)];
  return times.length === 0 ? null : Math.min(...times);
}

/** An incident's own account holds what was asked in vain, too, and by whom it was judged. */
export function spentOn(decisions: readonly Decision[], incidents: readonly Incident[]) {
  const made = decisions.filter(({ outcome }) => outcome.result !== "suppressed");
  const asked = made.flatMap((one) => one.asked ?? []);
  return {
    decisions: made.length,
    calls: made.reduce((sum, { action }) => sum + (action.do === "call" ? action.calls.length : 1), 0),
    tokens: incidents.reduce((sum, { body }) => sum + body.spent.tokens, 0),
    model_ms: incidents.reduce((sum, { body }) => sum + body.spent.model_ms, 0),
    usd: asked.reduce((sum, { usd }) => sum + usd, 0),
  };
}

/** What `aiosctl learn` shows of the first of these alarms that it knows. */
export async function learnedOf({ aiosctl }: Watched, alarms: readonly string[]): Promise<{ first: string; last: string } | null> {
  const { structuredContent } = await aiosctl.done("memory.learned", {});
  const known = LearnedAnswer.parse(structuredContent).alarms.find(({ alarm }) => alarms.includes(alarm));
  return known?.first && known.last ? { first: known.first.tier, last: known.last.tier } : null;
}

/** The last one that helped. */
export function helped(decisions: readonly Decision[]): Decision | undefined {
  return [...decisions].sort((a, b) => a.boot_ms - b.boot_ms).findLast(({ outcome }) => outcome.result === "done");
}
