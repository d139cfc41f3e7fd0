/** What the broker keeps of services, durably: their definitions, and the uid that a name has got, which no other gets ever. */

import { defined_uids } from "../../../../contracts/config.ts";
import type { Context, State } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";
import { Stored } from "./definition.ts";

type Keeps = Pick<Context, "state">;

const services = "service:";
const uids = "uid:";

export function readStored(name: string, { state }: Keeps): Stored | null {
  const found = Stored.safeParse(state.get(services + name));
  return found.success ? found.data : null;
}

export function keepStored(name: string, stored: Stored, { state }: Keeps): void {
  state.put(services + name, stored);
}

export function dropStored(name: string, { state }: Keeps): void {
  state.delete(services + name);
}

export function allStored({ state }: { readonly state: Pick<State, "list"> }): ReadonlyMap<string, Stored> {
  const found = new Map<string, Stored>();
  for (const { key, value } of state.list(services)) {
    const stored = Stored.safeParse(value);
    if (stored.success) found.set(key.slice(services.length), stored.data);
  }
  return found;
}

/** The same name has the same uid for ever: what it left behind is nobody else's. @throws {ToolError} when all are taken */
export function uidOf(name: string, { state }: Keeps): number {
  const known = state.get(uids + name);
  if (typeof known === "number") return known;
  const taken = new Set(state.list(uids).map(({ value }) => value));
  for (let uid = defined_uids.first; uid <= defined_uids.last; uid += 1) {
    if (taken.has(uid)) continue;
    state.put(uids + name, uid);
    return uid;
  }
  throw new ToolError(
    `finding a uid for the service "${name}" failed: all ${taken.size} are taken; use the name of a service that is no more`,
  );
}
