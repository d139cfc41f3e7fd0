/**
 * One question to the models behind an API: they look by tools that only read, as often as there is room for, and end by one
 * structured answer. Nothing that they say is obeyed: looks go through the broker, the answer is held against its schema and by
 * whoever asked. Bounds on turns, looks, tokens, money (the budget's) and time; at the last turn only the answer is left to give.
 */

import type { ChatAnswer, ChatErrorKind, JsonSchema, Message, OfferedTool, ToolUsePart } from "../../../contracts/model/chat.ts";
import type { Thresholds } from "../../../contracts/router.ts";
import type { ToolDescription } from "../../../contracts/tool.ts";
import { ChatError, type ChatModel } from "../../model/port.ts";
import type { BrokerPeer } from "../../shared/ask-tool.ts";
import { type Behalf, catalogueOf, describe_tool, Looks, offer, retrieved } from "./looks.ts";

/** It may be possible to ask later. To have no model is how a system without a key is built; the other kinds were answered. */
const out_of_reach: ReadonlySet<ChatErrorKind> = new Set(["unreachable", "limited", "unauthorised", "budget", "timeout"]);

export interface Question {
  /** The text of a prompt: nothing of the machine in it. */
  readonly system: string;
  /** What it is about: data. */
  readonly brief: string;
  /** Incident or goal: what its budget counts by. */
  readonly id: string;
  readonly behalf: Behalf;
  /** Words by which tools are retrieved. */
  readonly matter: string;
  readonly finish: { readonly name: string; readonly description: string; readonly schema: JsonSchema };
  /** What of the question itself is from outside, by origin. */
  readonly outside: readonly (readonly [from: string, text: unknown])[];
  /** @returns what is wrong with an answer, for the model; null when it can be used */
  readonly refuse: (answer: unknown, tools: readonly ToolDescription[]) => string | null;
}

export interface Found {
  /** As `finish` has it, and not refused; null: there is none, and `said` says why. */
  readonly answer: unknown;
  readonly said: string;
  /** Why nobody could be asked at the moment; null: somebody was, or there is nobody to be asked. */
  readonly unasked: string | null;
  readonly model: string | null;
  readonly looks: Looks;
  readonly tools: readonly ToolDescription[];
  readonly tokens: number;
  readonly usd: number;
}

export interface Asking {
  readonly models: ChatModel;
  readonly broker: () => BrokerPeer;
  readonly tools: readonly ToolDescription[];
  readonly thresholds: Bounds;
}

/** Of time, turns, looks and tokens. */
export type Bounds = Pick<Thresholds, "deadlines" | "thinking">;

/** @throws when the broker is away; what goes wrong with the models is `said` */
export async function investigate(question: Question, { models, broker, tools, thresholds }: Asking): Promise<Found> {
  const { strategic_question_ms: limit_ms, strategic_turn_ms: turn_limit_ms } = thresholds.deadlines;
  const { turns_max, looks_max, tokens_max } = thresholds.thinking;
  const looks = new Looks(broker, tools, question.behalf);
  for (const [from, text] of question.outside) looks.hear(from, text);
  const spent = { tokens: 0, usd: 0, model: null as string | null };
  const end = (answer: unknown, said: string, unasked: string | null = null): Found => ({ answer, said, unasked, looks, tools, ...spent });
  const finish: OfferedTool = { name: question.finish.name, description: question.finish.description, input: question.finish.schema };
  const offered = [...retrieved(tools, question.matter).map(offer), describe_tool, finish];
  const messages: Message[] = [{ role: "user", parts: [{ type: "text", text: question.brief }] }];
  const ends_ms = performance.now() + limit_ms;
  let wrong = "it gave no answer";
  for (let turn = 1; turn <= turns_max; turn += 1) {
    const left_ms = Math.floor(ends_ms - performance.now());
    if (left_ms < 1000) return end(null, `there was no answer within ${limit_ms / 1000} s`);
    const last = turn === turns_max || looks.made >= looks_max;
    let answer: ChatAnswer;
    try {
      answer = await models.chat(
        {
          system: [
            { text: question.system, stable: true },
            { text: catalogueOf(tools), stable: true },
          ],
          messages,
          tools: last ? [finish] : offered,
          tool_choice: last ? "required" : "auto",
          answer: null,
          tokens_max,
          temperature: 0,
          limit_ms: Math.min(turn_limit_ms, left_ms),
        },
        { incident: question.id },
      );
    } catch (error) {
      if (error instanceof ChatError) return end(null, error.message, out_of_reach.has(error.kind) ? error.message : null);
      throw error;
    }
    const { usage, model, parts, tool_uses, stop } = answer;
    spent.tokens += usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens;
    spent.usd += usage.cost_usd;
    spent.model = model;
    if (stop === "refused") return end(null, "the provider refused to answer, by its own policy");
    if (stop === "length") return end(null, `its answer was longer than ${tokens_max} tokens`);
    const given = tool_uses.find(({ name }) => name === finish.name);
    const refused = given === undefined ? null : question.refuse(given.input, tools);
    if (given !== undefined && refused === null) return end(given.input, "it answered");
    if (refused !== null) wrong = refused;
    if (parts.length > 0) messages.push({ role: "assistant", parts });
    messages.push({
      role: "user",
      parts: await replies(tool_uses, { given: given?.id ?? null, refused, looks, looks_max, model, finish: finish.name }),
    });
  }
  return end(null, `after ${turns_max} turns and ${looks.made} looks: ${wrong}`);
}

type Part = Extract<Message, { role: "user" }>["parts"][number];

interface Replying {
  /** The id of the answer that was looked at, and what is wrong with it. */
  readonly given: string | null;
  readonly refused: string | null;
  readonly looks: Looks;
  readonly looks_max: number;
  readonly model: string;
  readonly finish: string;
}

async function replies(uses: readonly ToolUsePart[], { given, refused, looks, looks_max, model, finish }: Replying): Promise<Part[]> {
  if (uses.length === 0) return [{ type: "text", text: `Answer by calling ${finish.replace(".", "_")}.` }];
  const parts: Part[] = [];
  for (const use of uses) {
    if (use.name === finish) {
      const text = use.id === given && refused !== null ? `not usable: ${refused}` : "one answer is enough";
      parts.push({ type: "tool-result", id: use.id, text, is_error: true });
    } else if (looks.made >= looks_max) {
      parts.push({ type: "tool-result", id: use.id, text: "no more looks: answer now", is_error: true });
    } else parts.push({ type: "tool-result", id: use.id, ...(await looks.look(use, model)) });
  }
  return parts;
}
