/** What has to be so when a soak is over. */

import { IncidentsAnswer } from "../../contracts/memory/now.ts";
import { core_services } from "../../contracts/service.ts";
import type { Ours } from "../faults/ours/system.ts";
import { waitFor } from "../wait.ts";

export interface Ending {
  readonly what: string;
  readonly holds: boolean;
  readonly detail: string;
}

const calm_limit_ms = 180_000;

/** @param pids of the core services at the beginning, by name */
export async function endings(ours: Ours, pids: ReadonlyMap<string, number | null>): Promise<Ending[]> {
  return [await incidentsEnded(ours), ...(await tiersAlive(ours, pids)), await auditWhole(ours)];
}

/** Solved, parked, or in the hands of a person: none is worked on for ever. */
async function incidentsEnded({ aiosctl }: Ours): Promise<Ending> {
  let open: string[] = [];
  const ended = async (): Promise<boolean> => {
    const { structuredContent } = await aiosctl.done("memory.incidents", { limit: 100 });
    open = IncidentsAnswer.parse(structuredContent).incidents.map(({ id, state, body }) =>
      "key" in body ? `${body.key} is ${state} (${id})` : `${id} is ${state}`,
    );
    return open.length === 0;
  };
  const holds = await waitFor("all incidents to end", ended, { limit_ms: calm_limit_ms, every_ms: 1000 }).catch(() => false);
  return { what: "every incident has ended", holds, detail: open.join("; ") };
}

export async function corePids({ container }: Pick<Ours, "container">): Promise<Map<string, number | null>> {
  const services = await container.console.call("services");
  return new Map(services.filter(({ name }) => core_services.some((core) => core === name)).map(({ name, pid }) => [name, pid]));
}

async function tiersAlive({ container }: Ours, before: ReadonlyMap<string, number | null>): Promise<Ending[]> {
  const services = await container.console.call("services");
  const own = services.filter(({ name }) => before.has(name));
  const dead = own.filter(({ state }) => state !== "ready").map(({ name, state, reason }) => `${name} is ${state}: ${reason}`);
  const anew = own
    .filter(({ name, pid }) => pid !== before.get(name))
    .map(({ name, restarts, reason }) => `${name}, ${restarts} times: ${reason}`);
  return [
    { what: "every tier is ready", holds: dead.length === 0 && own.length === before.size, detail: dead.join("; ") },
    { what: "no tier was started anew", holds: anew.length === 0, detail: anew.join("; ") },
  ];
}

async function auditWhole({ aiosctl }: Ours): Promise<Ending> {
  const { whole, faults } = await aiosctl.verify();
  return {
    what: "the audit chain is whole",
    holds: whole,
    detail: faults
      .map((fault) => JSON.stringify(fault))
      .join("; ")
      .slice(0, 500),
  };
}
