/** Of the ports that the scan tells (security.ts) those that are nobody's fault. */

import type { ServiceState, ServiceStatus } from "../../../contracts/service.ts";
import type { Figure } from "../figure.ts";

/** Somebody stopped it, or it has ended as its definition says: to start it for its port would undo that. */
const meant_not_to_run: ReadonlySet<ServiceState> = new Set(["stopped", "stopping"]);
const owner = / of ([a-z][a-z0-9-]*)$/;

/** @param services as PID 1 knows them */
export function withoutStopped(figures: readonly Figure[], services: readonly Pick<ServiceStatus, "name" | "state">[]): Figure[] {
  const stopped = new Set(services.filter(({ state }) => meant_not_to_run.has(state)).map(({ name }) => name));
  return figures.filter(({ figure, subject }) => figure !== "port.declared_but_closed" || !stopped.has(owner.exec(subject)?.[1] ?? ""));
}
