/** The tools of the broker as a model sees them: a bounded set that only read, to be called; all others by name, to be proposed. */

import type { z } from "zod";
import type { EventId } from "../../../contracts/event.ts";
import { JsonSchema, type OfferedTool, type ToolUsePart } from "../../../contracts/model/chat.ts";
import type { Principal, ToolDescription } from "../../../contracts/tool.ts";
import { Taint } from "../../../wire/taint.ts";
import { mismatch } from "../../model/reach/check.ts";
import { quoted } from "../../prompts/prompts.ts";
import type { BrokerPeer } from "../../shared/ask-tool.ts";

const page_max = 25;
const pages_max = 20;
const kept_ms = 600_000;
const offered_max = 20;
/** Looks that take longer are no use within the time that a question has. */
const answer_limit_ms = 120_000;
/** Of one result, as the model sees it. */
export const result_chars_max = 6000;
const described_chars_max = 8000;
const self: Principal = "tier:strategic";

/** Offered whatever the matter is, as far as there are: what logs say by its templates first, lines and contents as somebody wrote them last. */
const always = [
  "memory.templates",
  "service.status",
  "service.list",
  "process.list",
  "sys.metrics",
  "fs.list",
  "fs.stat",
  "fs.usage",
  "memory.search",
  "memory.timeline",
  "knowledge.search",
  "net.interfaces",
  "net.connections",
  "service.logs",
  "sys.logs",
  "fs.read",
];

export class ToolBox {
  readonly #broker: () => BrokerPeer;
  #tools: readonly ToolDescription[] = [];
  #read_ms = Number.NEGATIVE_INFINITY;

  constructor(broker: () => BrokerPeer) {
    this.#broker = broker;
  }

  /** All of the catalogue. @throws when the broker is away */
  async all(): Promise<readonly ToolDescription[]> {
    if (performance.now() - this.#read_ms < kept_ms) return this.#tools;
    const tools: ToolDescription[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < pages_max; page += 1) {
      const answer: { tools: ToolDescription[]; nextCursor: string | null } = await this.#broker().call("tools/list", {
        cursor,
        limit: page_max,
      });
      tools.push(...answer.tools);
      cursor = answer.nextCursor;
      if (cursor === null) break;
    }
    this.#tools = tools;
    this.#read_ms = performance.now();
    return tools;
  }
}

export const observes = ({ annotations, _meta }: ToolDescription): boolean =>
  annotations.readOnlyHint && !annotations.openWorldHint && _meta.risk === "observe";

/** Those that may help to look into a matter: the usual ones, then by how many words of it they share. */
export function retrieved(tools: readonly ToolDescription[], matter: string): ToolDescription[] {
  const wanted = wordsOf(matter);
  const shared = ({ name, title, description }: ToolDescription): number =>
    [...wordsOf(`${name} ${title} ${description}`)].filter((word) => wanted.has(word)).length;
  const usual = always.flatMap((name) => tools.find((tool) => tool.name === name && observes(tool)) ?? []);
  const others = tools
    .filter((tool) => observes(tool) && !always.includes(tool.name))
    .map((tool) => ({ tool, words: shared(tool) }))
    .filter(({ words }) => words > 0)
    .sort((a, b) => b.words - a.words || (a.tool.name < b.tool.name ? -1 : 1));
  return [...usual, ...others.map(({ tool }) => tool)].slice(0, offered_max);
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[a-z]{4,}/g) ?? []);
}

export function offer({ name, description, inputSchema }: ToolDescription): OfferedTool {
  return { name, description: description.slice(0, 2000), input: JsonSchema.parse(inputSchema) };
}

/** What changes something, a line each. */
export function catalogueOf(tools: readonly ToolDescription[]): string {
  const lines = tools.filter((tool) => !observes(tool)).map(({ name, title, _meta }) => `${name} (${_meta.risk}): ${title}`);
  return `Tools of the machine that change something, with the worst that they can do:\n${lines.join("\n")}`;
}

export const describe_tool: OfferedTool = {
  name: "tools.describe",
  description: "What a tool does, and the schema of its input. For tools that you want to propose a call of.",
  input: {
    type: "object",
    properties: { name: { type: "string", description: "its name: service.restart" } },
    required: ["name"],
    additionalProperties: false,
  },
};

/** For whom the looks are made. */
export interface Behalf {
  readonly why: string;
  readonly event: z.infer<typeof EventId> | null;
  /** Text of ours and of people: what only repeats it is not from outside. */
  readonly trusted: string;
}

export interface Looked {
  readonly text: string;
  readonly is_error: boolean;
}

/** Looks through the broker, and remembers what of outside was heard. */
export class Looks {
  readonly #broker: () => BrokerPeer;
  readonly #tools: readonly ToolDescription[];
  readonly #behalf: Behalf;
  readonly #taint = new Taint();
  /** Tools whose answers held text from outside. */
  readonly heard = new Set<string>();
  made = 0;

  constructor(broker: () => BrokerPeer, tools: readonly ToolDescription[], behalf: Behalf) {
    this.#broker = broker;
    this.#tools = tools;
    this.#behalf = behalf;
  }

  /** Text from outside that the question itself holds. @param from for the record: `event:alarm.changed` */
  hear(from: string, text: unknown): void {
    this.heard.add(from);
    this.#taint.hear(self, text, this.#behalf.trusted);
  }

  /** Pointers to what repeats a piece of what was heard. */
  marks(args: unknown): string[] {
    return this.#taint.marks(self, args, []);
  }

  async look({ name, input }: ToolUsePart, model: string): Promise<Looked> {
    if (name === describe_tool.name) return this.#described(input["name"]);
    const tool = this.#tools.find((one) => one.name === name);
    if (tool === undefined || !observes(tool))
      return { text: `"${name}" is not offered: it is to be proposed, not called`, is_error: true };
    this.made += 1;
    const { why, event } = this.#behalf;
    const _meta = { reason: { text: why, event, model: model.slice(0, 100) }, tainted: this.marks(input) };
    const ask = async () => await this.#broker().call("tools/call", { name, arguments: input, _meta }, answer_limit_ms);
    const answer = await orWhyNot(ask);
    if (typeof answer === "string") return { text: `${name} did not answer: ${answer}`, is_error: true };
    const { status, text, tainted } = answer._meta;
    if (tainted) {
      this.heard.add(`tool:${name}`);
      this.#taint.hear(self, [answer.structuredContent, text], [this.#behalf.trusted, input]);
    }
    const data = answer.structuredContent === null ? text : JSON.stringify(answer.structuredContent);
    const from = tainted ? "holds text from outside" : "the system's own figures";
    return { text: `status: ${status}\norigin: ${from}\ndata: ${quoted(data, result_chars_max)}`, is_error: answer.isError };
  }

  #described(name: unknown): Looked {
    const tool = this.#tools.find((one) => one.name === name);
    if (tool === undefined) return { text: "there is no such tool", is_error: true };
    const { description, inputSchema, _meta } = tool;
    const text = `${tool.name} (${_meta.risk}): ${description}\ninput: ${JSON.stringify(inputSchema)}`;
    return { text: text.slice(0, described_chars_max), is_error: false };
  }
}

/** A look that takes too long, or a broker that is started anew, is no end of a question that is paid for. */
async function orWhyNot<T>(ask: () => Promise<T>): Promise<T | string> {
  try {
    return await ask();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What is wrong with a proposed call, or null. */
export function callProblem(tools: readonly ToolDescription[], name: string, args: unknown): string | null {
  const tool = tools.find((one) => one.name === name);
  if (tool === undefined) return `there is no tool "${name.slice(0, 64)}": they are named with a dot, as in the list`;
  const wrong = mismatch(JsonSchema.parse(tool.inputSchema), args === undefined ? {} : JsonSchema.parse(args));
  return wrong === null ? null : `the arguments of ${name} do not fit: ${wrong}; tools_describe tells the schema`;
}
