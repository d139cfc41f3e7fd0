/** At the broker's start: PID 1 keeps no file of the services that were defined, so it is told of them again. */

import type { Context } from "../../context.ts";
import type { Restorer } from "../../restore.ts";
import type { Stored } from "./shared/definition.ts";
import { makeServiceFolder } from "./shared/folder.ts";
import { handTo } from "./shared/handed.ts";
import { allStatuses, change, define } from "./shared/pid1.ts";
import { allStored } from "./shared/store.ts";

export const service_restorer: Restorer = {
  name: "services",
  family: "service",
  async restore(context) {
    const stored = allStored(context);
    const known = new Set((await allStatuses(context)).map(({ name }) => name));
    const failures: string[] = [];
    for (const [name, one] of inOrder(stored)) {
      try {
        makeServiceFolder(name, one.uid, context);
        const missing = handed(name, one, context);
        if (missing !== null) failures.push(missing);
        await define(name, one, context);
        // what PID 1 knows already was started or stopped in this boot, by somebody's will
        if (one.enabled && !known.has(name) && missing === null) startAside(name, context);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (failures.length > 0) throw new Error(failures.join("; "));
  },
};

/** @returns why it lacks something that it was to get: then it is not started, for it could not work */
function handed(name: string, stored: Stored, context: Context): string | null {
  try {
    handTo(name, stored, context);
    return null;
  } catch (error) {
    handTo(name, stored, context, "what-opens");
    return `the service "${name}" is not started: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Nobody waits for it: how it goes stands in its status. */
function startAside(name: string, context: Context): void {
  change("start", name, context).catch(() => {});
}

/** Each after those that it comes after; what comes after each other is left for PID 1 to refuse. */
function inOrder(stored: ReadonlyMap<string, Stored>): [name: string, stored: Stored][] {
  const sorted = new Map<string, Stored>();
  const visit = (name: string, path: readonly string[]): void => {
    const one = stored.get(name);
    if (one === undefined || sorted.has(name) || path.includes(name)) return;
    for (const before of one.definition.after) visit(before, [...path, name]);
    sorted.set(name, one);
  };
  for (const name of stored.keys()) visit(name, []);
  return [...sorted];
}
