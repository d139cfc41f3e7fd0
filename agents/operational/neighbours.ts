/**
 * What earlier cases say: lessons that memory found, each with a rule and whether it helped. A case counts as much as it is alike.
 * The chance is the rule of succession over these: with none it is even.
 */

import type { Thresholds } from "../../contracts/router.ts";
import type { ToolAnswer } from "../../contracts/tool-answers.ts";

export type Found = ToolAnswer<"memory.search">["found"][number];

/** Found by word alone, while there is no embedding model: its likeness is by its rank, from here down. */
const by_word = 0.7;
const prior_tries = 2;
const helped: Readonly<Record<string, number>> = { worked: 1, "no-effect": 0, worse: 0, failed: 0, undone: 0 };

export interface Votes {
  readonly chance: number;
  /** Cases that counted. */
  readonly cases: number;
}

/** @returns by rule, for each of `rules` */
export function votesFor(
  rules: readonly string[],
  found: readonly Found[],
  { alike_min }: Thresholds["neighbours"],
): ReadonlyMap<string, Votes> {
  return new Map(
    rules.map((rule) => {
      let worked = 0;
      let tries = 0;
      let cases = 0;
      for (const one of found) {
        const outcome = helped[one.memory.outcome ?? ""];
        const weight = (alikeness(one) - alike_min) / (1 - alike_min);
        if (one.memory.kind !== "lesson" || one.memory.body["rule"] !== rule || outcome === undefined || weight <= 0) continue;
        worked += weight * outcome;
        tries += weight;
        cases += 1;
      }
      return [rule, { chance: (worked + prior_tries / 2) / (tries + prior_tries), cases }];
    }),
  );
}

/** Whether something like it was met before. */
export function isKnown(alarm: string, found: readonly Found[], { known_min }: Thresholds["neighbours"]): boolean {
  return found.some((one) => {
    const matter = one.memory.body["matter"];
    return one.memory.kind === "lesson" && (alikeness(one) >= known_min || (typeof matter === "string" && matter.startsWith(`${alarm} `)));
  });
}

function alikeness({ meaning, words }: Found): number {
  return Math.max(meaning?.cosine ?? 0, words === null ? 0 : by_word / words.rank);
}
