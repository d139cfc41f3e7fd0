/** What a model's word is worth: the chance that something helps of which it says so with some probability. */

import type { Thresholds } from "../../contracts/router.ts";
import { calibrated, fitCalibration, type Sample } from "./calibrate.ts";

/** Tries that the probability itself counts as, as in a track record. */
const prior_tries = 2;

/**
 * @param past what came of its earlier words. With too few of them it is the rule of succession over all of them, with the
 * probability, cut down by `unproven_factor`, as what is thought beforehand
 */
export function worthOf(probability: number, past: readonly Sample[], thresholds: Thresholds): number {
  const fitted = fitCalibration(past, thresholds);
  if (fitted !== null) return calibrated(fitted, { model: probability });
  const worked = past.filter((one) => one.worked).length;
  return (worked + probability * thresholds.calibration.unproven_factor * prior_tries) / (past.length + prior_tries);
}
