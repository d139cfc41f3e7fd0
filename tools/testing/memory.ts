/** The memory of a world: the real one, in this process, loaded and opened when a tool first asks for it. */

import { join } from "node:path";
import type { CoreService } from "../../contracts/service.ts";
import type { InProcess } from "../../memory/testing/in-process.ts";
import type { MemoryPeer, Places } from "../context.ts";

/** The documents that a world's image has: below its folder, for a case to fill. */
export const shippedIn = (folder: string): string => join(folder, "knowledge");

/** @param folder the world's, in which data is */
export function worldMemory(folder: string): Pick<MemoryPeer, "call"> {
  let opened: InProcess | null = null;
  const call = async (method: string, params: unknown): Promise<unknown> => {
    const { openMemory } = await import("../../memory/testing/in-process.ts");
    opened ??= openMemory(join(folder, "data"), shippedIn(folder));
    return await opened.call(method, params);
  };
  return { call: call as MemoryPeer["call"] };
}

/** Tells the memory of a world what another service would have told it. @returns the answer */
export async function toldBy(caller: CoreService, { data }: Places, method: string, params: unknown): Promise<unknown> {
  const { openMemory } = await import("../../memory/testing/in-process.ts");
  const memory = openMemory(data, shippedIn(join(data, "..")), { caller });
  try {
    return await memory.call(method, params);
  } finally {
    memory.keeper.close();
  }
}
