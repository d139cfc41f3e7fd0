/** For tests: both back ends, on the real SDKs, against the provider of the tests; and requests. */

import { ChatRequest } from "../../../contracts/model/chat.ts";
import { type ProviderOptions, startProvider, type TestProvider } from "../../testing/provider/server.ts";
import { anthropicProvider } from "../anthropic/provider.ts";
import { openaiProvider } from "../openai/provider.ts";
import type { Provider } from "../port.ts";

/** Long, and nowhere by chance. */
export const test_key = "sk-test-Zr7pQv2mXw9KdLs4TbNc8YhGj3FuEa6R";

export const kinds = ["anthropic", "openai"] as const;
export type Kind = (typeof kinds)[number];

export interface Stage extends AsyncDisposable {
  readonly server: TestProvider;
  readonly provider: Provider;
}

export function providerFor(kind: Kind, server: TestProvider, changes: { key?: string; ca?: string; silence_ms?: number } = {}): Provider {
  const options = {
    model: `${kind}-test`,
    base_url: kind === "anthropic" ? server.anthropic_url : server.openai_url,
    key: changes.key ?? test_key,
    way: { ca: changes.ca ?? null, silence_ms: changes.silence_ms ?? 60_000 },
  };
  return kind === "anthropic" ? anthropicProvider(options) : openaiProvider(options);
}

export async function stage(
  kind: Kind,
  script: ProviderOptions["script"],
  changes: Parameters<typeof providerFor>[2] = {},
): Promise<Stage> {
  const server = await startProvider({ script, key: test_key });
  return { server, provider: providerFor(kind, server, changes), [Symbol.asyncDispose]: () => server.close() };
}

export function says(text: string, more: object = {}): ProviderOptions["script"] {
  return { conversations: [{ turns: [{ say: [{ text }], ...more }] }] };
}

export function asks(text: string, more: Partial<import("zod").input<typeof ChatRequest>> = {}): ChatRequest {
  return ChatRequest.parse({
    system: [{ text: "You look after a machine.", stable: true }],
    messages: [{ role: "user", parts: [{ type: "text", text }] }],
    tokens_max: 500,
    limit_ms: 60_000,
    ...more,
  });
}

/** One try. */
export function attempt(provider: Provider, request: ChatRequest, signal = new AbortController().signal, onText = (_: string): void => {}) {
  return provider.attempt(request, { signal, hears: { alive() {}, token() {}, text: onText } });
}

/** @returns the error that it rejects with */
export async function failing(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it was to fail and did not");
}
