/** The chain behind one event or one decision. */

import type { Why } from "../../contracts/decision.ts";
import { type Store, serviceOf } from "./store.ts";

/** How far around the trigger one looks: wider when only one service's events are meant. */
const around_service_ms = 60_000;
const around_all_ms = 10_000;
const around_each_side = 20;

/** For a decision: its trigger, itself first and then what else its trigger led to. For an event: what it led to. */
export function whyOf(store: Store, id: string): Why | null {
  const decision = store.decision(id);
  const event = decision === null ? store.event(id) : (store.event(decision.trigger.id) ?? decision.trigger);
  if (event === null) return null;
  const all = store.decisionsOf(event.id);
  const decisions = decision === null ? all : [decision, ...all.filter((other) => other.id !== decision.id)];
  const around = store.around(event, serviceOf(event) === null ? around_all_ms : around_service_ms, around_each_side);
  return { id, event, decisions, around };
}
