/**
 * The model port: what the tiers ask for an answer, whichever model gives it (contracts/model/chat.ts). Back ends implement
 * `ChatModel` or, when they are reached over a network, `Provider`, of which `reach/` makes a `ChatModel`.
 */

import type { ChatAnswer, ChatErrorKind, ChatRequest, ChoiceAnswer, ChoiceRequest, Reply, Tokens } from "../../contracts/model/chat.ts";

export interface ChatOptions {
  /** Aborted: the answer is not wanted any more; what runs is broken off, and the promise rejects with `cancelled`. */
  readonly signal?: AbortSignal;
  /** Text as it comes. What came of a try that broke off comes again with the next one: `onRestart` says so. */
  readonly onText?: (delta: string) => void;
  readonly onRestart?: () => void;
  /** The incident that it is for: what its budget counts by. */
  readonly incident?: string;
}

export interface ChatModel {
  /** @throws {ChatError} */
  chat(request: ChatRequest, options?: ChatOptions): Promise<ChatAnswer>;
}

/** A model that can also be asked for one choice out of a few, each weighed: one of this machine. */
export interface ChoiceModel extends ChatModel {
  /** @throws {ChatError} */
  choose(request: ChoiceRequest, options?: Pick<ChatOptions, "signal">): Promise<ChoiceAnswer>;
}

/** What one try has surely cost: nothing, that much, or nobody knows (it broke off), which counts as the most that it can. */
export type Spent = "nothing" | "unknown" | Tokens;

interface ChatErrorDetails {
  /** Milliseconds until it may work; null when nobody said. */
  readonly retry_after_ms?: number | null;
  /** Whether the same request may succeed when it is sent again. */
  readonly again?: boolean;
  readonly spent?: Spent;
}

/** Why there is no answer. Its text is safe to log: no key, and words of others cut short and quoted. */
export class ChatError extends Error {
  override readonly name = "ChatError";
  readonly kind: ChatErrorKind;
  readonly retry_after_ms: number | null;
  readonly again: boolean;
  readonly spent: Spent;

  constructor(kind: ChatErrorKind, message: string, { retry_after_ms = null, again = false, spent = "nothing" }: ChatErrorDetails = {}) {
    super(message);
    this.kind = kind;
    this.retry_after_ms = retry_after_ms;
    this.again = again;
    this.spent = spent;
  }
}

/** What is heard of a try while it goes on. */
export interface Hears {
  /** Something came: the provider works on it. */
  alive(): void;
  /** The first token of the answer, whatever it belongs to. */
  token(): void;
  text(delta: string): void;
}

/** A model behind an API: one request, one try, nothing remembered. */
export interface Provider {
  /** For people: `anthropic claude-opus-5-5`. */
  readonly name: string;
  readonly model: string;
  /**
   * @param signal breaks the try off; its reason is thrown as it is
   * @throws {ChatError}
   */
  attempt(request: ChatRequest, options: { readonly signal: AbortSignal; readonly hears: Hears }): Promise<Reply>;
}
