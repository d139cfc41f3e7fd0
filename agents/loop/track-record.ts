/** How often something has helped, by all decisions that there ever were: memory counts them, also those that have become cold. */

import type { RuleRecord, Try } from "../../contracts/learning.ts";
import { matterNamed } from "../shared/standing.ts";
import type { MemoryPeer } from "./incidents.ts";

export interface TrackRecord {
  readonly tries: number;
  readonly worked: number;
  /**
   * The chance that it helps the next time: the mean of a beta prior and what was seen. The prior weighs as much as two tries and
   * has the mean that was judged beforehand; with 0.5 that is the rule of succession (Laplace).
   */
  readonly expected: number;
}

const prior_tries = 2;

export function ruleOf(playbook: string): string {
  return `playbook ${playbook}`;
}

/** Tries that are not over, and calls that nobody was allowed to make, say nothing. */
export function recordOf(records: readonly Tried[], rule: string, prior = 0.5): TrackRecord {
  const own = records.filter((one) => one.rule === rule);
  const worked = own.reduce((sum, one) => sum + one.worked, 0);
  const tries = own.reduce((sum, one) => sum + one.failed, worked);
  return { tries, worked, expected: (worked + prior * prior_tries) / (tries + prior_tries) };
}

/**
 * What came of each rule the last time that it was tried on this very matter: 1 it helped, -1 it did not. What fills one disk is seldom
 * what fills another, and it is mostly the same again (win-stay, lose-shift: Robbins 1952).
 *
 * @param past oldest first
 */
export function lastOn(matter: string, past: readonly Pick<Try, "rule" | "alarm" | "subject" | "helped">[]): ReadonlyMap<string, 1 | -1> {
  const last = new Map<string, 1 | -1>();
  for (const { rule, alarm, subject, helped } of past) if (matterNamed(alarm, subject) === matter) last.set(rule, helped ? 1 : -1);
  return last;
}

type Tried = Pick<RuleRecord, "rule" | "worked" | "failed">;

const rules_max = 200;
const records_max = 500;

/** What came of these rules, whichever tier tried them. */
export async function triesOf(rules: readonly string[], memory: () => MemoryPeer): Promise<readonly Tried[]> {
  if (rules.length === 0) return [];
  return await memory().call("learning.records", { rules: rules.slice(0, rules_max), limit: records_max });
}
