/** OpenAI, or whoever speaks its chat completions, by the official SDK. Its retries and its log are off, as with Claude's. */

import OpenAI from "openai";
import type { ApiOptions } from "../api.ts";
import { attemptWith } from "../attempt.ts";
import { watchedFetch } from "../http.ts";
import type { Provider } from "../port.ts";
import { Reading } from "./reply.ts";
import { paramsOf } from "./request.ts";

const openai_host = "api.openai.com";

export function openaiProvider({ model, base_url, key, way }: ApiOptions): Provider {
  const name = `openai ${model}`;
  const dialect = new URL(base_url).host === openai_host ? "openai" : "compatible";
  return {
    name,
    model,
    attempt: (request, options) =>
      attemptWith({ name, key, request, ...options }, new Reading(), (give_up, signal) => {
        const client = new OpenAI({
          baseURL: base_url,
          // it wants one; a server of one's own need not
          apiKey: key === "" ? "none" : key,
          adminAPIKey: null,
          organization: null,
          project: null,
          webhookSecret: null,
          maxRetries: 0,
          logLevel: "off",
          fetch: watchedFetch(way, give_up),
        });
        return client.chat.completions.create(paramsOf(request, model, dialect), { signal });
      }),
  };
}
