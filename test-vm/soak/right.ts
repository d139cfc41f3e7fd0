/** Whether enough of the trials of a soak ended as they should. */

import { isRight, type Result } from "../faults/result.ts";

/** Percent: what goes wrong once in a while on a busy host is no fault of the system. */
const right_min_percent = 95;

export interface Right {
  readonly right: number;
  /** Trials that count. */
  readonly of: number;
  /** Controls that could not be tried: nothing that could be left alone happened. A fault that could not be tried counts as wrong. */
  readonly apart: number;
  readonly percent: number;
  /** Never of no trials. */
  readonly is_enough: boolean;
}

/** @param for_people faults of which policy wants a person to say yes */
export function rightOf(results: readonly Result[], for_people: ReadonlySet<string>): Right {
  const counted = results.filter(({ kind, trouble }) => kind === "fault" || trouble === null);
  const right = counted.filter((one) => isRight(one, for_people.has(one.name))).length;
  const percent = (100 * right) / Math.max(1, counted.length);
  return { right, of: counted.length, apart: results.length - counted.length, percent, is_enough: percent >= right_min_percent };
}

export function sentenceOf({ right, of, apart, percent, is_enough }: Right): string {
  const besides = apart === 0 ? "" : `, ${apart} controls that could not be tried apart`;
  const verdict = is_enough ? `at least ${right_min_percent} % have to` : `TOO FEW: ${right_min_percent} % have to`;
  return `${right} of ${of} trials ended as they should (${percent.toFixed(1)} %${besides}); ${verdict}`;
}
