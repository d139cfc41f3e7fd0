/** What is asked, in the words of Claude's Messages API. */

import type Anthropic from "@anthropic-ai/sdk";
import { transformJSONSchema } from "@anthropic-ai/sdk/lib/transform-json-schema";
import type { AssistantPart, ChatRequest, JsonSchema, Message, OfferedTool } from "../../../contracts/model/chat.ts";
import { toProvider } from "../names.ts";
import { ChatError } from "../port.ts";
import { back_end } from "./reply.ts";

type Params = Anthropic.MessageCreateParamsStreaming;
type Block = Anthropic.ContentBlockParam;

const cached = { cache_control: { type: "ephemeral" } } as const;

/**
 * Breakpoints of the prompt cache, three of the four that the API allows: the tools, the stable beginning of the system prompt, and
 * in a loop of tool calls the conversation so far. `temperature` is not sent: today's models refuse it. A call of a tool is never
 * forced, which they refuse too: `required` is asked for in words, and whoever checks the answer holds it against that.
 */
export function paramsOf(request: ChatRequest, model: string): Params {
  const { tokens_max } = request;
  const tools = request.tool_choice === "none" ? [] : request.tools;
  return {
    model,
    max_tokens: tokens_max,
    stream: true,
    messages: request.messages.map((message, at) => messageOf(message, at === request.messages.length - 1)),
    ...(request.system.length === 0 && request.tool_choice !== "required" ? {} : { system: systemOf(request) }),
    ...(tools.length === 0 ? {} : { tools: tools.map((tool, at) => toolOf(tool, at === tools.length - 1)) }),
    ...outputOf(request),
  };
}

function outputOf({ answer, effort }: ChatRequest): Pick<Params, "output_config"> {
  if (answer === null && effort === undefined) return {};
  const format = answer === null ? {} : { format: { type: "json_schema" as const, schema: schemaOf(answer.schema) } };
  return { output_config: { ...format, ...(effort === undefined ? {} : { effort }) } };
}

function systemOf({ system, tool_choice }: ChatRequest): Anthropic.TextBlockParam[] {
  const last_stable = system.findLastIndex(({ stable }) => stable);
  const parts = system.map(({ text }, at): Anthropic.TextBlockParam => ({ type: "text", text, ...(at === last_stable ? cached : {}) }));
  return tool_choice === "required" ? [...parts, { type: "text", text: "Answer by calling a tool." }] : parts;
}

function toolOf({ name, description, input }: OfferedTool, last: boolean): Anthropic.Tool {
  return { name: toProvider(name), description, input_schema: { ...input, type: "object" }, ...(last ? cached : {}) };
}

function messageOf(message: Message, last: boolean): Anthropic.MessageParam {
  if (message.role === "assistant") return { role: "assistant", content: message.parts.flatMap(saidOf) };
  const loop = last && message.parts.some(({ type }) => type === "tool-result");
  const content = message.parts.map((part, at): Block => {
    const mark = loop && at === message.parts.length - 1 ? cached : {};
    if (part.type === "text") return { type: "text", text: part.text, ...mark };
    return { type: "tool_result", tool_use_id: part.id, content: part.text, is_error: part.is_error, ...mark };
  });
  return { role: "user", content };
}

function saidOf(part: AssistantPart): Block[] {
  if (part.type === "text") return part.text.trim() === "" ? [] : [{ type: "text", text: part.text }]; // it refuses blank text
  if (part.type === "tool-use") return [{ type: "tool_use", id: part.id, name: toProvider(part.name), input: part.input }];
  return part.back_end === back_end ? thinkingOf(part.data) : [];
}

/** As `reply.ts` kept it. */
function thinkingOf(data: unknown): Block[] {
  if (typeof data !== "object" || data === null) return [];
  if ("thinking" in data && "signature" in data && typeof data.thinking === "string" && typeof data.signature === "string")
    return [{ type: "thinking", thinking: data.thinking, signature: data.signature }];
  return "redacted" in data && typeof data.redacted === "string" ? [{ type: "redacted_thinking", data: data.redacted }] : [];
}

/** What the API enforces of a schema, by the SDK's own rules; the rest goes into descriptions, and we check all of it. */
function schemaOf(schema: JsonSchema): Record<string, unknown> {
  try {
    return transformJSONSchema(schema);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new ChatError("rejected", `writing the answer's schema for the API failed: ${cause}; give each member a type`);
  }
}
