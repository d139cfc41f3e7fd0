/** What the Messages API demands of a request (platform.claude.com/docs/en/api/messages), and what today's models refuse. */

import { z } from "zod";
import { type Asked, ours, type Prefix, refuse, tool_name } from "./asked.ts";

const cache_control = z.strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() }).optional();
const Text = z.strictObject({ type: z.literal("text"), text: z.string().min(1), cache_control });
const Block = z.discriminatedUnion("type", [
  Text,
  z.strictObject({
    type: z.literal("tool_use"),
    id: z.string().min(1),
    name: z.string().regex(tool_name),
    input: z.record(z.string(), z.json()),
  }),
  z.strictObject({
    type: z.literal("tool_result"),
    tool_use_id: z.string(),
    content: z.string(),
    is_error: z.boolean().optional(),
    cache_control,
  }),
  z.strictObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string().min(1) }),
]);
type Block = z.infer<typeof Block>;
const Body = z.strictObject({
  model: z.string().min(1),
  max_tokens: z.number().int().min(1).max(128_000),
  stream: z.literal(true),
  system: z.array(Text).optional(),
  messages: z.array(z.strictObject({ role: z.enum(["user", "assistant"]), content: z.array(Block).min(1) })).min(1),
  tools: z
    .array(
      z.strictObject({
        name: z.string().regex(tool_name),
        description: z.string(),
        input_schema: z.looseObject({ type: z.literal("object") }),
        cache_control,
      }),
    )
    .optional(),
  output_config: z
    .strictObject({
      format: z.strictObject({ type: z.literal("json_schema"), schema: z.record(z.string(), z.json()) }).optional(),
      effort: z.enum(["low", "medium", "high", "xhigh", "max"]).optional(),
    })
    .optional(),
});
type Body = z.infer<typeof Body>;

const version = "2026-10-21";
const breakpoints_max = 4;

export function checkAnthropic(headers: Headers, body: unknown, key: string): Asked {
  // SDKs send a Bearer token since that version, x-api-key before
  if (headers.get("authorization") !== `Bearer ${key}` && headers.get("x-api-key") !== key)
    refuse("invalid x-api-key", 401, "authentication_error");
  if (headers.get("anthropic-version") !== version) refuse(`anthropic-version: "${version}" is required`);
  const read = Body.safeParse(body);
  if (!read.success) return refuse(z.prettifyError(read.error));
  const { messages } = read.data;
  messages.forEach(({ role }, at) => {
    if (role !== (at % 2 === 0 ? "user" : "assistant")) refuse(`messages.${at}: roles must alternate, beginning with "user"`);
  });
  for (const at of messages.keys()) checkResults(messages, at);
  const marks = (JSON.stringify(body).match(/"cache_control":\{/g) ?? []).length;
  if (marks > breakpoints_max) refuse(`a maximum of ${breakpoints_max} blocks with cache_control may be provided, found ${marks}`);
  const format = read.data.output_config?.format?.schema;
  if (format !== undefined && format["additionalProperties"] !== false)
    refuse("output_config.format.schema: additionalProperties must be false");
  return askedOf(read.data);
}

/** Each call is answered in the next message, before anything else; nothing else is. */
function checkResults(messages: Body["messages"], at: number): void {
  const calls = (messages[at - 1]?.content ?? []).flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
  const content = messages[at]?.content ?? [];
  const results = content.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
  const missing = calls.filter((id) => !results.includes(id));
  if (missing.length > 0)
    refuse(`messages.${at}: tool_use ids were found without tool_result blocks immediately after: ${missing.join(", ")}`);
  const odd = results.filter((id) => !calls.includes(id));
  if (odd.length > 0) refuse(`messages.${at}: unexpected tool_use_id found in tool_result blocks: ${odd.join(", ")}`);
  if (content.slice(0, results.length).some(({ type }) => type !== "tool_result"))
    refuse(`messages.${at}: tool_result blocks have to come first`);
}

function askedOf(body: Body): Asked {
  const { model, messages, max_tokens, tools = [] } = body;
  const users = messages.filter(({ role }) => role === "user");
  return {
    model,
    first: textOf(users[0]?.content),
    last: textOf(users.at(-1)?.content),
    results: (users.at(-1)?.content ?? []).flatMap((block) => (block.type === "tool_result" ? [block.content] : [])).join("\n"),
    answers: messages.length - users.length,
    tools: tools.map(({ name }) => ours(name)),
    tokens_max: max_tokens,
    ...prefixesOf(body),
  };
}

function textOf(content: readonly Block[] = []): string {
  return content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
}

/** Tools, then system, then messages: the order in which the cache sees them. */
function prefixesOf({ tools = [], system = [], messages }: Body): Pick<Asked, "prefixes" | "whole"> {
  const blocks: readonly object[] = [...tools, ...system, ...messages.flatMap(({ content }) => content)];
  const prefixes: Prefix[] = [];
  let whole = "";
  for (const block of blocks) {
    const { cache_control: mark, ...plain } = { cache_control: undefined, ...block };
    whole += JSON.stringify(plain);
    prefixes.push({ text: whole, marked: mark !== undefined });
  }
  return { prefixes, whole };
}
