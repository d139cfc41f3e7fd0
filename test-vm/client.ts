/** The console as a scenario sees it: HTTP over the unix socket, every answer parsed with the contract's schema. */

import type { z } from "zod";
import { Problem, type Route, type RouteName, routes } from "../contracts/console.ts";

type Answer<N extends RouteName> = (typeof routes)[N]["response"] extends z.ZodType ? z.infer<(typeof routes)[N]["response"]> : never;
type PathParams<N extends RouteName> = z.input<(typeof routes)[N]["path_params"]>;
type Query<N extends RouteName> = z.input<(typeof routes)[N]["query"]>;

export interface CallOptions<N extends RouteName> {
  readonly path?: PathParams<N>;
  readonly query?: Query<N>;
  /** Sent as the body of a POST. */
  readonly reason?: string;
  readonly limit_ms?: number;
  readonly signal?: AbortSignal;
}

/** The console answered with a problem. */
export class ConsoleProblem extends Error {
  override readonly name = "ConsoleProblem";
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export class Console {
  constructor(readonly socket: string) {}

  /** One request, one answer. @throws {ConsoleProblem} */
  async call<N extends RouteName>(name: N, options: CallOptions<N> = {}): Promise<Answer<N>> {
    const response = await this.#request(name, options);
    const route: Route = routes[name];
    return route.response.parse(await response.json()) as Answer<N>;
  }

  /** All that a stream holds now: it is asked not to stay open. */
  async list<N extends RouteName>(name: N, options: CallOptions<N> = {}): Promise<Answer<N>[]> {
    const found: Answer<N>[] = [];
    for await (const item of this.follow(name, options)) found.push(item);
    return found;
  }

  /** A stream, line by line, until it ends or the consumer leaves. */
  async *follow<N extends RouteName>(name: N, options: CallOptions<N> = {}): AsyncGenerator<Answer<N>> {
    const leave = new AbortController();
    const signal = options.signal === undefined ? leave.signal : AbortSignal.any([leave.signal, options.signal]);
    const response = await this.#request(name, { ...options, signal });
    const route: Route = routes[name];
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const chunk of response.body ?? []) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line !== "") yield route.response.parse(JSON.parse(line)) as Answer<N>;
      }
    } finally {
      leave.abort();
    }
  }

  async #request<N extends RouteName>(name: N, options: CallOptions<N>): Promise<Response> {
    const route: Route = routes[name];
    const parameters = new Map(Object.entries(options.path ?? {}));
    const path = route.path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(parameters.get(key))));
    const query = new URLSearchParams(Object.entries(options.query ?? {}).map(([key, value]): [string, string] => [key, String(value)]));
    const limit = AbortSignal.timeout(options.limit_ms ?? (route.stream ? 120_000 : 60_000));
    const response = await fetch(`http://aios${path}${query.size === 0 ? "" : `?${query}`}`, {
      unix: this.socket,
      method: route.method,
      ...(route.method === "POST" && {
        body: JSON.stringify({ reason: options.reason ?? "a scenario asks" }),
        headers: { "content-type": "application/json" },
      }),
      signal: options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]),
    });
    if (response.ok) return response;
    const text = await response.text();
    throw new ConsoleProblem(response.status, `calling "${name}" failed: status ${response.status}: ${problemText(text)}`);
  }
}

/** The answer may get lost on the way down; what counts is whether the system goes down, and the caller waits for that. */
export async function askForPoweroff(console_: Console): Promise<void> {
  try {
    await console_.call("poweroff", { reason: "asked for by the harness" });
  } catch (error) {
    if (error instanceof ConsoleProblem) throw error;
  }
}

function problemText(text: string): string {
  try {
    const parsed = Problem.safeParse(JSON.parse(text));
    if (parsed.success) return `${parsed.data.title}: ${parsed.data.detail}`;
  } catch {
    // not JSON: said as it came
  }
  return text.slice(0, 500);
}
