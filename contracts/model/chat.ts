/**
 * What is asked of a language model and what it answers, the same for all back ends: llama.cpp on this machine, Claude,
 * an OpenAI-compatible API. What a model says is text from outside: it is parsed by schema, and never obeyed.
 */

import { z } from "zod";
import { ToolName } from "../tool.ts";

const text_max = 200_000;

export const Json = z.json();
export type Json = z.infer<typeof Json>;

/** A JSON schema (2020-12) as zod makes it. */
export const JsonSchema = z.record(z.string(), z.json());
export type JsonSchema = z.infer<typeof JsonSchema>;

/** A part of the system prompt. `stable`: the same in the next request, so that what precedes and includes it is worth caching. */
export const SystemPart = z.lazy(() => z.strictObject({ text: z.string().max(text_max), stable: z.boolean() }));

export const TextPart = z.lazy(() => z.strictObject({ type: z.literal("text"), text: z.string().max(text_max) }));
/** The model wants a tool called. `id` ties the result to it. */
export const ToolUsePart = z.lazy(() =>
  z.strictObject({
    type: z.literal("tool-use"),
    id: z.string().min(1).max(200),
    name: z.string().max(64),
    input: z.record(z.string(), z.json()),
  }),
);
export type ToolUsePart = z.infer<typeof ToolUsePart>;
export const ToolResultPart = z.lazy(() =>
  z.strictObject({
    type: z.literal("tool-result"),
    id: z.string().min(1).max(200),
    text: z.string().max(text_max),
    is_error: z.boolean(),
  }),
);

/**
 * What a back end wants back as it came, in the same place, with the next request: reasoning that the provider signed. It means
 * nothing to anybody else, and another back end leaves it out.
 */
export const OpaquePart = z.lazy(() => z.strictObject({ type: z.literal("opaque"), back_end: z.string().max(40), data: z.json() }));

export const AssistantPart = z.discriminatedUnion("type", [TextPart, ToolUsePart, OpaquePart]);
export type AssistantPart = z.infer<typeof AssistantPart>;

export const Message = z.discriminatedUnion("role", [
  z.strictObject({
    role: z.literal("user"),
    parts: z
      .array(z.discriminatedUnion("type", [TextPart, ToolResultPart]))
      .min(1)
      .max(64),
  }),
  z.strictObject({ role: z.literal("assistant"), parts: z.array(AssistantPart).min(1).max(64) }),
]);
export type Message = z.infer<typeof Message>;

export const OfferedTool = z.lazy(() => z.strictObject({ name: ToolName, description: z.string().max(8000), input: JsonSchema }));
export type OfferedTool = z.infer<typeof OfferedTool>;

export const ChatRequest = z.lazy(() =>
  z.strictObject({
    system: z.array(SystemPart).max(8),
    messages: z.array(Message).min(1).max(200),
    tools: z.array(OfferedTool).max(128).default([]),
    /** `auto`: may call one; `required`: has to; `none`: may not. */
    tool_choice: z.enum(["auto", "required", "none"]).default("auto"),
    /** The answer has to be JSON of this schema (`ChatAnswer.json`); not together with tools. */
    answer: z
      .strictObject({ name: z.string().regex(/^[a-z][a-z0-9_]{0,40}$/), schema: JsonSchema })
      .nullable()
      .default(null),
    /** Of the answer, and of what it thinks before it. */
    tokens_max: z.int().min(1).max(64_000),
    /** How much it is to think; left out: as the model does by itself. Models that do not know the setting are asked without it. */
    effort: z.enum(["low", "medium", "high"]).optional(),
    /** 0: always the likeliest. Back ends whose models refuse the setting leave it out. */
    temperature: z.number().min(0).max(2).default(0),
    /** Milliseconds for all of it, retries included. */
    limit_ms: z.int().min(1).max(600_000),
  }),
);
export type ChatRequest = z.infer<typeof ChatRequest>;

/** Tokens and what they cost. Input counts what was neither read from nor written to a cache. */
export const Usage = z.strictObject({
  input_tokens: z.int().min(0),
  cache_read_tokens: z.int().min(0),
  cache_write_tokens: z.int().min(0),
  output_tokens: z.int().min(0),
  /** US dollars by the catalogue's prices; 0 on this machine. */
  cost_usd: z.number().min(0),
});
export type Usage = z.infer<typeof Usage>;

export const Tokens = Usage.omit({ cost_usd: true });
export type Tokens = z.infer<typeof Tokens>;

/** What one try with a provider brought, as it is held against this where it comes in. */
export const Reply = z.strictObject({
  /** The model as the provider names it. */
  model: z.string().max(200),
  parts: z.array(AssistantPart).max(64),
  stop: z.enum(["end", "tool-use", "length", "refused"]),
  /** Null when the provider did not say: then it counts as the most that it can be. */
  tokens: Tokens.nullable(),
});
export type Reply = z.infer<typeof Reply>;

export const ChatAnswer = z.strictObject({
  /** The model as the back end names it. */
  model: z.string().max(200),
  /** What it said, in order: the assistant's message, where the conversation goes on. */
  parts: z.array(AssistantPart).max(64),
  /** Of these: the text, joined; the calls that it wants. Their inputs fit the schemas of the tools that were offered. */
  text: z.string().max(text_max),
  tool_uses: z.array(ToolUsePart).max(64),
  /** Fits the schema that was asked for; null when none was. */
  json: Json.nullable(),
  /** `length`: `tokens_max` was reached, the answer is cut off; `refused`: the provider's own policy. */
  stop: Reply.shape.stop,
  usage: Usage,
  /** Milliseconds until the first token and until the end; how often it was tried again. */
  first_token_ms: z.number(),
  took_ms: z.number(),
  retries: z.int().min(0),
});
export type ChatAnswer = z.infer<typeof ChatAnswer>;

/** Why there is no answer. */
export const ChatErrorKind = z.enum([
  /** No model: none is configured, loaded, or none fits; no key. */
  "absent",
  /** The back end cannot be reached, broke off, or failed so often of late that it is left alone for a while. */
  "unreachable",
  /** It is overloaded or limits the rate; `retry_after_ms` says for how long. */
  "limited",
  /** The request was refused as wrong: too long, a schema or setting that it does not take. */
  "rejected",
  /** The key is not accepted. */
  "unauthorised",
  /** What it may cost at most does not fit a budget; `retry_after_ms` says when it will, null: never. */
  "budget",
  /** The answer did not fit the schema, after retries. */
  "nonsense",
  "timeout",
  "cancelled",
]);
export type ChatErrorKind = z.infer<typeof ChatErrorKind>;

/**
 * One choice out of a few: what small models are good at. The question is read once, each option is weighed by its
 * probability; nothing else can come out.
 */
export const ChoiceRequest = z.lazy(() =>
  z.strictObject({
    system: z.array(SystemPart).max(8),
    question: z.string().min(1).max(20_000),
    /** What the model may say, word by word. */
    options: z.array(z.string().min(1).max(100)).min(2).max(64),
    limit_ms: z.int().min(1).max(600_000),
  }),
);
export type ChoiceRequest = z.infer<typeof ChoiceRequest>;

export const ChoiceAnswer = z.lazy(() =>
  z.strictObject({
    model: z.string().max(200),
    /** In the order of the options; sums to 1. Not calibrated: that is for who asks. */
    probabilities: z.array(z.number().min(0).max(1)),
    usage: Usage,
    /** Of `took_ms`: reading what of the prompt was new. The rest went into weighing where options part. */
    read_ms: z.number(),
    took_ms: z.number(),
  }),
);
export type ChoiceAnswer = z.infer<typeof ChoiceAnswer>;
