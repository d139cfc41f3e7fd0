/** The most frequent keys of one source in each window: panes of one and of five minutes, each a Space-Saving summary. */

import type { Window } from "../../contracts/memory/operational.ts";
import { merged, type Ranked, SpaceSaving } from "./space-saving.ts";

/** Counters of a pane: the error is at most a thirty-second of what the window saw. */
export const counters = 32;
const minute_ms = 60_000;
const five_minutes_ms = 300_000;

/** Which panes a window is made of: those before the present one, and that. */
const made_of: Readonly<Record<Window, { readonly fine: boolean; readonly before: number }>> = {
  "1m": { fine: true, before: 1 },
  "5m": { fine: true, before: 5 },
  "15m": { fine: false, before: 3 },
  "1h": { fine: false, before: 12 },
};

export interface Top {
  readonly ranked: readonly Ranked[];
  /** All that was seen, and over how long. */
  readonly seen: number;
  readonly covers_ms: number;
}

export class TopKeys {
  readonly #fine = new Panes(minute_ms, made_of["5m"].before + 1);
  readonly #coarse = new Panes(five_minutes_ms, made_of["1h"].before + 1);

  add(key: string, boot_ms: number): void {
    this.#fine.add(key, boot_ms);
    this.#coarse.add(key, boot_ms);
  }

  top(window: Window, limit: number, now_ms: number): Top {
    const { fine, before } = made_of[window];
    const panes = fine ? this.#fine : this.#coarse;
    const summaries = panes.since(now_ms, before);
    return {
      ranked: merged(summaries, limit),
      seen: summaries.reduce((sum, { seen }) => sum + seen, 0),
      covers_ms: panes.covered_ms(now_ms, before),
    };
  }
}

/** Summaries of equal spans of time; the oldest is emptied for the newest. */
class Panes {
  readonly #panes: { span: number; summary: SpaceSaving | null }[];

  constructor(
    readonly span_ms: number,
    held: number,
  ) {
    this.#panes = Array.from({ length: held }, () => ({ span: -1, summary: null }));
  }

  add(key: string, boot_ms: number): void {
    const span = Math.floor(boot_ms / this.span_ms);
    const pane = this.#panes[span % this.#panes.length];
    if (pane === undefined || pane.span > span) return;
    pane.summary ??= new SpaceSaving(counters);
    if (pane.span < span) pane.summary.clear();
    pane.span = span;
    pane.summary.add(key);
  }

  since(now_ms: number, before: number): SpaceSaving[] {
    const now = Math.floor(now_ms / this.span_ms);
    const found: SpaceSaving[] = [];
    for (const { span, summary } of this.#panes) if (summary !== null && span >= now - before && span <= now) found.push(summary);
    return found;
  }

  covered_ms(now_ms: number, before: number): number {
    return now_ms - Math.max(0, (Math.floor(now_ms / this.span_ms) - before) * this.span_ms);
  }
}
