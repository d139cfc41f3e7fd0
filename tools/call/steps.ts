/**
 * The way of every call, in order. Each name is also a point at which the tests kill the broker: whatever the point, the
 * system is afterwards as if the call had been made whole, or not at all, and the record says which.
 */
export const steps = [
  /** Its arguments fit the tool's schema. */
  "parse",
  /** The kernel has said what it touches; nobody else changes that until the call has ended. */
  "resolve",
  /** The policies allow it, or ask for a person. */
  "authorise",
  /** Rate, budget and concurrency allow it. */
  "limit",
  /** That it will be made, and why, is durable. */
  "intent",
  /** The state before it is kept, and named in the audit; durable. */
  "image",
  /** It ran. */
  "run",
  /** Its answer fits the tool's schema. */
  "output",
  /** The system has been looked at, and the effect is there. */
  "verify",
  /** How it ended is durable. */
  "outcome",
  /** Only when a step after the image failed: the state before it is back, and looked at. */
  "undo",
] as const;
export type Step = (typeof steps)[number];
