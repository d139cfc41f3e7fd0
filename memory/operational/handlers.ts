/** Operational memory, as it is asked over the socket. */

import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import type { MetricSample, operational_methods } from "../../contracts/memory/operational.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { codeOf } from "../../wire/database.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { Clock } from "../clock.ts";
import type { Keeper } from "../keeper.ts";
import type { Recent } from "./recent.ts";

/** Of the full events or decisions of one answer, as JSON. */
const full_bytes_max = 150 * 1024;

export function operationalHandlers(keeper: Keeper, recent: Recent, clock: Clock): Handlers<typeof operational_methods> {
  return {
    "metrics.append": async ({ samples }) => {
      for (const sample of samples) recent.takeMetrics(sample);
      return { durable: await keepMetrics(keeper, clock.boot, samples) };
    },
    "recent.events": ({ window, limit, kind, source, service, severity_min, full }) => {
      const wanted = { limit, kind: kind ?? null, source: source ?? null, service: service ?? null, severity_min: severity_min ?? null };
      const events = recent.events(window, wanted);
      const read = (id: string): Event | null => keeper.store.event(id);
      return { events, full: full === true ? keeper.read(() => newestThatFit(events, read)) : [] };
    },
    "recent.decisions": ({ window, limit, full }) => {
      const decisions = recent.decisions(window, limit);
      const read = (id: string): Decision | null => keeper.store.decision(id);
      return { decisions, full: full === true ? keeper.read(() => newestThatFit(decisions, read)) : [] };
    },
    "recent.rate": ({ by, key }) => {
      const total = by === "events" || by === "decisions";
      if (total !== (key === undefined)) {
        throw new RpcError(rpc_error.invalid_params, `counting by "${by}" failed: ${total ? "it has no key" : "its key is missing"}`);
      }
      return recent.rate(key === undefined ? by : `${by}:${key}`);
    },
    "recent.percentiles": ({ name, window, at }) => {
      const found = recent.distribution(name, window, at);
      if (found !== null) return found;
      throw new RpcError(
        rpc_error.not_found,
        `nothing called "${name}" was measured in the last hour; there is: ${listed(recent.measured())}`,
      );
    },
    "recent.top": ({ source, window, limit }) => {
      const found = recent.top(source, window, limit);
      if (found !== null) return found;
      throw new RpcError(rpc_error.not_found, `nothing came from "${source}" in the last hour; there is: ${listed(recent.sources())}`);
    },
    "recent.metric": ({ name, window }) => {
      const points = recent.metric(name, window);
      if (points !== null) return points.map(({ boot_ms, value }): [number, number] => [boot_ms, value]);
      throw new RpcError(rpc_error.not_found, `there is no metric "${name}"; there is: ${listed(recent.measured())}`);
    },
    "recent.summary": ({ window }) => recent.summary(window),
  };
}

/** They are in RAM in any case. @returns whether they are on the disk too */
async function keepMetrics(keeper: Keeper, boot: string, samples: readonly MetricSample[]): Promise<boolean> {
  try {
    await keeper.share(({ recent_log }) => samples.forEach((sample) => void recent_log.putMetrics(boot, sample)));
    return keeper.persistent;
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return false;
  }
}

function newestThatFit<T>(listed: readonly { readonly id: string }[], read: (id: string) => T | null): T[] {
  const found: T[] = [];
  let bytes = 0;
  for (const { id } of listed.toReversed()) {
    const item = read(id);
    if (item === null) continue;
    bytes += JSON.stringify(item).length;
    if (bytes > full_bytes_max) break;
    found.push(item);
  }
  return found.reverse();
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "nothing yet" : names.slice(0, 60).join(", ");
}
