/**
 * An answer out of tries. Providers are asked in their order; each is tried again after a wait that grows and is spread by chance,
 * or as long as it asked for; one whose circuit is open is passed over; one that fails for good, or asks for more patience than
 * there is while another is left, makes way for the next. Every try is paid for out of the budget before it is made. An answer that
 * does not fit is asked for once more, with what is wrong with it. One limit holds for all of it.
 */

import type { ChatAnswer, ChatRequest, Message, Reply, Tokens, Usage } from "../../../contracts/model/chat.ts";
import type { Price } from "../../../contracts/model/provider.ts";
import type { Budget, Reservation } from "../budget/budget.ts";
import { ChatError, type ChatModel, type ChatOptions, type Hears, type Provider } from "../port.ts";
import { costAtMost, countOf, no_usage, sum, tokensAtMost, usageOf } from "../prices.ts";
import type { Breaker, Outcome } from "./breaker.ts";
import { type Checked, check, type Problem, repaired } from "./check.ts";

export interface Member {
  readonly provider: Provider;
  readonly price: Price;
  readonly breaker: Breaker;
}

export interface ReachOptions {
  readonly members: readonly Member[];
  readonly budget: Budget;
  /** Tries of one provider. */
  readonly tries_max?: number;
  /** Milliseconds before the second try; twice as much before each further one, up to the most. */
  readonly wait_ms?: number;
  readonly wait_ms_max?: number;
  /** Longer than this is not waited while another provider is left. */
  readonly patience_ms?: number;
  readonly random?: () => number;
}

/** One request on its way. */
interface Run {
  readonly stop: AbortSignal;
  readonly ends_ms: number;
  readonly options: ChatOptions;
  usage: Usage;
  tries: number;
  first_ms: number | null;
}

export class Reach implements ChatModel {
  readonly #options: Required<ReachOptions>;

  constructor(options: ReachOptions) {
    this.#options = { tries_max: 3, wait_ms: 500, wait_ms_max: 30_000, patience_ms: 5000, random: Math.random, ...options };
  }

  async chat(request: ChatRequest, options: ChatOptions = {}): Promise<ChatAnswer> {
    if (this.#options.members.length === 0)
      throw new ChatError("absent", "asking a model failed: none is configured; add one to tiers.strategic.providers");
    if (request.answer !== null && request.tools.length > 0)
      throw new ChatError("rejected", "asking a model failed: an answer by schema and tools exclude each other; ask for one of them");
    const began_ms = performance.now();
    const stop = new AbortController();
    const over = setTimeout(
      () =>
        stop.abort(
          new ChatError("timeout", `asking a model failed: there was no answer within ${request.limit_ms} ms`, { spent: "unknown" }),
        ),
      request.limit_ms,
    );
    const cancel = (): void => stop.abort(new ChatError("cancelled", "asking a model was called off", { spent: "unknown" }));
    options.signal?.addEventListener("abort", cancel, { once: true });
    if (options.signal?.aborted === true) cancel();
    const run: Run = { stop: stop.signal, ends_ms: began_ms + request.limit_ms, options, usage: no_usage, tries: 0, first_ms: null };
    try {
      const { reply, checked } = await this.#fitting(request, run);
      const took_ms = performance.now() - began_ms;
      return {
        model: reply.model,
        parts: [...reply.parts],
        text: checked.text,
        tool_uses: [...checked.tool_uses],
        json: checked.json,
        stop: reply.stop,
        usage: run.usage,
        first_token_ms: run.first_ms === null ? took_ms : run.first_ms - began_ms,
        took_ms,
        retries: run.tries - 1,
      };
    } finally {
      clearTimeout(over);
      options.signal?.removeEventListener("abort", cancel);
    }
  }

  /** @throws {ChatError} `nonsense` when the second answer does not fit either */
  async #fitting(request: ChatRequest, run: Run): Promise<{ reply: Reply; checked: Checked }> {
    const first = await this.#checked(request, run);
    if (first.problems.length === 0) return first;
    const messages: Message[] = repaired(request, first.reply, first.problems);
    const second = await this.#checked({ ...request, messages }, run);
    if (second.problems.length === 0) return second;
    const words = second.problems.map(({ text }) => text).join("; ");
    throw new ChatError("nonsense", `asking a model failed: its answer was wrong twice: ${words.slice(0, 500)}`);
  }

  /** An answer that cannot even be taken apart is one with that problem. */
  async #checked(request: ChatRequest, run: Run): Promise<{ reply: Reply; checked: Checked; problems: readonly Problem[] }> {
    try {
      const reply = await this.#reply(request, run);
      const checked = check(request, reply);
      return { reply, checked, problems: checked.problems };
    } catch (error) {
      if (!(error instanceof ChatError) || error.kind !== "nonsense") throw error;
      const reply: Reply = { model: "", parts: [], stop: "end", tokens: null };
      const problems = [{ text: error.message, call: null }];
      return { reply, checked: { text: "", tool_uses: [], json: null, problems }, problems };
    }
  }

  async #reply(request: ChatRequest, run: Run): Promise<Reply> {
    const failures: ChatError[] = [];
    for (const [at, member] of this.#options.members.entries()) {
      const left = this.#options.members.length - at;
      const reply = await this.#ofMember(member, request, run, left, failures);
      if (reply !== null) return reply;
    }
    throw together(failures);
  }

  /**
   * @param left how many can still be asked, this one among them
   * @returns null when the next one is to be asked; why is then in `failures`
   */
  async #ofMember(member: Member, request: ChatRequest, run: Run, left: number, failures: ChatError[]): Promise<Reply | null> {
    for (let number = 1; ; number += 1) {
      const [reply, failure] = await this.#once(member, request, run, left).then(
        (reply) => [reply, null] as const,
        (error: unknown) => [null, error] as const,
      );
      if (reply !== null) return reply;
      if (!(failure instanceof ChatError) || ["cancelled", "timeout", "nonsense"].includes(failure.kind)) throw failure;
      const wait_ms = this.#waitAfter(failure, number);
      const patience_ms = left === 1 ? run.ends_ms - performance.now() : this.#options.patience_ms;
      if (!failure.again || number >= this.#options.tries_max || wait_ms >= patience_ms || member.breaker.state === "open") {
        failures.push(failure);
        return null;
      }
      await waited(wait_ms, run.stop);
      run.options.onRestart?.();
    }
  }

  /** Half of it is chance, so that those who failed together do not come again together. */
  #waitAfter({ retry_after_ms }: ChatError, number: number): number {
    const { wait_ms, wait_ms_max, random } = this.#options;
    const grown_ms = Math.min(wait_ms * 2 ** (number - 1), wait_ms_max);
    return Math.max(grown_ms * (0.5 + random() / 2), retry_after_ms ?? 0);
  }

  /** One try: admitted, paid for, made, settled. @throws {ChatError} */
  async #once({ provider, price, breaker }: Member, request: ChatRequest, run: Run, left: number): Promise<Reply> {
    run.stop.throwIfAborted();
    const permit = breaker.admit();
    if (permit === null) throw leftAlone(provider, breaker);
    const most = tokensAtMost(request);
    let outcome: Outcome = "neither";
    let wait_ms: number | null = null;
    let reservation: Reservation | null = null;
    let spent: Tokens = most;
    const late = this.#late(run, left);
    try {
      reservation = this.#options.budget.reserve(provider.name, run.options.incident ?? null, {
        usd: costAtMost(most, price),
        tokens: countOf(most),
      });
      run.tries += 1;
      const hears: Hears = {
        alive: late.end,
        token: () => {
          run.first_ms ??= performance.now();
        },
        text: (delta) => run.options.onText?.(delta),
      };
      const reply = await provider.attempt(request, { signal: AbortSignal.any([run.stop, late.signal]), hears });
      spent = reply.tokens ?? most;
      outcome = "succeeded";
      return reply;
    } catch (error) {
      if (error instanceof ChatError) {
        outcome = outcomeOf(error);
        wait_ms = error.retry_after_ms;
        if (error.spent === "nothing") spent = no_usage;
        else if (error.spent !== "unknown") spent = error.spent;
      }
      throw error;
    } finally {
      late.end();
      permit.end(outcome, wait_ms);
      if (reservation !== null) {
        const usage = usageOf(spent, price);
        run.usage = sum(run.usage, usage);
        reservation.settle({ usd: usage.cost_usd, tokens: countOf(usage) });
      }
    }
  }

  /** While another provider is left, this one has its share of the time until something comes. */
  #late({ ends_ms }: Run, left: number): { readonly signal: AbortSignal; readonly end: () => void } {
    const over = new AbortController();
    if (left === 1) return { signal: over.signal, end: () => {} };
    const share_ms = Math.max((ends_ms - performance.now()) / left, 0);
    const say = (): void =>
      over.abort(
        new ChatError("unreachable", `nothing came for ${Math.round(share_ms)} ms, and another is left to ask`, { spent: "unknown" }),
      );
    const timer = setTimeout(say, share_ms);
    return { signal: over.signal, end: () => clearTimeout(timer) };
  }
}

function outcomeOf({ kind }: ChatError): Outcome {
  if (kind === "unauthorised") return "hopeless";
  if (kind === "nonsense" || kind === "rejected") return "succeeded"; // it answered
  return kind === "unreachable" || kind === "limited" ? "failed" : "neither";
}

function leftAlone({ name }: Provider, breaker: Breaker): ChatError {
  const retry_after_ms = Math.ceil(breaker.wait_ms);
  return new ChatError("unreachable", `${name} failed again and again and is left alone for ${Math.ceil(retry_after_ms / 1000)} s more`, {
    retry_after_ms,
  });
}

/** The kind of the first, which is the one that was meant to answer; the words of all; the soonest time at which one may. */
function together(failures: readonly ChatError[]): ChatError {
  const [first] = failures;
  if (first === undefined || failures.length === 1) return first ?? new ChatError("absent", "asking a model failed: there is none");
  const times = failures.flatMap(({ retry_after_ms }) => (retry_after_ms === null ? [] : [retry_after_ms]));
  return new ChatError(first.kind, failures.map(({ message }) => message).join("; then "), {
    retry_after_ms: times.length === 0 ? null : Math.min(...times),
  });
}

/** @throws the signal's reason, as soon as it is aborted */
async function waited(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
