/** What a rule remembers for one key. */

import type { Event } from "../../contracts/event.ts";
import type { Pace } from "../../contracts/rule.ts";
import type { CompiledRule } from "./compile.ts";

/** The last `count` happenings: when, and the ids of their events. */
class Recent {
  readonly #pace: Pace;
  readonly #times: number[] = [];
  readonly #ids: string[] = [];

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** How many of them are within the window that ends now. */
  count(now_ms: number): number {
    while (this.#times[0] !== undefined && now_ms - this.#times[0] >= this.#pace.within_ms) this.#forget();
    return this.#times.length;
  }

  add(now_ms: number, id: string): void {
    if (this.#times.length >= this.#pace.count) this.#forget();
    this.#times.push(now_ms);
    this.#ids.push(id);
  }

  get ids(): readonly string[] {
    return this.#ids;
  }

  clear(): void {
    this.#times.length = 0;
    this.#ids.length = 0;
  }

  #forget(): void {
    this.#times.shift();
    this.#ids.shift();
  }
}

/** Earlier events that a decision names. */
const evidence_max = 32;

export class KeyState {
  #inside = false;
  /** Since the threshold was entered. */
  #acted_inside = false;
  #acted_ms = Number.NEGATIVE_INFINITY;
  #matched: Recent | null = null;
  #carried_out: Recent | null = null;
  /** The event with which the threshold was entered. */
  #entered_by: string | null = null;
  /** What was decided for this key the last time. */
  #decided: string | null = null;

  /** Takes a matching event into account. @returns whether the rule acts on it */
  due(rule: CompiledRule, event: Event, now_ms: number): boolean {
    if (rule.threshold !== null && !this.#pass(event, rule.threshold.value(event), rule, now_ms)) return false;
    if (rule.rate !== null && !this.#often(rule.rate, event, now_ms)) return false;
    return now_ms - this.#acted_ms >= rule.cool_down_ms;
  }

  /** Ids of what an action now rests on, the oldest first, without `event` itself. */
  evidence(event: Event): string[] {
    const ids = [this.#decided, this.#entered_by, ...(this.#matched?.ids.slice(-evidence_max) ?? [])];
    return [...new Set(ids.filter((id) => id !== null && id !== event.id))] as string[];
  }

  /** The decision in which the action is on record. */
  decided(id: string): void {
    this.#decided = id;
  }

  /** Records that the rule acts. @returns false when its limit is reached and it must not be carried out */
  act(rule: CompiledRule, event: Event, now_ms: number): boolean {
    this.#acted_inside = true;
    this.#acted_ms = now_ms;
    this.#matched?.clear();
    if (rule.limit === null) return true;
    this.#carried_out ??= new Recent(rule.limit);
    if (this.#carried_out.count(now_ms) >= rule.limit.count) return false;
    this.#carried_out.add(now_ms, event.id);
    return true;
  }

  #pass(event: Event, value: number | null, rule: CompiledRule, now_ms: number): boolean {
    if (value === null || rule.threshold === null) return false;
    const { enter, leave } = rule.threshold;
    const rising = enter > leave;
    if (!this.#inside) {
      this.#inside = rising ? value >= enter : value <= enter;
      this.#acted_inside = false;
      this.#entered_by = this.#inside ? event.id : null;
    } else if (rising ? value <= leave : value >= leave) this.#inside = false;
    if (!this.#inside) return false;
    return !this.#acted_inside || (rule.again_ms !== null && now_ms - this.#acted_ms >= rule.again_ms);
  }

  #often(rate: Pace, event: Event, now_ms: number): boolean {
    this.#matched ??= new Recent(rate);
    this.#matched.count(now_ms);
    this.#matched.add(now_ms, event.id);
    return this.#matched.count(now_ms) >= rate.count;
  }
}
