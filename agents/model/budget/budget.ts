/** Limits on spending that no request gets past: what it can cost at most has to fit before it is sent. */

import type { ApiBudget, BudgetLimit } from "../../../contracts/model/provider.ts";
import { ChatError } from "../port.ts";
import type { Amount, Entry, Ledger } from "./ledger.ts";

const hour_ms = 3_600_000;
const windows = [
  { name: "hour", ms: hour_ms },
  { name: "day", ms: 24 * hour_ms },
] as const;

export interface Left {
  readonly hour: Amount;
  readonly day: Amount;
  /** The larger share of money and tokens that is used, 0 to 1. */
  readonly used_ratio: { readonly hour: number; readonly day: number };
}

export interface Reservation {
  /** What it came to; once, later ones are ignored. */
  settle(amount: Amount): void;
}

export class Budget {
  readonly #ledger: Ledger;
  readonly #limits: ApiBudget;

  /** After damage to the record nobody knows what was spent: all of a day's budget, as of now. */
  constructor(ledger: Ledger, limits: ApiBudget) {
    this.#ledger = ledger;
    this.#limits = limits;
    if (ledger.damage !== null) ledger.reserve("damaged record", null, limits.day, () => {});
  }

  /**
   * @param most what the request can come to
   * @throws {ChatError} `budget`, with when it fits again
   */
  reserve(what: string, incident: string | null, most: Amount): Reservation {
    const id = this.#write(() => this.#ledger.reserve(what, incident, most, (now_ms) => this.#check(what, incident, most, now_ms)));
    return {
      settle: (amount) => {
        try {
          this.#ledger.settle(id, amount);
        } catch {
          // it stays at its most; whoever spends next is told what is wrong with the file
        }
      },
    };
  }

  left(): Left {
    const now_ms = this.#ledger.now();
    const of = (ms: number, limit: BudgetLimit) => {
      const spent = total(this.#ledger.since(now_ms - ms));
      const left = { usd: Math.max(limit.usd - spent.usd, 0), tokens: Math.max(limit.tokens - spent.tokens, 0) };
      return { left, used_ratio: Math.min(1, Math.max(shareOf(spent.usd, limit.usd), shareOf(spent.tokens, limit.tokens))) };
    };
    const [hour, day] = [of(windows[0].ms, this.#limits.hour), of(windows[1].ms, this.#limits.day)];
    return { hour: hour.left, day: day.left, used_ratio: { hour: hour.used_ratio, day: day.used_ratio } };
  }

  #check(what: string, incident: string | null, most: Amount, now_ms: number): void {
    if (incident !== null) {
      const spent = this.#ledger.ofIncident(incident);
      if (!fits(spent, most, this.#limits.incident))
        throw refused({
          ...{ what, name: "incident", over: `the incident "${incident}"`, spent, most, limit: this.#limits.incident },
          retry_after_ms: null,
        });
    }
    for (const { name, ms } of windows) {
      const entries = this.#ledger.since(now_ms - ms);
      const limit = this.#limits[name];
      if (!fits(total(entries), most, limit))
        throw refused({
          ...{ what, name, over: `the last ${name}`, spent: total(entries), most, limit },
          retry_after_ms: freeInMs(entries, most, limit, now_ms - ms),
        });
    }
  }

  #write<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof ChatError) throw error;
      const cause = error instanceof Error ? error.message : String(error);
      throw new ChatError("budget", `writing down what a request may cost failed: ${cause}; nothing is spent while that is so`);
    }
  }
}

/** What nobody may spend is not used up. */
function shareOf(spent: number, limit: number): number {
  return limit > 0 ? spent / limit : 0;
}

/** Milliseconds until enough has left the window; null: never, it is more than the whole. */
function freeInMs(entries: readonly Entry[], most: Amount, limit: BudgetLimit, window_began_ms: number): number | null {
  if (!fits({ usd: 0, tokens: 0 }, most, limit)) return null;
  let { usd, tokens } = total(entries);
  for (const entry of entries) {
    usd -= entry.usd;
    tokens -= entry.tokens;
    if (fits({ usd, tokens }, most, limit)) return Math.max(entry.at_ms - window_began_ms, 0);
  }
  return null;
}

function fits(spent: Amount, most: Amount, limit: BudgetLimit): boolean {
  return spent.usd + most.usd <= limit.usd && spent.tokens + most.tokens <= limit.tokens;
}

function total(entries: readonly Amount[]): Amount {
  return entries.reduce((sum, { usd, tokens }) => ({ usd: sum.usd + usd, tokens: sum.tokens + tokens }), { usd: 0, tokens: 0 });
}

interface Refused {
  readonly what: string;
  /** Of `ApiBudget`. */
  readonly name: keyof ApiBudget;
  readonly over: string;
  readonly spent: Amount;
  readonly most: Amount;
  readonly limit: BudgetLimit;
  readonly retry_after_ms: number | null;
}

function refused({ what, name, over, spent, most, limit, retry_after_ms }: Refused): ChatError {
  const money = ({ usd, tokens }: Amount): string => `$${usd.toFixed(4)} and ${tokens} tokens`;
  const took = spent.usd === 0 && spent.tokens === 0 ? "" : `, ${over} took ${money(spent)}`;
  const when = retry_after_ms === null ? "when" : `after ${Math.ceil(retry_after_ms / 60_000)} minutes of running, or when`;
  const text = `asking ${what} does not fit the budget: it may take ${money(most)}${took}, and tiers.strategic.budget.${name} is ${money(limit)}; it fits ${when} that is raised`;
  return new ChatError("budget", text, { retry_after_ms });
}
