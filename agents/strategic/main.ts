/** The strategic tier's process: it has the models behind APIs and their budget, thinks with them, and says how they are. */

import { readFileSync } from "node:fs";
import type { StrategicSettings } from "../../contracts/model/provider.ts";
import { data_dir, run_dir, secrets_inside } from "../../contracts/paths.ts";
import type { Health } from "../../contracts/service.ts";
import { openBootClock } from "../../wire/boot-clock.ts";
import { createLog } from "../../wire/log.ts";
import { startService } from "../../wire/service.ts";
import { planningRound } from "../goals/planning.ts";
import type { BasePorts } from "../loop/ports.ts";
import { incidentRound } from "../loop/rounds.ts";
import { type Loop, runLoop } from "../loop/run.ts";
import { Budget } from "../model/budget/budget.ts";
import { keepTime, Ledger } from "../model/budget/ledger.ts";
import { ChatError } from "../model/port.ts";
import { loadThresholds } from "../router/thresholds.ts";
import { type Neighbours, watchNeighbours } from "../shared/neighbours.ts";
import { Models, type ModelsState, no_key } from "./models.ts";
import { type Thinker, thinkingSource } from "./think/incidents.ts";
import { ToolBox } from "./think/looks.ts";
import { reviewRound } from "./think/reviews.ts";

export interface StrategicOptions {
  readonly run: string;
  /** Its own, on the data partition. */
  readonly folder: string;
  readonly secrets: string;
}

/** Milliseconds between looks at the vault's keys; and between notes of the time that has passed. */
const look_interval_ms = 5000;
const tick_interval_ms = 300_000;
const offline = "offline: no network interface has an address";

export async function main(): Promise<void> {
  await runStrategic({ run: run_dir, folder: `${data_dir}/strategic`, secrets: secrets_inside });
}

export async function runStrategic({ run, folder, secrets }: StrategicOptions): Promise<void> {
  const log = createLog();
  const neighbours = watchNeighbours(run, "strategic");
  let models: Models | null = null;
  let ledger: Ledger | null = null;
  let state: ModelsState | null = null;
  let loop: Loop | null = null;
  const service = await startService({
    name: "strategic",
    run,
    health: () => strategicHealth(state, ledger?.persistent ?? true, neighbours(), loop),
    onStop: () => keepTime(ledger, log.warn),
  });
  const settings: StrategicSettings = await service.init.call("config.strategic", {});
  const clock = openBootClock();
  if (settings.config.providers.length > 0) {
    const opened = openLedger(folder, clock, log.error);
    ledger = opened;
    models = new Models({
      settings,
      budget: opened === null ? null : new Budget(opened, settings.config.budget),
      secrets,
      clock,
      warn: log.warn,
    });
    await models.start();
    state = models.state();
    const refresh = async (): Promise<void> => {
      try {
        await models?.refresh();
        state = models?.state() ?? null;
      } catch (error) {
        log.warn(`looking at the providers failed: ${error instanceof Error ? error.message : String(error)}; it is tried again`);
      }
    };
    setInterval(() => void refresh(), look_interval_ms);
    setInterval(() => keepTime(ledger, log.warn), tick_interval_ms);
  }
  loop = await runLoop({
    tier: "strategic",
    run,
    log,
    init: service.init,
    rounds(ports) {
      const thinker = thinkerOf(models, ports);
      const incidents = incidentRound(ports, { tier: "strategic", sources: [thinkingSource(thinker)] });
      const planning = planningRound(thinker, `plans-${process.pid}-${Math.round(ports.boot_ms())}`, (sentence) => log.warn(sentence));
      return [incidents, planning, reviewRound(thinker, (sentence) => log.warn(sentence))];
    },
  });
  service.ready(words(state));
}

/** Without a provider it says so, and gives back what was passed up. */
function thinkerOf(models: Models | null, { broker, memory, standing }: BasePorts): Thinker {
  return {
    models: models ?? { chat: () => Promise.reject(new ChatError("absent", `asking a model failed: ${no_key}`)) },
    name: () => models?.state().model ?? "strategic",
    hindrance() {
      const state = models?.state() ?? null;
      if (state === null || state.usable === 0) return no_key;
      return state.offline ? offline : null;
    },
    ...{ broker, memory, standing, tools: new ToolBox(broker), thresholds: loadThresholds() },
  };
}

function openLedger(folder: string, clock: () => number, error: (text: string) => void): Ledger | null {
  try {
    const ledger = new Ledger(folder, { id: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(), clock });
    if (ledger.damage !== null) error(`the record of spending was damaged: ${ledger.damage}; a day's budget counts as spent`);
    return ledger;
  } catch (cause) {
    error(cause instanceof Error ? cause.message : String(cause));
    return null;
  }
}

/** To have no key is how a system without one is built, and no fault; to have a provider in the config without its key is one. */
export function strategicHealth(
  state: ModelsState | null,
  persistent: boolean,
  neighbours: Neighbours,
  loop: Loop | null = null,
): Omit<Health, "resources"> {
  const { broker, memory, tools, memory_events } = neighbours;
  const away = [broker === "away" ? "broker is away" : "", memory === "away" ? "memory is away" : ""].filter((text) => text !== "");
  const faults = [
    ...away,
    ...(away.length > 0 || loop?.hindered == null ? [] : [`the loop: ${loop.hindered}`]),
    ...(state?.problems ?? []),
    ...(state?.breaker === "open" ? [`${state.provider} fails and is left alone for a while`] : []),
  ];
  const kept = state === null || persistent ? [] : ["what is spent is forgotten at power-off"];
  const detail = [...faults, words(state), ...kept].filter((text, at, all) => all.indexOf(text) === at);
  return {
    status: faults.length === 0 ? "ok" : "degraded",
    detail: detail.join("; ").slice(0, 500),
    facts: { incidents: loop?.busy ?? 0, tools: tools ?? 0, memory_events: memory_events ?? 0, broker, memory, ...factsOf(state) },
  };
}

function factsOf(state: ModelsState | null): Health["facts"] {
  if (state === null) return { model: "none" };
  const { provider, model, breaker, failing, usable, configured, offline, left } = state;
  return {
    provider: provider ?? "none",
    model: model ?? "none",
    breaker: breaker ?? "none",
    providers_failing: failing,
    providers_usable: usable,
    providers: configured,
    offline,
    budget_hour_usd: rounded(left?.hour.usd),
    budget_day_usd: rounded(left?.day.usd),
    budget_hour_tokens: left?.hour.tokens ?? 0,
    budget_day_tokens: left?.day.tokens ?? 0,
    ...(left === null
      ? {}
      : { budget_hour_used_ratio: rounded(left.used_ratio.hour), budget_day_used_ratio: rounded(left.used_ratio.day) }),
  };
}

function words(state: ModelsState | null): string {
  if (state === null || state.usable === 0) return no_key;
  const others = state.usable > 1 ? ` and ${state.usable - 1} more` : "";
  const money = `$${rounded(state.left?.hour.usd)} left this hour, $${rounded(state.left?.day.usd)} this day`;
  return `${state.provider} ${state.model}${others}${state.offline ? `, ${offline}` : ""}; ${money}`;
}

function rounded(usd = 0): number {
  return Math.floor(usd * 10_000) / 10_000;
}
