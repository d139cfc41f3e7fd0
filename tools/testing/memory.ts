/** The memory of a world: its own database, opened when it is first asked. What it does not know nothing in it answers. */

import { join } from "node:path";
import { memory_methods } from "../../contracts/memory.ts";
import { Keeper } from "../../memory/keeper.ts";
import { knowledgeHandlers } from "../../memory/knowledge/handlers.ts";
import { Shipped } from "../../memory/knowledge/shipped.ts";

type Handler = (params: never) => unknown;

export interface WorldMemory {
  knows(method: string): boolean;
  call(method: string, params: unknown): Promise<unknown>;
}

/** The documents that a world's image has: below its folder, for a case to fill. */
export const shippedIn = (folder: string): string => join(folder, "knowledge");

/** @param folder the world's, in which data is */
export function worldMemory(folder: string): WorldMemory {
  let handlers: Readonly<Record<string, Handler>> | null = null;
  const open = (): Readonly<Record<string, Handler>> => {
    const keeper = new Keeper(join(folder, "data", "memory"));
    return { ...knowledgeHandlers(keeper, new Shipped(shippedIn(folder))) };
  };
  return {
    knows: (method) => method.startsWith("knowledge."),
    async call(method, params) {
      handlers ??= open();
      const contract = Object.entries(memory_methods).find(([name]) => name === method)?.[1];
      const handler = handlers[method];
      if (contract === undefined || handler === undefined) throw new Error(`calling "${method}" failed: memory has no such method`);
      return contract.result.parse(await handler(contract.params.parse(params) as never));
    },
  };
}
