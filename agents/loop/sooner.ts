/**
 * A time that is waited for something that the sensors tell: they may look so many times sooner than in earnest (tests), but whoever
 * has to answer them does not become faster by it.
 *
 * @param least below this it is not shortened
 */
export function sooner(ms: number, least: number, pace = 1): number {
  return Math.max(ms / pace, Math.min(ms, least));
}
