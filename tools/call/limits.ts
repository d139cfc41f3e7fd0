/** How much each principal may ask for: a rate with a burst, calls at once, changes an hour. Beyond it a call is refused at once. */

import type { Principal } from "../../contracts/tool.ts";

interface Allowance {
  /** Calls a second that are refilled, and how many may come at once. */
  readonly rate_per_s: number;
  readonly burst: number;
  /** Calls in work at once. */
  readonly open_max: number;
  /** Calls that change something, an hour. */
  readonly changes_per_h: number;
}

/** A rule reacts in microseconds and may have many events at once; a model never has more than a few calls to make. */
const allowances: Readonly<Record<string, Allowance>> = {
  "tier:reactive": { rate_per_s: 50, burst: 200, open_max: 32, changes_per_h: 600 },
  tier: { rate_per_s: 20, burst: 100, open_max: 16, changes_per_h: 600 },
  agent: { rate_per_s: 10, burst: 50, open_max: 8, changes_per_h: 300 },
  person: { rate_per_s: 500, burst: 2000, open_max: 64, changes_per_h: 100_000 },
  system: { rate_per_s: 100, burst: 1000, open_max: 64, changes_per_h: 100_000 },
};

const hour_ms = 3_600_000;
const day_ms = 24 * hour_ms;

/** A sum over what was added within the last `span_ms`; oldest first, forgotten from the front. */
class Window {
  readonly #span_ms: number;
  #items: { readonly at_ms: number; readonly value: number }[] = [];
  #first = 0;
  #sum = 0;

  constructor(span_ms: number) {
    this.#span_ms = span_ms;
  }

  add(at_ms: number, value: number): void {
    this.#items.push({ at_ms, value });
    this.#sum += value;
  }

  sum(now_ms: number): number {
    for (let item = this.#items[this.#first]; item !== undefined && now_ms - item.at_ms >= this.#span_ms; item = this.#items[this.#first]) {
      this.#sum -= item.value;
      this.#first += 1;
    }
    if (this.#first > 1000) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return this.#first === this.#items.length ? 0 : this.#sum;
  }
}

interface Account {
  tokens: number;
  filled_ms: number;
  open: number;
  readonly changes: Window;
  readonly calls: Window;
  readonly costs: Window;
}

export class Limits {
  readonly #accounts = new Map<string, Account>();
  readonly #open_by_tool = new Map<string, number>();
  readonly #clock: () => number;

  /** @param clock monotonic, milliseconds */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** What the policies may look at. */
  used(principal: Principal): { readonly calls_last_hour: number; readonly cost_today_usd: number } {
    const account = this.#account(principal);
    const now = this.#clock();
    return { calls_last_hour: account.calls.sum(now), cost_today_usd: account.costs.sum(now) };
  }

  /** @returns the release, or why it may not be made now */
  take(
    principal: Principal,
    call: { readonly tool: string; readonly concurrency_max: number; readonly changes: boolean; readonly cost_usd: number },
  ): { readonly release: () => void } | { readonly refusal: string } {
    const account = this.#account(principal);
    const allowance = allowanceOf(principal);
    const now = this.#clock();
    account.tokens = Math.min(allowance.burst, account.tokens + ((now - account.filled_ms) / 1000) * allowance.rate_per_s);
    account.filled_ms = now;
    if (account.tokens < 1)
      return {
        refusal: `${principal} has made ${allowance.burst} calls at once and may make ${allowance.rate_per_s} a second; wait a second`,
      };
    if (account.open >= allowance.open_max)
      return { refusal: `${principal} has ${account.open} calls in work, the most it may have; wait for their answers` };
    const of_tool = this.#open_by_tool.get(call.tool) ?? 0;
    if (of_tool >= call.concurrency_max)
      return { refusal: `${of_tool} calls of ${call.tool} are in work, the most there may be; wait for their answers` };
    if (call.changes && account.changes.sum(now) >= allowance.changes_per_h)
      return {
        refusal: `${principal} has changed the system ${account.changes.sum(now)} times within an hour, the most it may; a person can go on`,
      };
    account.tokens -= 1;
    account.open += 1;
    account.calls.add(now, 1);
    if (call.changes) account.changes.add(now, 1);
    if (call.cost_usd > 0) account.costs.add(now, call.cost_usd);
    this.#open_by_tool.set(call.tool, of_tool + 1);
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        account.open -= 1;
        this.#open_by_tool.set(call.tool, (this.#open_by_tool.get(call.tool) ?? 1) - 1);
      },
    };
  }

  #account(principal: Principal): Account {
    const found = this.#accounts.get(principal);
    if (found !== undefined) return found;
    const made: Account = {
      tokens: allowanceOf(principal).burst,
      filled_ms: this.#clock(),
      open: 0,
      changes: new Window(hour_ms),
      calls: new Window(hour_ms),
      costs: new Window(day_ms),
    };
    this.#accounts.set(principal, made);
    return made;
  }
}

function allowanceOf(principal: Principal): Allowance {
  const kind = principal.split(":")[0] ?? "";
  return allowances[principal] ?? allowances[kind] ?? { rate_per_s: 1, burst: 1, open_max: 1, changes_per_h: 1 };
}
