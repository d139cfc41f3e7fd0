/** Which tools there are: names and first sentences are kept for a while, a schema is asked for when it is needed. */

import type { OfferedTool } from "../../contracts/model/chat.ts";
import { JsonSchema } from "../../contracts/model/chat.ts";
import type { Thresholds } from "../../contracts/router.ts";
import type { ToolDescription } from "../../contracts/tool.ts";
import { asOurs } from "../prompts/prompts.ts";
import type { BrokerPeer } from "../shared/ask-tool.ts";

const page = 25;
const keep_ms = 600_000;
/** A token is some four letters, and what a model reads anew is what a choice costs. */
const does_chars_max = 60;
/** What can be taken back, exactly or nearly. What only looks clears no alarm, and what is final is not a small model's to choose. */
const offered_risks: ReadonlySet<ToolDescription["_meta"]["risk"]> = new Set(["reversible", "compensable"]);

export interface ToolInShort {
  readonly name: string;
  /** Its first sentence, in words of ours. */
  readonly does: string;
}

export class Tools {
  readonly #broker: () => BrokerPeer;
  readonly #families: ReadonlySet<string>;
  readonly #schema_chars_max: number;
  #known: readonly ToolInShort[] = [];
  #known_ms = Number.NEGATIVE_INFINITY;

  constructor(broker: () => BrokerPeer, { families, schema_chars_max }: Thresholds["tools"]) {
    this.#broker = broker;
    this.#families = new Set(families);
    this.#schema_chars_max = schema_chars_max;
  }

  /** Those that may be offered. @throws when the broker is away */
  async offered(): Promise<readonly ToolInShort[]> {
    if (performance.now() - this.#known_ms < keep_ms) return this.#known;
    const known: ToolInShort[] = [];
    let cursor: string | null = null;
    do {
      const answer: { tools: ToolDescription[]; nextCursor: string | null } = await this.#broker().call("tools/list", {
        cursor,
        limit: page,
      });
      known.push(
        ...answer.tools.filter((tool) => this.#mayOffer(tool)).map(({ name, description }) => ({ name, does: firstSentence(description) })),
      );
      cursor = answer.nextCursor;
    } while (cursor !== null);
    [this.#known, this.#known_ms] = [known, performance.now()];
    return known;
  }

  /** One with its schema. @returns null when it may not be offered any more */
  async whole(name: string): Promise<OfferedTool | null> {
    const tool = await this.#broker().call("tools/get", { name });
    return this.#mayOffer(tool) ? asOffered(tool) : null;
  }

  #mayOffer({ _meta, inputSchema }: ToolDescription): boolean {
    if (!offered_risks.has(_meta.risk) || !this.#families.has(_meta.family)) return false;
    return JSON.stringify(withoutWords(inputSchema)).length <= this.#schema_chars_max;
  }
}

/** As a model of this machine is shown one. */
export function asOffered({ name, description, inputSchema }: Pick<ToolDescription, "name" | "description" | "inputSchema">): OfferedTool {
  return { name, description: firstSentence(description), input: withoutWords(inputSchema) };
}

/** Descriptions are for people; to a model of this machine each is a second of reading. */
function withoutWords(schema: ToolDescription["inputSchema"]): JsonSchema {
  const text = JSON.stringify(schema, (name, value: unknown) => (name === "description" && typeof value === "string" ? undefined : value));
  return JsonSchema.parse(JSON.parse(text));
}

function firstSentence(description: string): string {
  const [first = ""] = asOurs(description).split(/(?<=[.:;])\s/);
  return first.slice(0, does_chars_max);
}
