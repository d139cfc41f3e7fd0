/** The tools that the broker offers. A name is registered once. */

import type { AnyTool } from "./tool.ts";

export class Registry {
  readonly #tools = new Map<string, AnyTool>();

  constructor(tools: readonly AnyTool[] = []) {
    for (const tool of tools) this.register(tool);
  }

  /** @throws when the name is taken */
  register(tool: AnyTool): void {
    if (this.#tools.has(tool.name)) throw new Error(`registering the tool "${tool.name}" failed: the name is taken`);
    this.#tools.set(tool.name, tool);
  }

  get size(): number {
    return this.#tools.size;
  }

  get(name: string): AnyTool | undefined {
    return this.#tools.get(name);
  }

  /** In the order of their names. */
  list(): AnyTool[] {
    return [...this.#tools.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
