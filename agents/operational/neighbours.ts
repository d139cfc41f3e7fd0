/**
 * What earlier cases say: lessons that memory found, each with a rule and whether it helped. A case counts as much as it is alike.
 * The chance is the rule of succession over these: with none it is even.
 */

import type { Thresholds } from "../../contracts/router.ts";
import type { ToolAnswer } from "../../contracts/tool-answers.ts";

export type Found = ToolAnswer<"memory.search">["found"][number];

/** Found by word alone, while there is no vector of it: its likeness is by its rank, from here down. */
const by_word = 0.7;
/** Of the same alarm, about another subject. */
const same_alarm = 0.8;
const prior_tries = 2;
const helped: Readonly<Record<string, number>> = { worked: 1, "no-effect": 0, worse: 0, failed: 0, undone: 0 };

export interface Votes {
  readonly chance: number;
  /** Cases that counted. */
  readonly cases: number;
}

/** What is judged: `disk-full` of `data`. */
export interface About {
  readonly alarm: string;
  readonly subject: string;
}

/** @returns by rule, for each of `rules` */
export function votesFor(
  rules: readonly string[],
  found: readonly Found[],
  about: About,
  { alike_min }: Thresholds["neighbours"],
): ReadonlyMap<string, Votes> {
  return new Map(
    rules.map((rule) => {
      let worked = 0;
      let tries = 0;
      let cases = 0;
      for (const one of found) {
        const outcome = helped[one.memory.outcome ?? ""];
        const weight = (alikeness(one, about) - alike_min) / (1 - alike_min);
        if (one.memory.kind !== "lesson" || one.memory.body["rule"] !== rule || outcome === undefined || weight <= 0) continue;
        worked += weight * outcome;
        tries += weight;
        cases += 1;
      }
      return [rule, { chance: (worked + prior_tries / 2) / (tries + prior_tries), cases }];
    }),
  );
}

/** Whether earlier cases alone are sure of one: then nobody else need be asked. */
export function areSure(votes: Iterable<Votes>, { sure_min, sure_cases_min }: Thresholds["neighbours"]): boolean {
  return [...votes].some(({ chance, cases }) => chance >= sure_min && cases >= sure_cases_min);
}

/** Whether something like it was met before. */
export function isKnown(found: readonly Found[], about: About, { known_min }: Thresholds["neighbours"]): boolean {
  return found.some((one) => one.memory.kind === "lesson" && alikeness(one, about) >= known_min);
}

/** 1: the same alarm of the same subject. */
function alikeness({ memory, meaning, words }: Found, { alarm, subject }: About): number {
  const matter = memory.body["matter"];
  const by_matter = typeof matter !== "string" ? 0 : matter === `${alarm} ${subject}` ? 1 : matter.startsWith(`${alarm} `) ? same_alarm : 0;
  return Math.max(by_matter, meaning?.cosine ?? 0, words === null ? 0 : by_word / words.rank);
}
