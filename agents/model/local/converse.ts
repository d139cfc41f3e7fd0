/** One chat: what is said token by token, within the grammar of what was asked for. */

import { randomBytes } from "node:crypto";
import type { AssistantPart, ChatRequest } from "../../../contracts/model/chat.ts";
import { ToolUsePart } from "../../../contracts/model/chat.ts";
import { answer_chars_max, type Thought } from "../../../contracts/model/think.ts";
import type { LlamaSampler } from "../../../wire/llama.ts";
import { ChatError } from "../port.ts";
import type { Engine } from "./engine.ts";
import { answerGrammar, toolsGrammar } from "./grammar/grammar.ts";
import { turnsOf } from "./prompt.ts";
import type { Sequence } from "./sequences.ts";
import { TextOut } from "./tokens.ts";
import type { Conversation, Turns } from "./turns.ts";

/** Of what is not the likeliest, that which is far from it never comes. */
const sampling = { topK: 40, topP: 0.95, minP: 0.05 } as const;

interface ConverseOptions {
  readonly signal: AbortSignal;
  readonly onText: (delta: string) => void;
}

/** @throws {ChatError} */
export function converse(engine: Engine, turns: Turns, request: ChatRequest, options: ConverseOptions): Promise<Thought> {
  const { promise, resolve, reject } = Promise.withResolvers<Thought>();
  turns.chat({
    signal: options.signal,
    fail: reject,
    begin: () => begin(engine, request, options, { resolve, reject }),
  });
  return promise;
}

interface Ends {
  resolve(thought: Thought): void;
  reject(error: unknown): void;
}

async function begin(engine: Engine, request: ChatRequest, options: ConverseOptions, ends: Ends): Promise<Conversation> {
  const prompt = engine.tokeniser.prompt(engine.writer.write(turnsOf(request)));
  engine.checkLength(prompt);
  const sampler = samplerFor(engine, request);
  try {
    const sequence = await engine.sequences.take(prompt);
    return new Talk({ engine, request, options, ends, prompt, sampler, sequence });
  } catch (error) {
    sampler.dispose();
    throw error;
  }
}

function samplerFor(engine: Engine, request: ChatRequest): LlamaSampler {
  const { temperature, answer, tools, tool_choice } = request;
  const gbnf =
    answer !== null
      ? answerGrammar(answer.schema)
      : tools.length > 0 && tool_choice !== "none"
        ? toolsGrammar(tools, tool_choice === "required")
        : null;
  const how = temperature === 0 ? { temperature } : { temperature, ...sampling, seed: randomBytes(4).readUInt32LE() };
  return engine.sampler({ ...how, ...(gbnf === null ? {} : { grammarEvaluationState: grammarState(engine, gbnf) }) });
}

function grammarState(engine: Engine, gbnf: string): object {
  try {
    const grammar = new engine.llama.AddonGrammar(gbnf, { addonExports: engine.llama, rootRuleName: "root" });
    return new engine.llama.AddonGrammarEvaluationState(engine.model, grammar);
  } catch {
    throw new ChatError("rejected", "asking the model failed: llama.cpp refuses the grammar of the schema; make the schema simpler");
  }
}

interface TalkOptions {
  readonly engine: Engine;
  readonly request: ChatRequest;
  readonly options: ConverseOptions;
  readonly ends: Ends;
  readonly prompt: readonly number[];
  readonly sampler: LlamaSampler;
  readonly sequence: Sequence;
}

class Talk implements Conversation {
  readonly sequence: Sequence;
  readonly signal: AbortSignal;
  readonly #talk: TalkOptions;
  readonly #cached: number;
  readonly #text: TextOut;
  readonly #begin_ms = performance.now();
  #first_token_ms: number | null = null;
  #said = 0;
  #next: number | null = null;

  constructor(talk: TalkOptions) {
    this.#talk = talk;
    this.sequence = talk.sequence;
    this.signal = talk.options.signal;
    this.#cached = talk.sequence.tokens.length;
    this.#text = new TextOut(talk.engine.model);
  }

  get pending(): readonly number[] {
    return this.#next === null ? this.#talk.prompt.slice(this.sequence.tokens.length) : [this.#next];
  }

  async take(output: number): Promise<boolean> {
    const { engine, sampler, request, prompt } = this.#talk;
    const token = await engine.next(output, sampler);
    if (token < 0) throw new ChatError("nonsense", "asking the model failed: nothing that it may say is left");
    this.#first_token_ms ??= performance.now() - this.#begin_ms;
    if (engine.model.isEogToken(token)) return this.#over(false);
    this.#said += 1;
    this.#tell(this.#text.push(token));
    this.#next = token;
    const is_full = prompt.length + this.#said >= engine.context_tokens;
    if (this.#said >= request.tokens_max || is_full || this.#text.text.length > answer_chars_max) return this.#over(true);
    return true;
  }

  fail(error: unknown): void {
    this.#talk.ends.reject(error);
  }

  close(): void {
    this.#talk.sampler.dispose();
    this.#talk.engine.sequences.release(this.sequence);
  }

  /** A call is told when it is whole, not as text. */
  #tell(delta: string): void {
    const { request, options } = this.#talk;
    const may_call = request.tools.length > 0 && request.tool_choice !== "none";
    if (delta !== "" && !(may_call && this.#text.text.startsWith("{"))) options.onText(delta);
  }

  #over(cut_off: boolean): false {
    const { ends, prompt } = this.#talk;
    const parts = this.#parts(cut_off);
    const calls = parts.some((part) => part.type === "tool-use");
    ends.resolve({
      parts,
      stop: calls ? "tool-use" : cut_off ? "length" : "end",
      usage: {
        input_tokens: prompt.length - this.#cached,
        cache_read_tokens: this.#cached,
        cache_write_tokens: 0,
        output_tokens: this.#said,
        cost_usd: 0,
      },
      first_token_ms: this.#first_token_ms ?? 0,
    });
    return false;
  }

  #parts(cut_off: boolean): AssistantPart[] {
    const { request } = this.#talk;
    const { text } = this.#text;
    const may_call = request.tools.length > 0 && request.tool_choice !== "none";
    if (may_call && text.startsWith("{") && !cut_off) return [calledIn(text)];
    return text === "" ? [] : [{ type: "text", text }];
  }
}

function calledIn(text: string): ToolUsePart {
  const id = `call-${randomBytes(6).toString("hex")}`;
  const read = ToolUsePart.safeParse({ type: "tool-use", id, ...objectOf(text) });
  if (read.success) return read.data;
  throw new ChatError("nonsense", "asking the model failed: what it wrote as a call is none");
}

function objectOf(text: string): object {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null ? read : {};
  } catch {
    return {};
  }
}
