/**
 * Progress of long build steps: what, how far, how long.
 *
 * Every line goes to stderr, so that a command's stdout stays machine-readable.
 */

const started_ms = performance.now();

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

export function say(message: string): void {
  const at = ((performance.now() - started_ms) / 1000).toFixed(0).padStart(4);
  process.stderr.write(`[${at} s] ${message}\n`);
}

/** Runs one named step, telling when it begins, how far it is (through `tell`) and how long it took. */
export async function step<T>(what: string, work: (tell: (how_far: string) => void) => Promise<T>): Promise<T> {
  const begin_ms = performance.now();
  say(`${what} …`);
  let last_ms = begin_ms;
  const tell = (how_far: string): void => {
    const now_ms = performance.now();
    if (now_ms - last_ms < 2000) return;
    last_ms = now_ms;
    say(`${what}: ${how_far} (${seconds(now_ms - begin_ms)})`);
  };
  const result = await work(tell);
  say(`${what}: done in ${seconds(performance.now() - begin_ms)}`);
  return result;
}
