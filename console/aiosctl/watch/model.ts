/** What the live view knows: asked for again and again, and added to as events and decisions come. */

import type { z } from "zod";
import type { Metrics as MetricsSchema } from "../../../contracts/console.ts";
import type { Decision } from "../../../contracts/decision.ts";
import type { Event } from "../../../contracts/event.ts";
import type { BootTimeline, SystemStatus } from "../../../contracts/init.ts";
import type { ServiceStatus } from "../../../contracts/service.ts";
import { type Client, UnreachableError } from "../client.ts";

const kept_max = 200;
const retry_ms = 1000;

export interface Model {
  status: SystemStatus | null;
  services: readonly ServiceStatus[];
  boot: BootTimeline | null;
  metrics: z.infer<typeof MetricsSchema> | null;
  events: readonly Event[];
  decisions: readonly Decision[];
  /** Why something is missing or old, for people. */
  trouble: string | null;
}

export function emptyModel(): Model {
  return { status: null, services: [], boot: null, metrics: null, events: [], decisions: [], trouble: "reaching the console …" };
}

/** Keeps `model` fresh until `signal`. Calls `onChange` after each change. */
export function keepFresh(client: Client, model: Model, interval_ms: number, signal: AbortSignal, onChange: () => void): void {
  void repeat(signal, interval_ms, async () => {
    await sample(client, model);
    onChange();
  });
  void repeat(signal, retry_ms, async () => {
    for await (const event of client.stream("events", { query: { follow: "true", lines: "50" }, signal })) {
      model.events = newest(model.events, event);
      onChange();
    }
  });
  void repeat(signal, retry_ms, async () => {
    for await (const decision of client.stream("decisions", { query: { follow: "true", lines: "20" }, signal })) {
      model.decisions = newest(model.decisions, decision);
      onChange();
    }
  });
}

/** One round of questions. Never throws: what went wrong is in `trouble`. */
export async function sample(client: Client, model: Model): Promise<void> {
  const said = (error: unknown): string => {
    if (error instanceof UnreachableError) return "the console does not answer; trying again";
    return error instanceof Error ? error.message : String(error);
  };
  let trouble: string | null = null;
  const ask = async <T>(question: Promise<T>, keep: (answer: T) => void): Promise<void> => {
    try {
      keep(await question);
    } catch (error) {
      trouble = said(error);
    }
  };
  await Promise.all([
    ask(client.call("status"), (answer) => {
      model.status = answer;
    }),
    ask(client.call("services"), (answer) => {
      model.services = answer;
    }),
    bootIsOver(model)
      ? Promise.resolve()
      : ask(client.call("boot"), (answer) => {
          model.boot = answer;
        }),
    ask(client.call("metrics"), (answer) => {
      model.metrics = answer;
    }),
  ]);
  model.trouble = trouble;
}

/** The timeline of this boot is whole: it does not change any more, and is not asked for again until the system restarts. */
function bootIsOver({ boot, status }: Model): boolean {
  return boot?.marks["all-ready"] !== undefined && boot.boot_id === status?.boot_id;
}

/** A later word on something known replaces it in its place. */
function newest<T extends { readonly id: string }>(items: readonly T[], item: T): readonly T[] {
  const at = items.findIndex((one) => one.id === item.id);
  return at < 0 ? [...items, item].slice(-kept_max) : items.with(at, item);
}

async function repeat(signal: AbortSignal, pause_ms: number, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work().catch(() => {});
    await Bun.sleep(pause_ms);
  }
}
