/**
 * The rule engine: events in, what to do out. It has no clock and does no input or output: the time is given.
 *
 * A rule acts on an event when, in this order: its condition holds; its threshold is entered (or still held and
 * `again_ms` has passed); enough events matched within `rate`; `cool_down_ms` has passed since it last acted. Beyond
 * `limit` the match is handed out as suppressed: recorded, not carried out. State is kept for each value of `key`.
 *
 *   threshold   outside ──value passes enter──▶ inside (acts once) ──value passes leave──▶ outside
 */

import type { Action } from "../../contracts/decision.ts";
import type { Event, EventKind } from "../../contracts/event.ts";
import type { CompiledRule } from "./compile.ts";
import { KeyState } from "./key-state.ts";

export interface Match {
  readonly rule: CompiledRule;
  readonly action: Action;
  readonly reason: string;
  /** Why it is not carried out, or null. */
  readonly suppressed: string | null;
  /** What it rests on besides the event. */
  readonly based_on: readonly string[];
  /** Of its key: to be told of the decision. */
  readonly state: KeyState;
}

/** Keys of which state is kept, for each rule; the oldest is forgotten first. */
const keys_max = 1024;
const nothing: readonly Match[] = [];

interface Held {
  readonly rule: CompiledRule;
  readonly states: Map<string, KeyState>;
}

export class Engine {
  readonly #by_kind = new Map<EventKind, Held[]>();

  constructor(rules: readonly CompiledRule[]) {
    for (const rule of rules) {
      const held = { rule, states: new Map<string, KeyState>() };
      for (const kind of rule.on) {
        const list = this.#by_kind.get(kind);
        if (list === undefined) this.#by_kind.set(kind, [held]);
        else list.push(held);
      }
    }
  }

  /** @param now_ms a clock that does not step */
  take(event: Event, now_ms: number): readonly Match[] {
    const list = this.#by_kind.get(event.kind);
    if (list === undefined) return nothing;
    let matches: Match[] | null = null;
    for (const held of list) {
      const match = takeRule(held, event, now_ms);
      if (match === null) continue;
      matches ??= [];
      matches.push(match);
    }
    return matches ?? nothing;
  }
}

function takeRule(held: Held, event: Event, now_ms: number): Match | null {
  const { rule } = held;
  if (!rule.test(event)) return null;
  const state = stateOf(held, rule.key(event));
  if (!state.due(rule, event, now_ms)) return null;
  const action = rule.action(event);
  if (action === null) return null;
  const based_on = state.evidence(event);
  const allowed = state.act(rule, event, now_ms);
  const suppressed = allowed || rule.limit === null ? null : `more than ${rule.limit.count} in ${rule.limit.within_ms / 1000} s`;
  return { rule, action, reason: rule.reason(event), suppressed, based_on, state };
}

function stateOf({ states }: Held, key: string): KeyState {
  const known = states.get(key);
  if (known !== undefined) return known;
  if (states.size >= keys_max) forgetOldest(states);
  const state = new KeyState();
  states.set(key, state);
  return state;
}

function forgetOldest(states: Map<string, KeyState>): void {
  for (const oldest of states.keys()) {
    states.delete(oldest);
    return;
  }
}
