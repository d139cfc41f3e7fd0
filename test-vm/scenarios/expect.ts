/** What scenarios wait for, asked of the console. The console itself may be away for a moment: an error is no answer. */

import type { Decision } from "../../contracts/decision.ts";
import type { Event, EventKind, EventOf } from "../../contracts/event.ts";
import { type CoreService, core_services, type ServiceStatus } from "../../contracts/service.ts";
import type { Console } from "../client.ts";
import { type WaitOptions, waitFor } from "../wait.ts";

const usual: WaitOptions = { limit_ms: 120_000, every_ms: 25 };

export async function serviceStatus(console_: Console, name: string): Promise<ServiceStatus> {
  const found = (await console_.call("services")).find((service) => service.name === name);
  if (found === undefined) throw new Error(`looking for service "${name}" failed: the console does not list it`);
  return found;
}

/** Ready, and not the process that it was before. */
export function readyAgain(console_: Console, name: string, pid_before: number | null, options = usual): Promise<ServiceStatus> {
  const ask = async (): Promise<ServiceStatus | null> => {
    const now = await serviceStatus(console_, name);
    return now.state === "ready" && now.pid !== null && now.pid !== pid_before ? now : null;
  };
  return waitFor(`service "${name}" to be ready again`, ask, options);
}

/** @param names of those that the machine's config leaves */
export function allReady(console_: Console, options = usual, names: readonly CoreService[] = core_services): Promise<ServiceStatus[]> {
  const ask = async (): Promise<ServiceStatus[] | null> => {
    const services = await console_.call("services");
    const ready = (name: CoreService): boolean => services.some((service) => service.name === name && service.state === "ready");
    return names.every(ready) ? services : null;
  };
  return waitFor("all services to be ready", ask, options);
}

export function isKind<K extends EventKind>(event: Event, kind: K): event is EventOf<K> {
  return event.kind === kind;
}

/** An event of that kind that `fits`, once it is held. */
export function eventWhere<K extends EventKind>(
  console_: Console,
  kind: K,
  fits: (event: EventOf<K>) => boolean,
  options = usual,
): Promise<EventOf<K>> {
  const ask = async (): Promise<EventOf<K> | undefined> => {
    const events = await console_.list("events", { query: { kind, lines: "1000" } });
    return events.filter((event) => isKind(event, kind)).findLast(fits);
  };
  return waitFor(`an event "${kind}"`, ask, options);
}

/** A decision that `fits`, once it is held with an outcome. */
export function decisionWhere(console_: Console, what: string, fits: (decision: Decision) => boolean, options = usual): Promise<Decision> {
  const ask = async (): Promise<Decision | undefined> => {
    const decisions = await console_.list("decisions", { query: { lines: "1000" } });
    return decisions.findLast((decision) => decision.outcome.result !== "pending" && fits(decision));
  };
  return waitFor(`a decision ${what}`, ask, options);
}
