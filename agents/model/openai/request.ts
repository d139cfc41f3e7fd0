/** What is asked, in the words of OpenAI's chat completions, as other servers speak them too. */

import { createHash } from "node:crypto";
import type OpenAI from "openai";
import type { ChatRequest, JsonSchema, Message } from "../../../contracts/model/chat.ts";
import { toProvider } from "../names.ts";

type Params = OpenAI.ChatCompletionCreateParamsStreaming;
type Said = OpenAI.ChatCompletionMessageParam;

/**
 * OpenAI's own models want `max_completion_tokens`, refuse a temperature, and find a cached prefix sooner by a key; other servers
 * (llama.cpp, vLLM, Ollama and the like) know `max_tokens` and a temperature.
 */
type Dialect = "openai" | "compatible";

export function paramsOf(request: ChatRequest, model: string, dialect: Dialect): Params {
  const { tools, tool_choice, tokens_max, temperature, answer, effort } = request;
  return {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [...systemOf(request), ...request.messages.flatMap(messagesOf)],
    ...(dialect === "openai" ? { max_completion_tokens: tokens_max, ...cacheKey(request) } : { max_tokens: tokens_max, temperature }),
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, input }) => ({
            type: "function",
            function: { name: toProvider(name), description, parameters: { ...input, type: "object" } },
          })),
          tool_choice,
        }),
    ...(answer === null
      ? {}
      : {
          response_format: {
            type: "json_schema",
            json_schema: { name: answer.name, schema: answer.schema, strict: isStrict(answer.schema) },
          },
        }),
  };
}

/** What stays the same comes first, for the cache. */
function systemOf({ system }: ChatRequest): Said[] {
  const content = system.map(({ text }) => text).join("\n\n");
  return content === "" ? [] : [{ role: "system", content }];
}

function cacheKey({ system }: ChatRequest): { prompt_cache_key?: string } {
  const stable = system.filter((part) => part.stable).map(({ text }) => text);
  return stable.length === 0 ? {} : { prompt_cache_key: createHash("sha256").update(stable.join("\n")).digest("hex").slice(0, 32) };
}

/** Results of tools are messages of their own, before what else the user says. */
function messagesOf(message: Message): Said[] {
  if (message.role === "assistant") return [saidOf(message)];
  const results = message.parts.flatMap((part): Said[] =>
    part.type === "tool-result"
      ? [{ role: "tool", tool_call_id: part.id, content: part.is_error ? `error: ${part.text}` : part.text }]
      : [],
  );
  const text = textOf(message);
  return text === "" ? results : [...results, { role: "user", content: text }];
}

function saidOf(message: Extract<Message, { role: "assistant" }>): Said {
  const calls = message.parts.flatMap((part) =>
    part.type === "tool-use"
      ? [{ type: "function" as const, id: part.id, function: { name: toProvider(part.name), arguments: JSON.stringify(part.input) } }]
      : [],
  );
  return { role: "assistant", content: textOf(message), ...(calls.length === 0 ? {} : { tool_calls: calls }) };
}

function textOf({ parts }: Message): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}

/** What its strict mode takes: every object closed, with all members required. Anything else is refused with it, and checked by us alone. */
export function isStrict(schema: JsonSchema): boolean {
  const walk = (node: unknown): boolean => {
    if (Array.isArray(node)) return node.every(walk);
    if (typeof node !== "object" || node === null) return true;
    if ("properties" in node) {
      const members = Object.keys(node.properties ?? {});
      const required: readonly unknown[] = "required" in node && Array.isArray(node.required) ? node.required : [];
      if (!("additionalProperties" in node) || node.additionalProperties !== false) return false;
      if (!members.every((member) => required.includes(member))) return false;
    }
    return Object.values(node).every(walk);
  };
  return schema["type"] === "object" && walk(schema);
}
