/** The tools that the broker offers. A name is registered once. */

import type { z } from "zod";
import type { ToolDescription } from "../contracts/broker.ts";

export type Tool = z.infer<typeof ToolDescription>;

export class Registry {
  readonly #tools = new Map<string, Tool>();

  /** @throws when the name is taken */
  register(tool: Tool): void {
    if (this.#tools.has(tool.name)) throw new Error(`registering the tool "${tool.name}" failed: the name is taken`);
    this.#tools.set(tool.name, tool);
  }

  get size(): number {
    return this.#tools.size;
  }

  /** In the order of their names. */
  list(): Tool[] {
    return [...this.#tools.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
