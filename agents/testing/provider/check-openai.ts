/** What chat completions demand of a request (platform.openai.com/docs/api-reference/chat). */

import { z } from "zod";
import { type Asked, ours, refuse, tool_name } from "./asked.ts";

const Call = z.strictObject({
  id: z.string().min(1),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string().regex(tool_name), arguments: z.string() }),
});
const Message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("system"), content: z.string().min(1) }),
  z.strictObject({ role: z.literal("user"), content: z.string().min(1) }),
  z.strictObject({ role: z.literal("assistant"), content: z.string(), tool_calls: z.array(Call).min(1).optional() }),
  z.strictObject({ role: z.literal("tool"), tool_call_id: z.string(), content: z.string() }),
]);
type Message = z.infer<typeof Message>;
const Body = z.strictObject({
  model: z.string().min(1),
  stream: z.literal(true),
  stream_options: z.strictObject({ include_usage: z.literal(true) }),
  messages: z.array(Message).min(1),
  max_tokens: z.number().int().min(1).optional(),
  max_completion_tokens: z.number().int().min(1).optional(),
  prompt_cache_key: z.string().max(64).optional(),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).optional(),
  temperature: z.number().min(0).max(2).optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal("function"),
        function: z.strictObject({
          name: z.string().regex(tool_name),
          description: z.string(),
          parameters: z.looseObject({ type: z.literal("object") }),
        }),
      }),
    )
    .min(1)
    .optional(),
  tool_choice: z.enum(["auto", "required", "none"]).optional(),
  response_format: z
    .strictObject({
      type: z.literal("json_schema"),
      json_schema: z.strictObject({ name: z.string().max(64), schema: z.record(z.string(), z.json()), strict: z.boolean() }),
    })
    .optional(),
});
type Body = z.infer<typeof Body>;

export function checkOpenai(headers: Headers, body: unknown, key: string): Asked {
  if (headers.get("authorization") !== `Bearer ${key}`)
    refuse(`Incorrect API key provided: ${key.slice(0, 10)}***.`, 401, "invalid_request_error");
  const read = Body.safeParse(body);
  if (!read.success) return refuse(z.prettifyError(read.error));
  if (read.data.tool_choice !== undefined && read.data.tools === undefined)
    refuse("'tool_choice' is only allowed when 'tools' are specified.");
  checkResults(read.data.messages);
  return askedOf(read.data);
}

function checkResults(messages: readonly Message[]): void {
  let open: string[] = [];
  for (const [at, message] of messages.entries()) {
    if (message.role === "tool") {
      if (!open.includes(message.tool_call_id))
        refuse(`messages.[${at}]: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.`);
      open = open.filter((id) => id !== message.tool_call_id);
      continue;
    }
    if (open.length > 0)
      refuse(
        `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id': ${open.join(", ")}`,
      );
    if (message.role === "assistant") open = (message.tool_calls ?? []).map(({ id }) => id);
  }
}

function askedOf({ model, messages, tools = [], ...body }: Body): Asked {
  const users = messages.filter(({ role }) => role === "user");
  const last_answer = messages.findLastIndex(({ role }) => role === "assistant");
  const since = messages.slice(last_answer + 1);
  const system = messages.filter(({ role }) => role === "system");
  return {
    model,
    first: users[0]?.content ?? "",
    last: since.flatMap((one) => (one.role === "user" ? [one.content] : [])).join("\n"),
    results: since.flatMap((one) => (one.role === "tool" ? [one.content] : [])).join("\n"),
    answers: messages.filter(({ role }) => role === "assistant").length,
    tools: tools.map((tool) => ours(tool.function.name)),
    tokens_max: body.max_completion_tokens ?? body.max_tokens ?? 4096,
    // it keeps prefixes by itself
    prefixes: system.length === 0 && tools.length === 0 ? [] : [{ text: JSON.stringify([tools, system]), marked: true }],
    whole: JSON.stringify([tools, messages]),
  };
}
