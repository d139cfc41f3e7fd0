/**
 * A stream of the Messages API, read event by event. The SDK's own accumulator parses the input of a tool anew at every delta,
 * which takes the square of its length; nobody here wants half an input.
 */

import type Anthropic from "@anthropic-ai/sdk";
import type { Reply, Tokens } from "../../../contracts/model/chat.ts";
import { ChatError } from "../port.ts";
import { toolUse } from "../tool-use.ts";

export const back_end = "anthropic";

type Part = Reply["parts"][number];
type Block =
  | { readonly type: "text"; text: string }
  | { readonly type: "tool"; readonly id: string; readonly name: string; json: string }
  | { readonly type: "thinking"; thinking: string; signature: string }
  | { readonly type: "redacted"; readonly data: string }
  | { readonly type: "other" };

const stops: Readonly<Record<string, Reply["stop"]>> = {
  end_turn: "end",
  stop_sequence: "end",
  tool_use: "tool-use",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "refused",
};

export class Reading {
  #model = "";
  #tokens: Tokens | null = null;
  #stop: string | null = null;
  #ended = false;
  began = false;
  readonly #blocks = new Map<number, Block>();

  /** What the provider has counted so far; null before it said anything. Output is known with the last event only. */
  get tokens(): Tokens | null {
    return this.#tokens;
  }

  take(event: Anthropic.RawMessageStreamEvent, onText: (delta: string) => void): void {
    if (event.type === "message_start") {
      this.#model = event.message.model;
      this.#tokens = tokensOf(event.message.usage);
    } else if (event.type === "content_block_start") this.#blocks.set(event.index, blockOf(event.content_block));
    else if (event.type === "content_block_delta") {
      this.began = true;
      this.#add(event.index, event.delta, onText);
    } else if (event.type === "message_delta") {
      this.#stop = event.delta.stop_reason;
      this.#tokens = updated(this.#tokens, event.usage);
    } else if (event.type === "message_stop") this.#ended = true;
  }

  #add(index: number, delta: Anthropic.RawContentBlockDelta, onText: (delta: string) => void): void {
    const block = this.#blocks.get(index);
    if (delta.type === "text_delta" && block?.type === "text") {
      block.text += delta.text;
      onText(delta.text);
    } else if (delta.type === "input_json_delta" && block?.type === "tool") block.json += delta.partial_json;
    else if (delta.type === "thinking_delta" && block?.type === "thinking") block.thinking += delta.thinking;
    else if (delta.type === "signature_delta" && block?.type === "thinking") block.signature += delta.signature;
  }

  /** @throws {ChatError} when the stream broke off, or a tool's input is no JSON */
  end(): Reply {
    if (!this.#ended) throw new ChatError("unreachable", "the stream ended before its message_stop", { again: true, spent: "unknown" });
    const stop = stops[this.#stop ?? ""];
    if (stop === undefined) throw new ChatError("unreachable", `the stop reason "${this.#stop}" is not known`, { spent: "unknown" });
    const blocks = [...this.#blocks].sort(([a], [b]) => a - b).map(([, block]) => block);
    // an input that was cut off is none
    const whole = stop === "tool-use" ? blocks : blocks.filter(({ type }) => type !== "tool");
    return { model: this.#model, parts: whole.flatMap((block) => partOf(block, this.#tokens)), stop, tokens: this.#tokens };
  }
}

function blockOf(block: Anthropic.ContentBlock): Block {
  if (block.type === "text") return { type: "text", text: block.text };
  if (block.type === "tool_use") return { type: "tool", id: block.id, name: block.name, json: "" };
  if (block.type === "thinking") return { type: "thinking", thinking: block.thinking, signature: block.signature };
  if (block.type === "redacted_thinking") return { type: "redacted", data: block.data };
  return { type: "other" };
}

function partOf(block: Block, tokens: Tokens | null): Part[] {
  if (block.type === "text") return block.text === "" ? [] : [{ type: "text", text: block.text }];
  if (block.type === "tool") return [toolUse(block.id, block.name, block.json, tokens)];
  if (block.type === "thinking") return [{ type: "opaque", back_end, data: { thinking: block.thinking, signature: block.signature } }];
  return block.type === "redacted" ? [{ type: "opaque", back_end, data: { redacted: block.data } }] : [];
}

function tokensOf(usage: Anthropic.Usage): Tokens {
  return {
    input_tokens: usage.input_tokens,
    cache_read_tokens: usage.cache_read_input_tokens ?? 0,
    cache_write_tokens: usage.cache_creation_input_tokens ?? 0,
    output_tokens: usage.output_tokens,
  };
}

/** The last event has the sums; what it leaves out is as it was. */
function updated(before: Tokens | null, usage: Anthropic.MessageDeltaUsage): Tokens {
  return {
    input_tokens: usage.input_tokens ?? before?.input_tokens ?? 0,
    cache_read_tokens: usage.cache_read_input_tokens ?? before?.cache_read_tokens ?? 0,
    cache_write_tokens: usage.cache_creation_input_tokens ?? before?.cache_write_tokens ?? 0,
    output_tokens: usage.output_tokens,
  };
}
