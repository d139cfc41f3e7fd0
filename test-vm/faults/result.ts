/** What came of one trial. */

import type { Family } from "./fault.ts";

/** What an arm tells of itself besides what is measured from outside. */
export interface Told {
  /** It was noticed; null where the arm does not say. */
  readonly detected: boolean | null;
  readonly detected_ms: number | null;
  /** States in which its incidents were at the end; empty when none was opened. */
  readonly incidents: readonly string[];
  /** Of the decision that helped. */
  readonly tier: string | null;
  readonly rule: string | null;
  /** Of all its decisions. */
  readonly decisions: number;
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
}

export interface Result extends Told {
  readonly name: string;
  readonly kind: "fault" | "control";
  readonly family: Family;
  readonly arm: "ours" | "conventional";
  /** 1 or 2: which time in the same system. */
  readonly time: number;
  /** The effect is gone, without people. */
  readonly repaired: boolean;
  readonly repaired_ms: number | null;
  /** It stayed so for what five minutes are at this pace. */
  readonly stable: boolean;
  /** A person has to look or to say yes: handed over with the reason, or waiting for it. */
  readonly by_person: boolean;
  readonly collateral: readonly string[];
  /** What kept the trial from being made. */
  readonly trouble: string | null;
}

/** It is what it should be: repaired and stable, or in the hands of a person where policy wants that; a control: nothing was done. */
export function isRight(result: Result, wants_person: boolean): boolean {
  if (result.trouble !== null || result.collateral.length > 0) return false;
  if (result.kind === "control") return result.decisions === 0 && result.incidents.length === 0;
  return wants_person ? result.by_person : result.repaired && result.stable;
}
