/** The chain behind one event, decision or incident, and behind one goal (contracts/why.ts). */

import type { Decision } from "../contracts/decision.ts";
import type { Event } from "../contracts/event.ts";
import type { Recalled } from "../contracts/memory/record.ts";
import type { WorkItem } from "../contracts/memory/working/items.ts";
import { type Why, type WhyIncident, type WhyMemory, why_chars_max } from "../contracts/why.ts";
import type { Parts } from "./parts.ts";
import { serviceOf } from "./store/store.ts";
import { type Goal, goalOf, servedBy, toldGoal } from "./why-goal.ts";

/** How far around the trigger one looks: wider when only one service's events are meant. */
const around_service_ms = 60_000;
const around_all_ms = 10_000;
const around_each_side = 20;
const incidents_max = 4;
/** States of one incident: the answer has to fit into a frame. */
const steps_max = 48;
const memories_max = 32;

type Incident = Extract<WorkItem, { kind: "incident" }>;
type Held = Pick<Parts, "store" | "longterm" | "working">;

/**
 * For a decision: its trigger, itself first and then what else its trigger led to. For an event: what it led to. For an incident: the
 * oldest of its events that is held. For a goal, a plan or a step of it: the goal, and what was done about its services.
 */
export function whyOf(held: Held, id: string): Why | null {
  const goal = goalOf(held.working.items, id);
  return goal === null ? whyOfEvent(held, id) : whyOfGoal(held, id, goal);
}

function whyOfGoal(held: Held, id: string, goal: Goal): Why {
  const { items } = held.working;
  const incidents = servedBy(items, goal).flatMap((one) => incident(held, one) ?? []);
  const shown = incidents.slice(0, incidents_max);
  const decisions = unique(held.store.decisionsById(shown.flatMap(({ body }) => body.decisions)));
  return {
    ...{ id, goal: toldGoal(items, goal), event: null, decisions, around: [] },
    incidents: shown.map((one) => toldOf(held, one)),
    memories: remembered(
      held,
      decisions.map((one) => one.id),
      shown,
      decisions,
    ),
  };
}

function whyOfEvent(held: Held, id: string): Why | null {
  const { store } = held;
  const decision = store.decision(id);
  const asked = incident(held, id);
  const trigger = decision?.trigger ?? asked?.body.events.map((one) => store.event(one)).find((one) => one !== null) ?? null;
  const event = store.event(trigger?.id ?? id) ?? trigger;
  if (event === null && asked === null) return null;
  const incidents = asked === null ? incidentsOf(held, event, decision) : [asked];
  const decisions = unique([
    ...(decision === null ? [] : [decision]),
    ...(event === null ? [] : store.decisionsOf(event.id)),
    ...store.decisionsById(incidents.flatMap(({ body }) => body.decisions)),
  ]);
  const around = event === null ? [] : store.around(event, serviceOf(event) === null ? around_all_ms : around_service_ms, around_each_side);
  return {
    id,
    goal: null,
    event,
    incidents: incidents.map((one) => toldOf(held, one)),
    memories: remembered(held, [event?.id, ...decisions.map((one) => one.id)], incidents, decisions),
    decisions,
    around,
  };
}

function incident({ working }: Held, id: string): Incident | null {
  const item = working.items.item(id);
  return item?.kind === "incident" ? item : null;
}

/** Newest first. An incident links to the events that caused it, and a decision to the incident that it is part of. */
function incidentsOf(held: Held, event: Event | null, decision: Decision | null): Incident[] {
  const { links } = held.longterm;
  const of_decision = decision === null ? [] : links.named(decision.id, "part-of");
  const of_event = event === null ? [] : links.naming(event.id, "caused-by");
  const found = [...new Set([...of_decision, ...of_event])].flatMap((id) => incident(held, id) ?? []);
  return found.sort((one, other) => other.created_ms - one.created_ms).slice(0, incidents_max);
}

function toldOf({ working, longterm }: Held, { id, state, body }: Incident): WhyIncident {
  const steps = working.items.history(id, undefined, steps_max).reverse();
  const [lesson] = body.lesson === null ? [] : longterm.recall([body.lesson]);
  return {
    ...{ id, state, summary: body.summary, severity: body.severity, calls: body.calls, spent: body.spent },
    steps: steps.map(({ time_ms, who, to, why }) => ({ time_ms, who, to, why })),
    lesson: lesson === undefined ? null : inWords(lesson),
  };
}

/** What counted and is not told anyway. */
function remembered(
  { longterm }: Held,
  told: readonly (string | undefined)[],
  incidents: readonly Incident[],
  decisions: readonly Decision[],
): WhyMemory[] {
  const ids = [...incidents.flatMap(({ body }) => body.memories), ...decisions.flatMap(({ based_on }) => based_on)];
  const others = [...new Set(ids)].filter((id) => !told.includes(id));
  return longterm.recall(others.slice(0, memories_max)).map(inWords);
}

function inWords({ id, kind, time_ms, outcome, text, taint }: Recalled): WhyMemory {
  const short = text.length <= why_chars_max ? text : `${text.slice(0, why_chars_max - 1)}…`;
  return { id, kind, time_ms, outcome, text: short, from_outside: taint.length > 0 };
}

function unique(decisions: readonly Decision[]): Decision[] {
  return [...new Map(decisions.map((one) => [one.id, one])).values()];
}
