/** A stream of chat completion chunks. */

import type OpenAI from "openai";
import type { Reply, Tokens } from "../../../contracts/model/chat.ts";
import { ChatError } from "../port.ts";
import { toolUse } from "../tool-use.ts";

type Part = Reply["parts"][number];

interface Call {
  id: string;
  name: string;
  json: string;
}

/** An answer has a handful; an index is a stranger's number. */
const calls_max = 64;

export class Reading {
  #model = "";
  #text = "";
  #refused = false;
  began = false;
  #finish: string | null = null;
  #tokens: Tokens | null = null;
  readonly #calls = new Map<number, Call>();

  get tokens(): Tokens | null {
    return this.#tokens;
  }

  take(chunk: OpenAI.ChatCompletionChunk, onText: (delta: string) => void): void {
    if (chunk.model !== "") this.#model = chunk.model;
    if (chunk.usage != null) this.#tokens = tokensOf(chunk.usage);
    const [choice] = chunk.choices;
    if (choice === undefined) return; // the last one carries the usage alone
    const { delta, finish_reason } = choice;
    if (finish_reason !== null) this.#finish = finish_reason;
    if (typeof delta.refusal === "string") this.#refused = true;
    const text = delta.content ?? "";
    if (text !== "" || delta.tool_calls !== undefined || this.#refused) this.began = true;
    if (text !== "") {
      this.#text += text;
      onText(text);
    }
    for (const part of delta.tool_calls ?? []) this.#call(part);
  }

  #call({ index, id, function: called }: OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall): void {
    const call = this.#calls.get(index) ?? { id: "", name: "", json: "" };
    if (this.#calls.size >= calls_max && !this.#calls.has(index)) return;
    this.#calls.set(index, call);
    if (id !== undefined) call.id = id;
    if (called?.name !== undefined) call.name += called.name;
    call.json += called?.arguments ?? "";
  }

  /** @throws {ChatError} when the stream broke off, or a tool's input is no JSON */
  end(): Reply {
    if (this.#finish === null)
      throw new ChatError("unreachable", "the stream ended before it was finished", { again: true, spent: "unknown" });
    const stop = this.#stop();
    const text: Part[] = this.#text === "" ? [] : [{ type: "text", text: this.#text }];
    const calls =
      stop === "tool-use"
        ? [...this.#calls].sort(([a], [b]) => a - b).map(([, { id, name, json }]) => toolUse(id, name, json, this.#tokens))
        : [];
    return { model: this.#model, parts: [...text, ...calls], stop, tokens: this.#tokens };
  }

  /** Some servers say `stop` where they mean `tool_calls`. */
  #stop(): Reply["stop"] {
    if (this.#refused || this.#finish === "content_filter") return "refused";
    if (this.#finish === "length") return "length";
    return this.#calls.size > 0 ? "tool-use" : "end";
  }
}

/** `prompt_tokens` are all of the input, those of the cache included. */
function tokensOf({ prompt_tokens, completion_tokens, prompt_tokens_details }: OpenAI.CompletionUsage): Tokens {
  const read = prompt_tokens_details?.cached_tokens ?? 0;
  const written = prompt_tokens_details?.cache_write_tokens ?? 0;
  return {
    input_tokens: Math.max(prompt_tokens - read - written, 0),
    cache_read_tokens: read,
    cache_write_tokens: written,
    output_tokens: completion_tokens,
  };
}
