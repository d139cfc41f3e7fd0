/** What a tier asks of the process that holds its model (`aios think`), over a pipe (contracts/model/chat.ts has the shapes). */

import { z } from "zod";
import { method } from "../rpc.ts";
import { AssistantPart, ChatAnswer, ChatErrorKind, ChatRequest, ChoiceAnswer, ChoiceRequest, Usage } from "./chat.ts";

/** By which a request is cancelled, and its text told apart. */
const RequestId = z.int().min(1);

/** Questions and chats that may be open at once, waiting ones included. */
export const choices_open_max = 32;
export const chats_open_max = 16;

/** Bytes of a request as JSON, well below a frame; and characters of an answer. */
export const request_bytes_max = 200_000;
export const answer_chars_max = 50_000;

const Failure = z.lazy(() => z.strictObject({ kind: ChatErrorKind, message: z.string().max(2000) }));

/** What the model said, before it is held against what was asked. */
export const Thought = z.lazy(() =>
  z.strictObject({
    parts: z.array(AssistantPart).max(64),
    stop: ChatAnswer.shape.stop,
    usage: Usage,
    first_token_ms: z.number(),
  }),
);
export type Thought = z.infer<typeof Thought>;

export const think_methods = {
  choose: method(() => ({
    params: z.strictObject({ id: RequestId, request: ChoiceRequest }),
    result: z.union([z.strictObject({ answer: ChoiceAnswer }), z.strictObject({ failure: Failure })]),
  })),
  chat: method(() => ({
    params: z.strictObject({ id: RequestId, request: ChatRequest }),
    result: z.union([z.strictObject({ answer: Thought }), z.strictObject({ failure: Failure })]),
  })),
  /** Answered at once, also while it computes: one that is slow is told from one that hangs by it. */
  alive: method(() => ({ params: z.strictObject({}), result: z.strictObject({}) })),
} as const;

export const think_notifications = {
  /** Nobody waits for it any more; its call is answered with `cancelled`. */
  cancel: z.strictObject({ id: RequestId }),
} as const;

export const thinker_notifications = {
  /** Once, before anything is asked. */
  loaded: z.strictObject({
    model: z.string().max(100),
    /** `CPU`, or the kind of graphics processor that computes. */
    on: z.string().max(40),
    /** That compute usually, and while nobody else works on this machine. */
    threads: z.strictObject({ usual: z.int().min(1), idle: z.int().min(1) }),
    took_ms: z.number(),
  }),
  /** The process ends after it. */
  failed: z.strictObject({ reason: z.string().max(500) }),
  /** Text of a chat, as it comes. */
  delta: z.strictObject({ id: RequestId, text: z.string() }),
} as const;
