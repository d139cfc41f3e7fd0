/** The numbers of supervision. One table, because they only make sense together. */

export interface Policy {
  /** The wait before the first restart; it doubles with each further failure. */
  readonly backoff_first_ms: number;
  readonly backoff_max_ms: number;
  /** Part of a wait that is random, so that services which died together do not come back in step. */
  readonly backoff_jitter: number;
  /** A service that was ready for this long has its earlier failures forgiven. */
  readonly stable_ms: number;
  /** This many failures within the window are a crash loop. */
  readonly loop_failures: number;
  readonly loop_window_ms: number;
  /** A service in a crash loop is tried again after this long: the cause may have gone. */
  readonly loop_retry_ms: number;
  /** How long a service waits for those it comes after before it starts without them. */
  readonly patience_ms: number;
  /** From KILL until it is said that a process does not die; KILL is then repeated at this interval. */
  readonly kill_limit_ms: number;
  /** The supervision loop turns at least this often. */
  readonly tick_ms: number;
  /** Ticks further apart than this mean that PID 1 itself stood still: silence in that time is nobody's fault. */
  readonly stall_ms: number;
  /** So many times as long a silence counts as a hang when somebody waits for a processor all the time. */
  readonly strained_factor: number;
  /** The most that a service may add to its start limit at once (EXTEND_TIMEOUT_USEC). */
  readonly extend_max_ms: number;
}

export const policy: Policy = {
  backoff_first_ms: 100,
  backoff_max_ms: 30_000,
  backoff_jitter: 0.2,
  stable_ms: 60_000,
  loop_failures: 6,
  loop_window_ms: 120_000,
  loop_retry_ms: 300_000,
  patience_ms: 30_000,
  kill_limit_ms: 5_000,
  tick_ms: 500,
  stall_ms: 2_000,
  strained_factor: 6,
  extend_max_ms: 600_000,
};

/**
 * The wait before restart number `attempt` (from 1): doubled each time, capped, shortened by up to the jitter.
 * @param random 0 up to 1
 */
export function backoffMs(attempt: number, numbers: Policy, random: number): number {
  const doubled = numbers.backoff_first_ms * 2 ** Math.min(attempt - 1, 30);
  return Math.round(Math.min(doubled, numbers.backoff_max_ms) * (1 - numbers.backoff_jitter * random));
}
