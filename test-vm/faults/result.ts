/** What came of one trial. */

import { z } from "zod";

/** What an arm tells of itself besides what is measured from outside. */
const told = {
  /** It was noticed; null where the arm does not say. */
  detected: z.boolean().nullable(),
  /** Milliseconds after the injection at which it was noticed, and at which what helped was decided. */
  detected_ms: z.number().nullable(),
  decided_ms: z.number().nullable(),
  /** States in which its incidents were at the end; empty when none was opened. */
  incidents: z.array(z.string()),
  /** Of the decision that helped. */
  tier: z.string().nullable(),
  rule: z.string().nullable(),
  /** Of all its decisions. */
  decisions: z.number(),
  calls: z.number(),
  /** Of all models that were asked about it, on this machine and elsewhere: what an incident's own account says. */
  tokens: z.number(),
  model_ms: z.number(),
  usd: z.number(),
  /** Alarms that were raised meanwhile. */
  alarms: z.array(z.string()),
  /** As `aiosctl learn` shows it for the alarm: the tiers that solved it the first and the last time; null: it shows none. */
  learned: z.object({ first: z.string(), last: z.string() }).nullable(),
};

export const Told = z.strictObject(told);
export type Told = Readonly<z.infer<typeof Told>>;

export const Result = z.strictObject({
  ...told,
  name: z.string(),
  kind: z.enum(["fault", "control"]),
  family: z.string(),
  arm: z.enum(["ours", "conventional"]),
  /** 1 or 2: which time in the same system. */
  time: z.number(),
  /** The effect is gone, without people. */
  repaired: z.boolean(),
  repaired_ms: z.number().nullable(),
  /** It stayed so for what five minutes are at this pace. */
  stable: z.boolean(),
  /** A person has to look or to say yes: handed over with the reason, or waiting for it. */
  by_person: z.boolean(),
  collateral: z.array(z.string()),
  /** What kept the trial from being made. */
  trouble: z.string().nullable(),
});
export type Result = Readonly<z.infer<typeof Result>>;

/** Of what says nothing of itself. */
export const nothing_told: Told = {
  ...{ detected: null, detected_ms: null, decided_ms: null, incidents: [], tier: null, rule: null, decisions: 0, calls: 0 },
  ...{ tokens: 0, model_ms: 0, usd: 0, alarms: [], learned: null },
};

/** It is what it should be: repaired and stable, or in the hands of a person where policy wants that; a control: nothing was done. */
export function isRight(result: Result, wants_person: boolean): boolean {
  if (result.trouble !== null || result.collateral.length > 0) return false;
  if (result.kind === "control") return result.decisions === 0 && result.incidents.length === 0;
  return wants_person ? result.by_person : result.repaired && result.stable;
}

/** Milliseconds in the phases of a repair: until the alarm, until what helped was decided, until the effect was gone. */
export interface Phases {
  readonly noticing: number;
  readonly deciding: number;
  readonly acting: number;
}

/** @returns null where the arm does not tell them, or nothing was repaired */
export function phasesOf({ detected_ms, decided_ms, repaired_ms, repaired }: Result): Phases | null {
  if (!repaired || repaired_ms === null || detected_ms === null) return null;
  // what a service's restart policy does at once is decided in the moment in which it is noticed
  const noticed = Math.min(detected_ms, repaired_ms);
  const decided = Math.min(Math.max(decided_ms ?? noticed, noticed), repaired_ms);
  return { noticing: noticed, deciding: decided - noticed, acting: repaired_ms - decided };
}
