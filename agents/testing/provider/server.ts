/** The server itself: which turn a request gets, and how it is sent. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { anthropic } from "./anthropic.ts";
import { type Asked, type Protocol, Refused, type Wrong } from "./asked.ts";
import { PromptCache } from "./cache.ts";
import { openai } from "./openai.ts";
import { type Fault, filled, Script, type ScriptText, type Turn } from "./script.ts";

export interface ProviderOptions {
  readonly script: ScriptText;
  readonly key: string;
  /** Left out: any free one. */
  readonly port?: number;
  /** PEM: it speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface Received {
  readonly protocol: "anthropic" | "openai";
  readonly body: unknown;
  /** Without the key. */
  readonly headers: Readonly<Record<string, string>>;
  /** The client went away before it had everything. */
  aborted: boolean;
}

const type_of_status: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};

/** Where a test that is another process reads how often a model was asked. */
export const counted = "/requests";

const pause = (ms: number): Promise<void> => (ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms)));

export async function startProvider(options: ProviderOptions): Promise<TestProvider> {
  const provider = new TestProvider(options);
  await provider.listen(options);
  return provider;
}

export class TestProvider {
  readonly requests: Received[] = [];
  /** What broke the protocol or was not expected, in words. */
  readonly problems: string[] = [];
  readonly #key: string;
  #script: Script;
  /** How many faults of a turn were used up. */
  #used = new Map<Turn, number>();
  readonly #cache = new PromptCache();
  #server: ReturnType<typeof createServer> | null = null;
  #url = "";
  #waiting: (() => void)[] = [];
  #sent = 0;

  constructor({ script, key }: ProviderOptions) {
    this.#script = Script.parse(script);
    this.#key = key;
  }

  get anthropic_url(): string {
    return this.#url;
  }

  get openai_url(): string {
    return `${this.#url}/v1`;
  }

  /** From now on it says this. */
  use(script: ScriptText): void {
    this.#script = Script.parse(script);
    this.#used = new Map();
  }

  /** Until it is so: looked at again whenever a request comes or ends. */
  async until(what: string, so: () => boolean, limit_ms = 30_000): Promise<void> {
    const over = performance.now() + limit_ms;
    while (!so()) {
      if (performance.now() > over) throw new Error(`waiting for ${what} failed: it did not happen within ${limit_ms} ms`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      const timer = setTimeout(resolve, 100);
      await promise;
      clearTimeout(timer);
    }
  }

  async listen({ port = 0, tls }: ProviderOptions): Promise<void> {
    const handle = (request: IncomingMessage, response: ServerResponse): void => void this.#handle(request, response);
    const server = tls === undefined ? createServer(handle) : createTlsServer({ ...tls }, handle);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
    await promise;
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("starting the provider failed: it has no port");
    this.#server = server;
    this.#url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#server === null) return;
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    this.#server = null;
    await promise;
  }

  #stir(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
    if (request.method === "GET" && request.url === counted) {
      response.end(String(this.requests.length));
      return;
    }
    const protocol = [anthropic, openai].find(({ path }) => path === request.url);
    this.#sent += 1;
    const id = `req_${String(this.#sent).padStart(8, "0")}`;
    if (protocol === undefined || request.method !== "POST") {
      this.problems.push(`${request.method} ${request.url}: there is nothing here`);
      response.writeHead(404).end("not found");
      return;
    }
    const headers = headersOf(request);
    const received = this.#receive(protocol, headers, Buffer.concat(chunks).toString());
    response.on("close", () => {
      received.aborted = !response.writableFinished;
      this.#stir();
    });
    this.#stir();
    try {
      await this.#answer(protocol, protocol.check(headers, received.body, this.#key), response, id);
    } catch (error) {
      const wrong: Wrong = error instanceof Refused ? error.wrong : { status: 500, type: "api_error", message: String(error) };
      if (wrong.status !== 401) this.problems.push(`${protocol.path}: ${wrong.message}`);
      sendError(protocol, wrong, response, id);
    }
  }

  #receive(protocol: Protocol, headers: Headers, text: string): Received {
    const shown = Object.fromEntries([...headers].filter(([name]) => name !== "x-api-key" && name !== "authorization"));
    let body: unknown = null;
    try {
      body = JSON.parse(text);
    } catch {
      this.problems.push(`${protocol.path}: the body is no JSON`);
    }
    const received: Received = { protocol: protocol === anthropic ? "anthropic" : "openai", body, headers: shown, aborted: false };
    this.requests.push(received);
    return received;
  }

  async #answer(protocol: Protocol, asked: Asked, response: ServerResponse, id: string): Promise<void> {
    const { turn, said } = this.#turnFor(asked);
    const used = this.#used.get(turn) ?? 0;
    const fault = turn.faults[used];
    this.#used.set(turn, used + 1);
    if (fault?.kind === "status") {
      const type = fault.type ?? type_of_status[fault.status] ?? "api_error";
      const message = fault.echo_key ? `what came was ${this.#key}` : "scripted";
      const { retry_after, retry_after_ms } = fault;
      const headers = {
        ...(retry_after === undefined ? {} : { "retry-after": retry_after }),
        ...(retry_after_ms === undefined ? {} : { "retry-after-ms": retry_after_ms }),
      };
      sendError(protocol, { status: fault.status, type, message }, response, id, headers);
    } else if (fault?.kind === "redirect") response.writeHead(307, { location: fault.to }).end();
    else await this.#stream(protocol, asked, said, fault ?? null, response, id);
  }

  async #stream(
    protocol: Protocol,
    asked: Asked,
    turn: Turn,
    fault: Exclude<Fault, { kind: "status" | "redirect" }> | null,
    response: ServerResponse,
    id: string,
  ) {
    const events = protocol.events(turn, asked, this.#cache.count(asked, turn), id);
    const until = fault?.after_events ?? events.length;
    await pause(turn.first_byte_ms);
    if (until > 0 || fault === null)
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "request-id": id, "x-request-id": id });
    for (const event of events.slice(0, until)) {
      if (response.destroyed) return;
      response.write(event);
      await pause(turn.between_ms);
    }
    if (fault === null || fault.kind === "end") response.end();
    else if (fault.kind === "break") await this.#cut(response);
    else if (fault.kind === "garbage") response.end("event: content_block_delta\ndata: {garbage\n\n");
    else if (fault.kind === "error") response.end(protocol.errorEvent({ status: 200, type: fault.type, message: "scripted" }, id));
  }

  /** What was written has gone out first: the client has to have seen it. */
  async #cut(response: ServerResponse): Promise<void> {
    if (response.headersSent) await new Promise<void>((resolve) => response.write(": cut\n\n", () => resolve()));
    response.destroy();
  }

  /** @throws {Refused} */
  #turnFor(asked: Asked): { readonly turn: Turn; readonly said: Turn } {
    const found = this.#script.conversations.find(
      ({ when, match }) => asked.first.includes(when) && new RegExp(match, "s").test(asked.first),
    );
    const turn = found?.turns[asked.answers];
    const wrong = (message: string): never => {
      throw new Refused({ status: 400, type: "invalid_request_error", message: `script: ${message}` });
    };
    if (found === undefined || turn === undefined)
      return wrong(`no conversation has turn ${asked.answers} for "${asked.first.slice(0, 200)}"`);
    const said = filled(turn, new RegExp(found.match, "s").exec(asked.first)?.groups ?? {});
    const { text, tool_result, tool } = said.expect;
    if (text !== undefined && !asked.last.includes(text)) wrong(`"${text}" is not in the last user message "${asked.last.slice(0, 500)}"`);
    if (tool_result !== undefined && !asked.results.includes(tool_result))
      wrong(`"${tool_result}" is not in the tools' results "${asked.results.slice(0, 500)}"`);
    if (tool !== undefined && !asked.tools.includes(tool)) wrong(`the tool "${tool}" is not offered`);
    return { turn, said };
  }
}

function headersOf({ headers }: IncomingMessage): Headers {
  return new Headers(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as [string, string]] : [])),
  );
}

function sendError(protocol: Protocol, wrong: Wrong, response: ServerResponse, id: string, headers: Record<string, string> = {}): void {
  if (response.headersSent) response.destroy();
  else
    response.writeHead(wrong.status, { "content-type": "application/json", "request-id": id, ...headers }).end(protocol.error(wrong, id));
}
