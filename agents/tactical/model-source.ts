/**
 * The model of this machine as a source of options: one tool out of a short list, or none; then its arguments, written within the
 * grammar of the tool's schema. It is an option when the broker, asked what the call would do, would make it at once. Its chance is
 * what the model's word has been worth. What it writes after it has read text of outside is marked as derived from that.
 */

import type { Try } from "../../contracts/learning.ts";
import type { ChatAnswer, ChatRequest, Json, JsonSchema } from "../../contracts/model/chat.ts";
import type { Prompt } from "../../contracts/prompt.ts";
import type { Thresholds } from "../../contracts/router.ts";
import type { MemoryPeer } from "../loop/incidents.ts";
import type { Matter, Offer, Option, OptionSource } from "../loop/options.ts";
import { tries_looked_at } from "../loop/ports.ts";
import { ChatError, type ChoiceModel } from "../model/port.ts";
import { questionOf, wordsOf } from "../operational/model-signal.ts";
import { Chooser } from "../prompts/chooser.ts";
import { fill, promptNamed } from "../prompts/prompts.ts";
import { worthOf } from "../router/worth.ts";
import type { AskTool, BrokerPeer } from "../shared/ask-tool.ts";
import type { AlarmEvent } from "../shared/standing.ts";
import { runbookOf } from "./runbooks.ts";
import { ShortList } from "./short-list.ts";
import { type ToolInShort, Tools } from "./tools.ts";

const none = "none";
/** Of its decisions: `model service.restart`. */
const rule_begin = "model ";
const preview_limit_ms = 30_000;
const whole_document = "";

interface ModelSourceOptions {
  readonly model: ChoiceModel;
  readonly broker: () => BrokerPeer;
  readonly memory: () => MemoryPeer;
  readonly ask: AskTool;
  readonly thresholds: Thresholds;
  /** Which model it is now (ModelSignal). */
  readonly name?: () => string | null;
}

interface Choice {
  readonly tool: string;
  readonly probability: number;
}

export class ModelSource implements OptionSource {
  readonly who = "model";
  readonly #options: ModelSourceOptions;
  readonly #tools: Tools;
  readonly #short_list: ShortList;
  readonly #chooser: Chooser;
  readonly #choosing = promptNamed("tool");
  readonly #writing = promptNamed("arguments");

  constructor(options: ModelSourceOptions) {
    this.#options = options;
    this.#short_list = new ShortList(options.ask);
    this.#chooser = new Chooser(options.model, options.name);
    this.#tools = new Tools(options.broker, options.thresholds.tools);
  }

  async offer(matter: Matter): Promise<Offer> {
    const cost = { tokens: 0, usd: 0 };
    try {
      const choice = await this.#chosen(matter, cost);
      if (typeof choice === "string") return { options: [], said: choice, ...cost };
      const option = await this.#optionOf(choice, matter, cost);
      const chose = `${choice.tool} (${choice.probability.toFixed(2)})`;
      return typeof option === "string"
        ? { options: [], said: `${chose}: ${option}`, ...cost }
        : { options: [option], said: chose, ...cost };
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      return { options: [], said: error.message.slice(0, 300), ...cost };
    }
  }

  /** The few tools that it chooses from. */
  async shortList({ facts }: AlarmEvent): Promise<ToolInShort[]> {
    const query = `${facts.alarm.replaceAll("-", " ")}: ${facts.detail}`;
    const { offered_max } = this.#options.thresholds.tools;
    return await this.#short_list.of(await this.#tools.offered(), query, runbookOf(facts.alarm), offered_max);
  }

  /** @returns or why nothing was chosen */
  async #chosen({ event, tried }: Matter, cost: { tokens: number }): Promise<Choice | string> {
    const { thresholds } = this.#options;
    const list = (await this.shortList(event)).filter(({ name }) => !tried.has(`${rule_begin}${name}`));
    if (list.length === 0) return "no tool seems to fit";
    const tools = list.map(({ name, does }) => `${name}: ${does}`).join("\n");
    const options = [...list.map(({ name }) => name), none];
    const limit_ms = thresholds.deadlines.tactical_choice_ms;
    const { probabilities: said, tokens } = await this.#chooser.choose(
      this.#choosing,
      { ...questionOf(event), tools },
      options,
      ["alarm"],
      limit_ms,
    );
    cost.tokens += tokens;
    const probabilities = afterFinding(said);
    const best = probabilities.indexOf(Math.max(...probabilities));
    const tool = list[best]?.name;
    const probability = probabilities[best] ?? 0;
    return tool === undefined ? `none of ${list.map(({ name }) => name).join(", ")} (${probability.toFixed(2)})` : { tool, probability };
  }

  /** @returns or why it is none */
  async #optionOf({ tool, probability }: Choice, matter: Matter, cost: { tokens: number }): Promise<Option | string> {
    const { thresholds, memory } = this.#options;
    const past = await memory().call("learning.tries", { limit: tries_looked_at });
    const confidence = worthOf(probability, byModel(past), thresholds);
    // a guess is no option: what the model is unsure of is for the tier above
    if (confidence < thresholds.acting.tactical.sure_min) return `its word is worth too little (${confidence.toFixed(2)})`;
    const whole = await this.#tools.whole(tool);
    if (whole === null) return "it is not offered any more";
    const args = await this.#written(whole.description, tool, whole.input, matter, cost);
    if (args === null) return "it wrote no arguments in time";
    const tainted = isFromOutside(matter) ? [whole_document] : [];
    const refused = await this.#previewed(tool, args, tainted, matter);
    if (refused !== null) return refused;
    return {
      rule: `${rule_begin}${tool}`,
      does: `${tool}, as the model of this machine chose (${probability.toFixed(2)})`,
      rank: 9,
      calls: [{ tool, arguments: args, tainted }],
      watch_ms: thresholds.tools.watch_ms,
      confidence,
      signals: { model: probability },
    };
  }

  async #written(description: string, tool: string, input: JsonSchema, { event }: Matter, cost: { tokens: number }) {
    const { model, thresholds } = this.#options;
    const given = { ...wordsOf(event), tool, description };
    const answer = await model.chat(writingRequest(this.#writing, given, input, thresholds));
    cost.tokens += answer.usage.input_tokens + answer.usage.output_tokens;
    return writtenIn(answer);
  }

  /** What the broker says that it would do. @returns null when it would be made at once, else why not */
  async #previewed(tool: string, args: Record<string, Json>, tainted: string[], { event }: Matter): Promise<string | null> {
    const reason = { text: `what the model of this machine chose against ${event.facts.alarm}, asked before it is made`, event: event.id };
    const _meta = { reason, tainted, dry_run: true };
    const { structuredContent, _meta: outcome } = await this.#options
      .broker()
      .call("tools/call", { name: tool, arguments: args, _meta }, preview_limit_ms);
    if (outcome.status !== "previewed") return `the broker says ${outcome.status}: ${outcome.text.slice(0, 200)}`;
    return structuredContent?.["effect"] === "allow" ? null : "it would need a person's approval";
  }
}

/**
 * The model's word about tools that were found in this order: what is found first for an alarm is the likelier before anybody is asked
 * (reciprocal rank), and a small model alone is right less often than that order is. That none fits is as likely as the tools are in
 * the mean.
 * @param said of the tools, the first found first, and at the end of none @returns the same, sums to 1
 */
export function afterFinding(said: readonly number[]): number[] {
  const tools = said.length - 1;
  const found = Array.from({ length: tools }, (_, rank) => 1 / (rank + 1));
  const mean = found.reduce((sum, each) => sum + each, 0) / Math.max(1, tools);
  const weighed = said.map((probability, at) => probability * (found[at] ?? mean));
  const sum = weighed.reduce((all, each) => all + each, 0);
  return sum > 0 ? weighed.map((each) => each / sum) : [...said];
}

/** What came of decisions that a model made. */
function byModel(past: readonly Try[]) {
  return past.flatMap(({ rule, signals, helped }) =>
    rule.startsWith(rule_begin) && signals !== null ? [{ signals, worked: helped }] : [],
  );
}

/** The arguments of one call, within the grammar of the tool's schema. @param given as the prompt has its places */
export function writingRequest(
  prompt: Prompt,
  given: Readonly<Record<string, string>>,
  input: JsonSchema,
  { tools, deadlines }: Pick<Thresholds, "tools" | "deadlines">,
): ChatRequest {
  const { system, question } = fill(prompt, given);
  return {
    system: [{ text: system, stable: true }],
    messages: [{ role: "user", parts: [{ type: "text", text: question }] }],
    tools: [],
    tool_choice: "none",
    answer: { name: "arguments", schema: input },
    tokens_max: tools.tokens_max,
    temperature: 0,
    limit_ms: deadlines.tactical_arguments_ms,
  };
}

/** @returns null when it did not come to its end */
export function writtenIn({ json, stop }: ChatAnswer): Record<string, Json> | null {
  return stop === "end" && isObject(json) ? json : null;
}

function isFromOutside({ event, incident }: Matter): boolean {
  return event.untrusted !== undefined || incident.body.taint.length > 0;
}

function isObject(json: Json): json is Record<string, Json> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
