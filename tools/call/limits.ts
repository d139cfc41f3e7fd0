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

/** Agents come and go; those that have asked for nothing within a day are forgotten. */
const accounts_max = 1000;

interface Charged {
  readonly who: Principal;
  readonly account: Account;
  readonly allowance: Allowance;
}

export class Limits {
  readonly #accounts = new Map<string, Account>();
  readonly #open_by_tool = new Map<string, number>();
  readonly #clock: () => number;

  /** @param clock monotonic, milliseconds */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** What the policies may look at: the most that the caller, or an agent's owner, has used. */
  used(principal: Principal, owner: Principal | null = null): { readonly calls_last_hour: number; readonly cost_today_usd: number } {
    const now = this.#clock();
    const accounts = this.#accountsOf(principal, owner).map(({ account }) => account);
    return {
      calls_last_hour: Math.max(...accounts.map(({ calls }) => calls.sum(now))),
      cost_today_usd: Math.max(...accounts.map(({ costs }) => costs.sum(now))),
    };
  }

  /**
   * What an agent asks for counts for its owner, too: who makes many agents may not ask for more.
   * @returns the release, or why it may not be made now
   */
  take(
    principal: Principal,
    call: { readonly tool: string; readonly concurrency_max: number; readonly changes: boolean; readonly cost_usd: number },
    owner: Principal | null = null,
  ): { readonly release: () => void } | { readonly refusal: string } {
    const now = this.#clock();
    const charged = this.#accountsOf(principal, owner);
    for (const { who, account, allowance } of charged) {
      account.tokens = Math.min(allowance.burst, account.tokens + ((now - account.filled_ms) / 1000) * allowance.rate_per_s);
      account.filled_ms = now;
      const refusal = refusalOf(who, account, allowance, call.changes, now);
      if (refusal !== null) return { refusal };
    }
    const of_tool = this.#open_by_tool.get(call.tool) ?? 0;
    if (of_tool >= call.concurrency_max)
      return { refusal: `calls of ${call.tool} in work: ${of_tool}, the most there may be; wait for their answers` };
    for (const { account } of charged) {
      account.tokens -= 1;
      account.open += 1;
      account.calls.add(now, 1);
      if (call.changes) account.changes.add(now, 1);
      if (call.cost_usd > 0) account.costs.add(now, call.cost_usd);
    }
    this.#open_by_tool.set(call.tool, of_tool + 1);
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        for (const { account } of charged) account.open -= 1;
        this.#open_by_tool.set(call.tool, (this.#open_by_tool.get(call.tool) ?? 1) - 1);
      },
    };
  }

  #accountsOf(principal: Principal, owner: Principal | null): Charged[] {
    return [principal, ...(owner === null ? [] : [owner])].map((who) => ({
      who,
      account: this.#account(who),
      allowance: allowanceOf(who),
    }));
  }

  #forgetIdle(): void {
    const now = this.#clock();
    for (const [who, { open, filled_ms }] of this.#accounts) if (open === 0 && now - filled_ms > day_ms) this.#accounts.delete(who);
  }

  #account(principal: Principal): Account {
    const found = this.#accounts.get(principal);
    if (found !== undefined) return found;
    if (this.#accounts.size >= accounts_max) this.#forgetIdle();
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

function refusalOf(who: Principal, account: Account, allowance: Allowance, changes: boolean, now: number): string | null {
  if (account.tokens < 1)
    return `${who} has made ${allowance.burst} calls at once and may make ${allowance.rate_per_s} a second; wait a second`;
  if (account.open >= allowance.open_max) return `${who} has ${account.open} calls in work, the most it may have; wait for their answers`;
  const changed = account.changes.sum(now);
  if (changes && changed >= allowance.changes_per_h)
    return `${who} has changed the system ${changed} times within an hour, the most it may; a person can go on`;
  return null;
}

function allowanceOf(principal: Principal): Allowance {
  const kind = principal.split(":")[0] ?? "";
  return allowances[principal] ?? allowances[kind] ?? { rate_per_s: 1, burst: 1, open_max: 1, changes_per_h: 1 };
}
