/** The typed client of the console, made from its route table. What comes back is parsed with the same schemas. */

import { existsSync } from "node:fs";
import type { z } from "zod";
import { openapi_path, Problem, type Route, type RouteName, routes } from "../../contracts/console.ts";
import { issuesText } from "../../wire/issues.ts";

type Routes = typeof routes;
type StreamName = { [N in RouteName]: Routes[N]["stream"] extends true ? N : never }[RouteName];
type CallName = Exclude<RouteName, StreamName>;
type BodyOf<N extends RouteName> = Routes[N]["body"] extends z.ZodType ? z.input<Routes[N]["body"]> : never;

interface CallInput<N extends RouteName> {
  readonly path?: z.input<Routes[N]["path_params"]>;
  readonly query?: z.input<Routes[N]["query"]>;
  readonly body?: BodyOf<N>;
  readonly signal?: AbortSignal;
}

/** The console answered, and the answer is no. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  constructor(readonly problem: Problem) {
    super(`${problem.title}: ${problem.detail}`);
  }
}

/** Nobody answers at the socket, or the connection broke off. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

export class Client {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  /** @throws {RefusedError} @throws {UnreachableError} */
  async call<N extends CallName>(name: N, input: CallInput<N> = {}): Promise<z.output<Routes[N]["response"]>> {
    const response = await this.#fetch(routes[name], input);
    return parse(routes[name].response, await readJson(response, this.socket), name) as z.output<Routes[N]["response"]>;
  }

  /** Items as they come, until the stream or `signal` ends. @throws {RefusedError} @throws {UnreachableError} */
  async *stream<N extends StreamName>(name: N, input: CallInput<N> = {}): AsyncGenerator<z.output<Routes[N]["response"]>> {
    const route = routes[name];
    try {
      const response = await this.#fetch(route, input);
      for await (const line of lines(response)) yield parse(route.response, JSON.parse(line), name) as z.output<Routes[N]["response"]>;
    } catch (error) {
      if (input.signal?.aborted === true) return;
      throw error instanceof RefusedError || error instanceof UnreachableError ? error : unreachable(this.socket, error);
    }
  }

  async openapi(): Promise<unknown> {
    return await readJson(await this.#send("GET", openapi_path), this.socket);
  }

  async #fetch(route: Route, input: { path?: unknown; query?: unknown; body?: unknown; signal?: AbortSignal }): Promise<Response> {
    const path = route.path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(strings(input.path)[key] ?? ""));
    const query = new URLSearchParams(strings(input.query)).toString();
    return await this.#send(route.method, query === "" ? path : `${path}?${query}`, input.body, input.signal);
  }

  async #send(method: string, target: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`http://aios${target}`, {
        unix: this.socket,
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw unreachable(this.socket, error);
    }
    if (response.ok) return response;
    throw new RefusedError(problemOf(response.status, await response.text()));
  }
}

async function* lines(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body ?? []) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts.filter((part) => part !== "");
  }
}

async function readJson(response: Response, socket: string): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw unreachable(socket, error);
  }
}

function parse(schema: z.ZodType, value: unknown, name: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // what failed after the answer had begun says so in its place
  const late = Problem.safeParse(value);
  if (late.success) throw new RefusedError(late.data);
  throw new RefusedError({
    title: "The answer does not fit",
    status: 502,
    detail: `reading the answer to "${name}" failed: ${issuesText(parsed.error)}`,
    todo: "use the aiosctl of the same release as the system",
  });
}

function problemOf(status: number, text: string): Problem {
  try {
    const parsed = Problem.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
  } catch {
    // Not JSON: an answer of the HTTP layer itself.
  }
  // RFC 9110, 15.5.14: before anything of it was read
  const detail = status === 413 ? "what was sent is larger than the console takes: a document is at most 64 KiB" : `HTTP status ${status}`;
  return { title: "The request was refused", status, detail };
}

function unreachable(socket: string, error: unknown): UnreachableError {
  const said = error instanceof Error ? error.message : String(error);
  const cause = existsSync(socket) ? said.replace(/\s*For more information, pass.*$/s, "") : "there is no such socket";
  return new UnreachableError(
    `reaching the console at "${socket}" failed: ${cause}; is the system running? Say where with --socket PATH or AIOS_SOCKET`,
  );
}

function strings(values: unknown): Record<string, string> {
  const entries = typeof values === "object" && values !== null ? Object.entries(values) : [];
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined).map(([key, value]) => [key, String(value)]));
}
