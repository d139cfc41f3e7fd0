/** The tools that the broker offers. A name is registered once. */

import type { ToolDescription } from "../contracts/tool.ts";
import { describeTool } from "./describe.ts";
import type { AnyTool } from "./tool.ts";

/** What has to be known of a tool that is not called. */
export interface ToolFacts extends Pick<AnyTool, "name" | "title" | "risk" | "timeout_ms" | "tainted"> {
  readonly undoable: boolean;
  readonly restores: boolean;
  readonly state_of: string | null;
}

export function factsOf({ name, title, risk, timeout_ms, tainted, undo, restores, state_of }: AnyTool): ToolFacts {
  const undoable = undo !== undefined;
  return { name, title, risk, timeout_ms, undoable, restores: restores === true, tainted, state_of: state_of ?? null };
}

/** A tool whose module need not have been read. */
export interface Offer {
  readonly facts: ToolFacts;
  describe(): ToolDescription;
  load(): Promise<AnyTool>;
}

export class Registry {
  readonly #offers = new Map<string, Offer>();
  readonly #loaded = new Map<string, AnyTool>();
  readonly #loading = new Map<string, Promise<AnyTool>>();

  /** @throws when a name is taken */
  constructor(offers: readonly Offer[] = []) {
    for (const offer of offers) this.#register(offer);
  }

  /** Of tools that are loaded. @throws when a name is taken */
  static of(tools: readonly AnyTool[]): Registry {
    const registry = new Registry(
      tools.map((tool) => ({ facts: factsOf(tool), describe: () => describeTool(tool), load: () => Promise.resolve(tool) })),
    );
    for (const tool of tools) registry.#loaded.set(tool.name, tool);
    return registry;
  }

  #register(offer: Offer): void {
    const { name } = offer.facts;
    if (this.#offers.has(name)) throw new Error(`registering the tool "${name}" failed: the name is taken`);
    this.#offers.set(name, offer);
  }

  get size(): number {
    return this.#offers.size;
  }

  facts(name: string): ToolFacts | undefined {
    return this.#offers.get(name)?.facts;
  }

  describe(name: string): ToolDescription | undefined {
    return this.#offers.get(name)?.describe();
  }

  /** The tool itself: at once when it has been used before. */
  tool(name: string): AnyTool | Promise<AnyTool> | undefined {
    return this.#loaded.get(name) ?? this.#loading.get(name) ?? this.#load(name);
  }

  #load(name: string): Promise<AnyTool> | undefined {
    const offer = this.#offers.get(name);
    if (offer === undefined) return undefined;
    const loading = offer.load().then((tool) => {
      this.#loaded.set(name, tool);
      return tool;
    });
    this.#loading.set(name, loading);
    void loading.catch(() => {}).finally(() => this.#loading.delete(name));
    return loading;
  }

  /** In their order. */
  names(): string[] {
    return [...this.#offers.keys()].sort();
  }
}
