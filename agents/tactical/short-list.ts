/**
 * Which few tools fit an alarm or a goal: those that the alarm's own runbook names, and the runbooks and pages that the knowledge base
 * finds for it. It is asked in words of ours or of a person, and only for documents without text of outside: what somebody else wrote
 * does not bring a tool into the list.
 */

import type { AskTool } from "../shared/ask-tool.ts";
import type { ToolInShort } from "./tools.ts";

const sections_looked_at = 12;
const page = 100;
const pages_max = 10;
const keep_ms = 600_000;
const kinds = ["runbook", "tool"];
const why = "which tools may help";
/** Words that say something: the others are in every sentence. */
const word = /[a-z]{4,}/g;
/** So much a shared word counts, beside the first document that is found. */
const word_weight = 0.1;

export class ShortList {
  readonly #ask: AskTool;
  #named: ReadonlyMap<string, readonly string[]> = new Map();
  #named_ms = Number.NEGATIVE_INFINITY;

  constructor(ask: AskTool) {
    this.#ask = ask;
  }

  /** @param own the runbook that is known to be about it, or null @returns the best first, at most `most` */
  async of(tools: readonly ToolInShort[], query: string, own: string | null, most: number): Promise<ToolInShort[]> {
    const documents = [...(own === null ? [] : [own]), ...(await this.#found(query))];
    const scores = byWords(tools, query);
    for (const [rank, document] of [...new Set(documents)].entries())
      for (const name of this.#named.get(document) ?? []) scores.set(name, (scores.get(name) ?? 0) + 1 / (rank + 1));
    return tools
      .filter(({ name }) => (scores.get(name) ?? 0) > 0)
      .sort((a, b) => (scores.get(b.name) ?? 0) - (scores.get(a.name) ?? 0))
      .slice(0, most);
  }

  /** Documents that are found, the best first; none while the knowledge base cannot be asked. */
  async #found(query: string): Promise<string[]> {
    try {
      await this.#readNames();
      const { found } = await this.#ask("knowledge.search", { query, kinds, untainted: true, limit: sections_looked_at }, why);
      return found.map(({ document }) => document);
    } catch {
      return [];
    }
  }

  /** Which tools each document names, by its front matter. */
  async #readNames(): Promise<void> {
    if (performance.now() - this.#named_ms < keep_ms) return;
    const named = new Map<string, readonly string[]>();
    for (let at = 0; at < pages_max; at += 1) {
      const { documents, total } = await this.#ask("knowledge.list", { kinds, offset: at * page, limit: page }, why);
      for (const { document, tools, taint } of documents) if (taint.length === 0) named.set(document, tools);
      if (documents.length === 0 || (at + 1) * page >= total) break;
    }
    [this.#named, this.#named_ms] = [named, performance.now()];
  }
}

/** Words that a tool's name and first sentence share with what it is asked for. */
function byWords(tools: readonly ToolInShort[], query: string): Map<string, number> {
  const asked = new Set(query.toLowerCase().match(word) ?? []);
  return new Map(
    tools.map(({ name, does }) => {
      const own = new Set(`${name} ${does}`.toLowerCase().match(word) ?? []);
      return [name, word_weight * [...own].filter((one) => asked.has(one)).length];
    }),
  );
}
