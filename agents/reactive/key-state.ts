/** What a rule remembers for one key. */

import type { Event } from "../../contracts/event.ts";
import type { Pace } from "../../contracts/rule.ts";
import type { CompiledRule } from "./compile.ts";

/** Times of the last `count` happenings. */
class Recent {
  readonly #pace: Pace;
  readonly #times: number[] = [];

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** How many of them are within the window that ends now. */
  count(now_ms: number): number {
    while (this.#times[0] !== undefined && now_ms - this.#times[0] >= this.#pace.within_ms) this.#times.shift();
    return this.#times.length;
  }

  add(now_ms: number): void {
    if (this.#times.length >= this.#pace.count) this.#times.shift();
    this.#times.push(now_ms);
  }

  clear(): void {
    this.#times.length = 0;
  }
}

export class KeyState {
  #inside = false;
  /** Since the threshold was entered. */
  #acted_inside = false;
  #acted_ms = Number.NEGATIVE_INFINITY;
  #matched: Recent | null = null;
  #carried_out: Recent | null = null;

  /** Takes a matching event into account. @returns whether the rule acts on it */
  due(rule: CompiledRule, event: Event, now_ms: number): boolean {
    if (rule.threshold !== null && !this.#pass(rule.threshold.value(event), rule, now_ms)) return false;
    if (rule.rate !== null && !this.#often(rule.rate, now_ms)) return false;
    return now_ms - this.#acted_ms >= rule.cool_down_ms;
  }

  /** Records that the rule acts. @returns false when its limit is reached and it must not be carried out */
  act(rule: CompiledRule, now_ms: number): boolean {
    this.#acted_inside = true;
    this.#acted_ms = now_ms;
    this.#matched?.clear();
    if (rule.limit === null) return true;
    this.#carried_out ??= new Recent(rule.limit);
    if (this.#carried_out.count(now_ms) >= rule.limit.count) return false;
    this.#carried_out.add(now_ms);
    return true;
  }

  #pass(value: number | null, rule: CompiledRule, now_ms: number): boolean {
    if (value === null || rule.threshold === null) return false;
    const { enter, leave } = rule.threshold;
    const rising = enter > leave;
    if (!this.#inside) {
      this.#inside = rising ? value >= enter : value <= enter;
      this.#acted_inside = false;
    } else if (rising ? value <= leave : value >= leave) this.#inside = false;
    if (!this.#inside) return false;
    return !this.#acted_inside || (rule.again_ms !== null && now_ms - this.#acted_ms >= rule.again_ms);
  }

  #often(rate: Pace, now_ms: number): boolean {
    this.#matched ??= new Recent(rate);
    this.#matched.count(now_ms);
    this.#matched.add(now_ms);
    return this.#matched.count(now_ms) >= rate.count;
  }
}
