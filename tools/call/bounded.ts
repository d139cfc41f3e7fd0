/** Work with a limit: when its time is over or its call is cancelled, its signal is aborted and it has a moment to stop. */

import { ToolError } from "../tool.ts";

/** Milliseconds from the abort until work that goes on regardless is given up. */
const grace_ms = 5000;

/** Work that did not stop when it was told to: what it does from now on cannot be known. */
export class Runaway extends Error {
  override readonly name = "Runaway";
  /** Resolves when it has stopped after all. */
  readonly stopped: Promise<unknown>;

  constructor(message: string, stopped: Promise<unknown>) {
    super(message);
    this.stopped = stopped;
  }
}

/** A look that did not stop. It changes nothing, whatever it does from now on, so it is its call alone that fails. */
export class StuckLook extends ToolError {
  /** Resolves when it has stopped after all. */
  readonly stopped: Promise<unknown>;

  constructor({ message, stopped }: Runaway) {
    super(message);
    this.stopped = stopped;
  }
}

type Work<T> = (signal: AbortSignal) => T | Promise<T>;

/** `bounded` for what changes nothing. @throws {StuckLook} in place of Runaway */
export async function look<T>(what: string, limit_ms: number, cancelled: AbortSignal | null, work: Work<T>): Promise<T> {
  try {
    return await bounded(what, limit_ms, cancelled, work);
  } catch (error) {
    throw error instanceof Runaway ? new StuckLook(error) : error;
  }
}

/**
 * @param cancelled ends it early
 * @throws {ToolError} when it was ended early. @throws {Runaway} when it did not stop then
 */
export async function bounded<T>(what: string, limit_ms: number, cancelled: AbortSignal | null, work: Work<T>): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new ToolError(`${what} failed: it took longer than ${limit_ms} ms`)), limit_ms);
  const signal = cancelled === null ? limit.signal : AbortSignal.any([limit.signal, cancelled]);
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const stop = (): void => aborted.reject(signal.reason instanceof Error ? signal.reason : new ToolError(`${what} was cancelled`));
  try {
    if (signal.aborted) throw signal.reason;
    signal.addEventListener("abort", stop, { once: true });
    const working = (async () => await work(signal))();
    try {
      return await Promise.race([working, aborted.promise]);
    } catch (error) {
      if (signal.aborted) await settled(what, working);
      throw error;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(timer);
  }
}

async function settled(what: string, working: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<"over">((resolve) => {
    timer = setTimeout(() => resolve("over"), grace_ms);
  });
  const ended = working.then(
    () => "ended" as const,
    () => "ended" as const,
  );
  const which = await Promise.race([ended, over]);
  clearTimeout(timer);
  if (which === "over") throw new Runaway(`${what} did not stop within ${grace_ms} ms of being told to`, ended);
}
