/** The before-image of whatever changes a service: its definition and whether it runs; and the way back to that. */

import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { ServiceName } from "../../../../contracts/service.ts";
import type { Context } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";
import { Stored } from "./definition.ts";
import { handTo, withdrawFrom } from "./handed.ts";
import { change, define, isCore, isWanted, remove, statusOf } from "./pid1.ts";
import { dropStored, keepStored, readStored } from "./store.ts";

export const Before = z.strictObject({
  name: ServiceName,
  /** As it was defined; null: not by us. */
  stored: Stored.nullable(),
  /** PID 1 had it, so without a definition of ours it was the system's or the machine config's. */
  known: z.boolean(),
  running: z.boolean(),
});
export type Before = z.infer<typeof Before>;

export async function lookBefore(name: string, context: Context): Promise<Before> {
  const status = await statusOf(name, context);
  return { name, stored: readStored(name, context), known: status !== null, running: isWanted(status) };
}

/** Done twice is done once; whatever half of the change was done. */
export async function bringBack({ name, stored, known, running }: Before, context: Context): Promise<void> {
  if (stored === null && !known) {
    await remove(name, context);
    withdrawFrom(name, context);
    dropStored(name, context);
    return;
  }
  if (stored === null) {
    await bringRunning(name, running, false, context);
    return;
  }
  const changed = !isDeepStrictEqual(readStored(name, context)?.definition, stored.definition);
  handTo(name, stored, context, "what-opens"); // what was deleted since is for the service to miss
  await define(name, stored, context);
  await bringRunning(name, running, changed, context);
  keepStored(name, stored, context); // last: cut off before, the next undo still sees that what runs is another
}

/** @param anew what runs has another definition */
async function bringRunning(name: string, running: boolean, anew: boolean, context: Context): Promise<void> {
  const is = isWanted(await statusOf(name, context));
  if (!running && is) await change("stop", name, context);
  else if (running && (!is || anew)) await change(is ? "restart" : "start", name, context);
}

/** @throws {ToolError} unless all is as it was */
export async function verifyBefore({ name, stored, known, running }: Before, context: Context): Promise<void> {
  const status = await statusOf(name, context);
  const about = `verifying the service "${name}" failed`;
  if (!isDeepStrictEqual(readStored(name, context), stored)) throw new ToolError(`${about}: its definition is not what it was`);
  if ((stored !== null || known) !== (status !== null))
    throw new ToolError(`${about}: PID 1 ${status === null ? "does not have it" : "still has it"}`);
  if (isWanted(status) !== running)
    throw new ToolError(`${about}: it ${running ? "does not run" : "runs"} (${status?.reason ?? "unknown"})`);
}

/** @throws {ToolError} unless the broker defined it */
export function demandStored(about: string, name: string, context: Context): Stored {
  const stored = readStored(name, context);
  if (stored !== null) return stored;
  const cause = isCore(name)
    ? "it is one of the system's own, which the machine config switches on and off"
    : "no such service was defined";
  throw new ToolError(`${about} the service "${name}" failed: ${cause}; service.list shows those that there are`);
}
