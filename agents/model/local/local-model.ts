/** One model of this machine as the tier asks it: its process, the limits of time, how many may ask at once. */

import type { ModelInUse } from "../../../contracts/model/catalogue.ts";
import { type ChatAnswer, type ChatErrorKind, ChatRequest, type ChoiceAnswer, ChoiceRequest } from "../../../contracts/model/chat.ts";
import {
  chats_open_max,
  choices_open_max,
  request_bytes_max,
  type Thought,
  think_methods,
  think_notifications,
  thinker_notifications,
} from "../../../contracts/model/think.ts";
import { doesNotFit, hasToGo, type MemoryRoom } from "../../../wire/model-process/fit.ts";
import { type ChildEvents, type ChildPipes, ModelKeeper } from "../../../wire/model-process/keeper.ts";
import type { Threads } from "../../../wire/model-process/threads.ts";
import type { Peer } from "../../../wire/peer.ts";
import { pipePeer } from "../../../wire/pipe.ts";
import { ChatError, type ChatOptions, type ChoiceModel } from "../port.ts";
import { check } from "../reach/check.ts";

/** Milliseconds beyond a request's own limit after which the process is asked whether it is alive, again and again; and in which it has to say so. */
const grace_ms = 20_000;
const alive_ms = 20_000;
/** So long it may go on with one batch that nobody waits for any more, on a machine that is far too slow for its model. */
const slow_max_ms = 600_000;
/** When it is worth to ask again, while too many ask. */
const retry_after_ms = 500;

type ThinkPeer = Peer<Record<never, never>, typeof thinker_notifications, typeof think_methods, typeof think_notifications>;

interface LoadedModel {
  readonly model: string;
  readonly on: string;
  readonly threads: Threads;
  readonly took_ms: number;
  readonly peer: ThinkPeer;
  readonly pid: number;
}

export interface LocalModelOptions {
  /** The command; the model and the numbers of threads are appended. */
  readonly command: readonly string[];
  readonly model: ModelInUse;
  readonly threads: Threads;
  readonly room: () => MemoryRoom;
  readonly log: (line: string) => void;
  readonly onChange?: () => void;
  readonly backoff_first_ms?: number;
  readonly watch_ms?: number;
  readonly grace_ms?: number;
  readonly alive_ms?: number;
}

interface Open {
  readonly onText: ((delta: string) => void) | undefined;
}

type Kind = "choose" | "chat";
const open_max: Readonly<Record<Kind, number>> = { choose: choices_open_max, chat: chats_open_max };

export class LocalModel implements ChoiceModel {
  readonly model: ModelInUse;
  readonly #options: LocalModelOptions;
  readonly #keeper: ModelKeeper<LoadedModel>;
  readonly #texts = new Map<number, Open>();
  readonly #open: Record<Kind, number> = { choose: 0, chat: 0 };
  #next_id = 1;

  constructor(options: LocalModelOptions) {
    this.#options = options;
    this.model = options.model;
    const { model, room, threads } = options;
    this.#keeper = new ModelKeeper<LoadedModel>({
      what: `the process of the model "${model.name}"`,
      argv: [...options.command, JSON.stringify(model), String(threads.usual), String(threads.idle)],
      log: options.log,
      onChange: () => queueMicrotask(() => options.onChange?.()),
      refusal: () => doesNotFit(model.path, model.working_bytes, room()),
      hasToGo: () => hasToGo(room()),
      connect: (pipes, events) => this.#connect(pipes, events),
      ...(options.backoff_first_ms === undefined ? {} : { backoff_first_ms: options.backoff_first_ms }),
      ...(options.watch_ms === undefined ? {} : { watch_ms: options.watch_ms }),
    });
  }

  get loaded(): LoadedModel | null {
    return this.#keeper.loaded;
  }

  /** That it does not answer yet is no failure. */
  get is_loading(): boolean {
    return this.#keeper.is_starting;
  }

  /** Why it is not loaded, in words. */
  get reason(): string | null {
    return this.#keeper.reason;
  }

  get restarts(): number {
    return this.#keeper.restarts;
  }

  async chat(asked: ChatRequest, options: ChatOptions = {}): Promise<ChatAnswer> {
    const request = ChatRequest.parse(asked);
    const begin_ms = performance.now();
    const thought = await this.#ask("chat", request, options);
    const { parts, stop, usage, first_token_ms } = thought;
    const checked = check(request, { model: this.model.name, parts, stop, tokens: usage });
    // an answer that was cut off is no JSON yet; `stop` says so
    const problem = stop === "length" ? undefined : checked.problems[0];
    if (problem !== undefined) throw new ChatError("nonsense", `asking "${this.model.name}" failed: ${problem.text}`, { spent: usage });
    return {
      model: this.model.name,
      parts,
      text: checked.text,
      tool_uses: [...checked.tool_uses],
      json: checked.json,
      stop,
      usage,
      first_token_ms,
      took_ms: performance.now() - begin_ms,
      retries: 0,
    };
  }

  async choose(asked: ChoiceRequest, options: Pick<ChatOptions, "signal"> = {}): Promise<ChoiceAnswer> {
    return await this.#ask("choose", ChoiceRequest.parse(asked), options);
  }

  stop(reason: string): void {
    this.#keeper.stop(reason);
  }

  #ask(kind: "chat", request: ChatRequest, options: ChatOptions): Promise<Thought>;
  #ask(kind: "choose", request: ChoiceRequest, options: ChatOptions): Promise<ChoiceAnswer>;
  async #ask(kind: Kind, request: ChatRequest | ChoiceRequest, { signal, onText }: ChatOptions): Promise<Thought | ChoiceAnswer> {
    const { loaded } = this.#keeper;
    const failed = `asking "${this.model.name}" failed`;
    if (signal?.aborted === true) throw new ChatError("cancelled", `${failed}: it was cancelled`);
    if (loaded === null) throw new ChatError(this.#keeper.is_failing ? "unreachable" : "absent", `${failed}: ${this.reason}`);
    if (this.#open[kind] >= open_max[kind])
      throw new ChatError("limited", `${failed}: ${this.#open[kind]} ask already; ask again later`, { retry_after_ms, again: true });
    const bytes = Buffer.byteLength(JSON.stringify(request));
    if (bytes > request_bytes_max)
      throw new ChatError("rejected", `${failed}: the request has ${bytes} bytes, more than ${request_bytes_max}; say less`);
    const id = this.#next_id++;
    const limit = AbortSignal.timeout(request.limit_ms);
    const cancel = (): void => void loaded.peer.tell("cancel", { id });
    const ends = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    ends.addEventListener("abort", cancel);
    this.#open[kind] += 1;
    this.#texts.set(id, { onText });
    try {
      return await Promise.race([this.#called(loaded, kind, id, request), abortedOf(ends, signal, failed, request.limit_ms)]);
    } finally {
      ends.removeEventListener("abort", cancel);
      this.#texts.delete(id);
    }
  }

  /** Counts as open until the process has answered: one that nobody waits for any more may still be computed. */
  async #called(loaded: LoadedModel, kind: Kind, id: number, request: ChatRequest | ChoiceRequest): Promise<Thought | ChoiceAnswer> {
    const failed = `asking "${this.model.name}" failed`;
    const limit_ms = request.limit_ms + slow_max_ms;
    const watch = this.#watchOver(loaded, request.limit_ms);
    try {
      const call =
        "question" in request ? loaded.peer.call("choose", { id, request }, limit_ms) : loaded.peer.call("chat", { id, request }, limit_ms);
      const result = await call;
      if ("answer" in result) return result.answer;
      throw new ChatError(result.failure.kind, result.failure.message);
    } catch (error) {
      if (error instanceof ChatError) throw error;
      const cause = error instanceof Error ? error.message : String(error);
      if (cause.includes("no answer within") && this.#keeper.loaded === loaded) this.#keeper.giveUp("it did not answer");
      throw new ChatError("unreachable", `${failed}: ${cause}`, { again: true });
    } finally {
      watch.end();
      this.#open[kind] -= 1;
    }
  }

  /** Ends a process that does not even say that it is alive, once it is late. To end one that is slow would only have it begin anew. */
  #watchOver(loaded: LoadedModel, limit_ms: number): { end(): void } {
    const patience_ms = this.#options.grace_ms ?? grace_ms;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const lookAfter = (wait_ms: number): void => {
      timer = setTimeout(() => void look(), wait_ms);
      timer.unref();
    };
    const look = async (): Promise<void> => {
      try {
        await loaded.peer.call("alive", {}, this.#options.alive_ms ?? alive_ms);
        if (timer !== null) lookAfter(patience_ms);
      } catch {
        if (timer !== null && this.#keeper.loaded === loaded) this.#keeper.giveUp("it did not answer");
      }
    };
    lookAfter(limit_ms + patience_ms);
    return {
      end: () => {
        if (timer !== null) clearTimeout(timer);
        timer = null;
      },
    };
  }

  #connect({ input, output, pid }: ChildPipes, events: ChildEvents<LoadedModel>): ThinkPeer {
    const peer: ThinkPeer = pipePeer(input, output, {
      serves: { methods: {}, handlers: {} },
      hears: {
        notifications: thinker_notifications,
        listeners: {
          loaded: (said) => {
            this.#options.log(
              `model "${said.model}" is loaded after ${Math.round(said.took_ms)} ms: ${said.on}, ${threadWords(said.threads)}`,
            );
            events.loaded({ ...said, peer, pid });
          },
          failed: ({ reason }) => events.failed(reason),
          delta: ({ id, text }) => this.#texts.get(id)?.onText?.(text),
        },
      },
      calls: think_methods,
      tells: think_notifications,
    });
    return peer;
  }
}

/** Rejects when it does not count any more; the answer that comes nevertheless is passed over. */
function abortedOf(ends: AbortSignal, signal: AbortSignal | undefined, failed: string, limit_ms: number): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (): void => {
    const kind: ChatErrorKind = signal?.aborted === true ? "cancelled" : "timeout";
    reject(new ChatError(kind, `${failed}: ${kind === "cancelled" ? "it was cancelled" : `it took longer than ${limit_ms} ms`}`));
  };
  if (ends.aborted) end();
  else ends.addEventListener("abort", end, { once: true });
  promise.catch(() => {});
  return promise;
}

export function threadWords({ usual, idle }: Threads): string {
  const most = Math.max(usual, idle);
  return `${usual === most ? "" : `${usual} to `}${most} ${most === 1 ? "thread" : "threads"}`;
}
