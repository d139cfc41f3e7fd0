/**
 * Claude, by the official SDK: its client and its Messages, which are a third of the whole. Its own retries are off, so that each
 * try is seen by budgets and limits; so is all that it logs.
 */

import { BaseAnthropic } from "@anthropic-ai/sdk/client";
import { Messages } from "@anthropic-ai/sdk/resources/messages/messages";
import type { ApiOptions } from "../api.ts";
import { attemptWith } from "../attempt.ts";
import { watchedFetch } from "../http.ts";
import type { Provider } from "../port.ts";
import { back_end, Reading } from "./reply.ts";
import { paramsOf } from "./request.ts";

export function anthropicProvider({ model, base_url, key, way }: ApiOptions): Provider {
  const name = `${back_end} ${model}`;
  return {
    name,
    model,
    attempt: (request, options) =>
      attemptWith({ name, key, request, ...options }, new Reading(), (give_up, signal) => {
        // everything that it would read from the environment or from files is given
        const client = new BaseAnthropic({
          baseURL: base_url,
          apiKey: key,
          authToken: null,
          webhookKey: null,
          maxRetries: 0,
          logLevel: "off",
          openTelemetry: false,
          fetch: watchedFetch(way, give_up),
        });
        return new Messages(client).create(paramsOf(request, model), { signal });
      }),
  };
}
