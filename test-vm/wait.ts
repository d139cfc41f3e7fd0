/** Waiting with a limit: no scenario waits for ever, and one that waits in vain says for what. */

export class WaitedInVain extends Error {
  override readonly name = "WaitedInVain";
}

/** What no further waiting can change: thrown by an attempt, it ends the wait at once. */
export class Hopeless extends Error {
  override readonly name = "Hopeless";
}

export interface WaitOptions {
  readonly limit_ms: number;
  readonly every_ms?: number;
  /** What is known about the failure when the time is up, for example the end of a log. */
  readonly explain?: () => string;
}

/**
 * Asks until there is an answer other than null, undefined or false. An attempt that throws counts as no answer.
 * @throws {WaitedInVain}
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  options: WaitOptions,
): Promise<T> {
  const begin_ms = performance.now();
  let last = "no answer";
  while (true) {
    try {
      const answer = await ask();
      if (answer !== null && answer !== undefined && answer !== false) return answer;
      last = "not yet so";
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = error instanceof Error ? error.message : String(error);
    }
    if (performance.now() - begin_ms > options.limit_ms) {
      const more = options.explain === undefined ? "" : `\n${options.explain()}`;
      throw new WaitedInVain(`waiting for ${what} failed: not within ${options.limit_ms} ms: ${last}${more}`);
    }
    await Bun.sleep(options.every_ms ?? 20);
  }
}

/** `work`, or an error when it takes longer than `limit_ms`. */
export async function within<T>(what: string, limit_ms: number, work: Promise<T>, explain?: () => string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new WaitedInVain(`waiting for ${what} failed: not within ${limit_ms} ms${explain === undefined ? "" : `\n${explain()}`}`));
  }, limit_ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function tailOf(text: string, lines = 40): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}
