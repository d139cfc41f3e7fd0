/**
 * One JSON-RPC 2.0 connection, in both directions. Everything that arrives is parsed with the contract's schema before
 * it reaches a handler; what does not fit is answered with an error, and what breaks the framing ends the connection.
 */

import type { z } from "zod";
import {
  type Methods,
  type Notifications,
  RpcFailure,
  type RpcFault,
  RpcMessage,
  RpcNotification,
  RpcRequest,
  RpcSuccess,
  rpc_error,
} from "../contracts/rpc.ts";
import { encodeFrame, FrameDecoder } from "./frame.ts";
import { issuesText } from "./issues.ts";

/** A call that failed: thrown by handlers to answer with that code, and by `call` when the other side answered so. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** Requests of ours that may be open at once; more are refused at once with `unavailable`. */
const calls_open_max = 256;
/** Requests of the other side that may be in work at once. */
const fault_chars_max = 4000;
const served_open_max = 64;

/** The bytes below a peer. */
export interface Link {
  /** @returns false when the link cannot take it: it is closed or its buffer is full */
  send(bytes: Uint8Array): boolean;
  close(): void;
}

export type Handlers<M extends Methods> = {
  readonly [K in keyof M]: (params: z.infer<M[K]["params"]>) => z.infer<M[K]["result"]> | Promise<z.infer<M[K]["result"]>>;
};
export type Listeners<N extends Notifications> = { readonly [K in keyof N]: (params: z.infer<N[K]>) => void };

export interface PeerSides<Served extends Methods, Heard extends Notifications, Called extends Methods, Told extends Notifications> {
  /** What the other side may call here. */
  readonly serves: { readonly methods: Served; readonly handlers: Handlers<Served> };
  /** What the other side may notify. */
  readonly hears: { readonly notifications: Heard; readonly listeners: Listeners<Heard> };
  /** What is called there. */
  readonly calls: Called;
  /** What is notified there. */
  readonly tells: Told;
  /** Asked before a handler runs; an answer refuses the call with `not_permitted`. */
  readonly refuses?: (method: string) => string | null;
  /** Sees the parameters of every call as they came, before the schema does, and may change them. */
  readonly cleans?: (params: unknown) => void;
  readonly onClose?: (reason: string) => void;
  /** Milliseconds that a call waits for its answer where it names no limit of its own. */
  readonly answer_limit_ms?: number;
}

const answer_limit_ms = 5000;

interface OpenCall {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class Peer<Served extends Methods, Heard extends Notifications, Called extends Methods, Told extends Notifications> {
  readonly #link: Link;
  readonly #sides: PeerSides<Served, Heard, Called, Told>;
  readonly #decoder = new FrameDecoder();
  readonly #open = new Map<number, OpenCall>();
  #serving = 0;
  #next_id = 1;
  #closed = false;

  constructor(link: Link, sides: PeerSides<Served, Heard, Called, Told>) {
    this.#link = link;
    this.#sides = sides;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that arrived. Never throws: what is wrong with them ends the connection. */
  receive(chunk: Uint8Array): void {
    if (this.#closed) return;
    try {
      for (const message of this.#decoder.push(chunk)) this.#take(message);
    } catch (error) {
      this.close(describe(error));
    }
  }

  /** Ends the connection; open calls fail with `unavailable`. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of this.#open.values()) {
      clearTimeout(call.timer);
      call.reject(new RpcError(rpc_error.unavailable, `calling "${call.method}" failed: ${reason}`));
    }
    this.#open.clear();
    this.#link.close();
    this.#sides.onClose?.(reason);
  }

  /** @throws {RpcError} */
  call<K extends keyof Called & string>(
    method: K,
    params: z.input<Called[K]["params"]>,
    timeout_ms = this.#sides.answer_limit_ms ?? answer_limit_ms,
  ): Promise<z.infer<Called[K]["result"]>> {
    const schema = this.#sides.calls[method];
    if (schema === undefined)
      return Promise.reject(new RpcError(rpc_error.method_not_found, `calling "${method}" failed: not in the contract`));
    if (this.#closed || this.#open.size >= calls_open_max) {
      return Promise.reject(
        new RpcError(
          rpc_error.unavailable,
          `calling "${method}" failed: ${this.#closed ? "the connection is closed" : "too many calls are open"}`,
        ),
      );
    }
    const id = this.#next_id++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      this.#open.delete(id);
      reject(new RpcError(rpc_error.timeout, `calling "${method}" failed: no answer within ${timeout_ms} ms`));
    }, timeout_ms);
    this.#open.set(id, { method, resolve, reject, timer });
    this.#send({ jsonrpc: "2.0", id, method, params });
    return promise.then((result) => schema.result.parse(result) as z.infer<Called[K]["result"]>);
  }

  /** @returns false when it could not be sent; the connection is then closed */
  tell<K extends keyof Told & string>(method: K, params: z.input<Told[K]>): boolean {
    return this.#send({ jsonrpc: "2.0", method, params });
  }

  #send(message: RpcMessage): boolean {
    if (this.#closed) return false;
    const sent = this.#link.send(encodeFrame(message));
    if (!sent) this.close("the other side does not read");
    return sent;
  }

  #take(raw: unknown): void {
    const parsed = shapeOf(raw).safeParse(raw);
    if (!parsed.success) {
      this.#send({ jsonrpc: "2.0", id: null, error: { code: rpc_error.invalid_request, message: "this is not a JSON-RPC 2.0 message" } });
      return;
    }
    const message = parsed.data;
    if ("method" in message) {
      if ("id" in message) void this.#serve(message.id, message.method, message.params);
      else this.#hear(message.method, message.params);
      return;
    }
    if (message.id === null) return;
    const call = this.#open.get(message.id);
    if (call === undefined) return;
    this.#open.delete(message.id);
    clearTimeout(call.timer);
    if ("error" in message) call.reject(new RpcError(message.error.code, message.error.message));
    else call.resolve(message.result);
  }

  #hear(name: string, params: unknown): void {
    const schema = own(this.#sides.hears.notifications, name);
    const listener = own(this.#sides.hears.listeners, name);
    if (schema === undefined || listener === undefined) return;
    const parsed = schema.safeParse(params);
    if (parsed.success) (listener as (params: unknown) => void)(parsed.data);
  }

  async #serve(id: number, name: string, params: unknown): Promise<void> {
    if (this.#serving >= served_open_max)
      return this.#fail(id, { code: rpc_error.unavailable, message: "too many calls are in work; wait for answers" });
    this.#serving += 1;
    try {
      const schema = own(this.#sides.serves.methods, name);
      const handler = own(this.#sides.serves.handlers, name);
      if (schema === undefined || handler === undefined)
        throw new RpcError(rpc_error.method_not_found, `there is no method "${name.slice(0, 64)}"`);
      const refusal = this.#sides.refuses?.(name) ?? null;
      if (refusal !== null) throw new RpcError(rpc_error.not_permitted, refusal);
      this.#sides.cleans?.(params);
      const parsed = schema.params.safeParse(params);
      if (!parsed.success)
        throw new RpcError(rpc_error.invalid_params, `the parameters of "${name}" do not fit: ${issuesText(parsed.error)}`);
      const result = await (handler as (params: unknown) => unknown)(parsed.data);
      this.#send({ jsonrpc: "2.0", id, result });
    } catch (error) {
      this.#fail(
        id,
        error instanceof RpcError ? { code: error.code, message: error.message } : { code: rpc_error.internal, message: describe(error) },
      );
    } finally {
      this.#serving -= 1;
    }
  }

  #fail(id: number, { code, message }: RpcFault): void {
    // it may quote what was asked, which filled a frame
    this.#send({ jsonrpc: "2.0", id, error: { code, message: message.slice(0, fault_chars_max) } });
  }
}

/** The one shape that a message can have by its members: trying all of them in turn costs more than the rest of taking it. */
function shapeOf(raw: unknown): z.ZodType<RpcMessage> {
  if (typeof raw !== "object" || raw === null) return RpcMessage;
  if ("method" in raw) return "id" in raw ? RpcRequest : RpcNotification;
  return "error" in raw ? RpcFailure : RpcSuccess;
}

function own<T extends object, K extends keyof T>(table: T, name: PropertyKey): T[K] | undefined {
  return Object.hasOwn(table, name) ? (table[name as K] as T[K]) : undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
