/**
 * Trains and measures: fitted to the older cases, measured on the newer ones, as it will be used, for what comes later than what it
 * knows. What it has to beat on the very same cases is what earlier cases had said when each was decided, put right by the older
 * cases (Platt 1999), or where nobody was asked the rule's own record in them. Only when it is better for sure is the whole fitted anew.
 */

import type { ClassifierBody, ClassifierCase, ClassifierReport, Trained } from "../../contracts/memory/classifier.ts";
import { type Guess, gainAtLeast, lossOf, scoreOf } from "./compare.ts";
import { featuresOf } from "./features.ts";
import { chanceOf, fit, type Row } from "./fit.ts";

/** Of all cases, the newest: held back. */
const held_back_share = 0.3;
/** With fewer held back nothing is said. */
const held_back_min = 20;
/** A rule with fewer cases, or whose cases all ended alike, has no weights. */
const cases_of_rule_min = 8;

interface Case extends ClassifierCase {
  readonly features: Float32Array;
}

/** @param told oldest first */
export function train(told: readonly ClassifierCase[], embedding: string, made_ms: number): Trained {
  const cases = told.map((one) => ({ ...one, features: featuresOf({ ...one, vector: floatsOf(one.vector) }) }));
  const begin = cases.length - Math.floor(cases.length * held_back_share);
  const [older, newer] = [cases.slice(0, begin), cases.slice(begin)];
  const fitted = fitRules(older);
  const before_of = beforeOf(older);
  const measured = newer.flatMap((one) => {
    const weights = fitted.get(one.rule);
    if (weights === undefined) return [];
    const before: Guess = { chance: before_of(one), worked: one.worked };
    return [{ before, after: { chance: chanceOf(weights, one.features), worked: one.worked } }];
  });
  const gain_low = gainAtLeast(measured.map(({ before, after }) => lossOf(before) - lossOf(after)));
  const enough = measured.length >= held_back_min;
  const is_better = enough && gain_low > 0;
  const report: ClassifierReport = {
    ...{ made_ms, embedding, trained_on: older.length, held_back: measured.length, newest: cases.at(-1)?.decision ?? null },
    rules: [...fitted.keys()],
    before: scoreOf(measured.map(({ before }) => before)),
    after: scoreOf(measured.map(({ after }) => after)),
    gain_low,
    is_better,
    said: enough
      ? `on ${measured.length} held-back cases the loss is ${is_better ? "" : "not surely "}smaller (by at least ${gain_low.toFixed(3)})`
      : `${measured.length} held-back cases of rules that it knows, and ${held_back_min} are the least that say something`,
  };
  return { report, body: is_better ? bodyOf(cases, embedding) : null };
}

function bodyOf(cases: readonly Case[], embedding: string): ClassifierBody {
  const rules = [...fitRules(cases)].map(([rule, weights]) => ({
    rule,
    cases: cases.filter((one) => one.rule === rule).length,
    weights: Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength).toString("base64"),
  }));
  return { features: 1, embedding, dimensions: floatsOf(cases[0]?.vector ?? "").length, rules };
}

function fitRules(cases: readonly Case[]): Map<string, Float32Array> {
  const by_rule = Map.groupBy(cases, ({ rule }) => rule);
  return new Map(
    [...by_rule].flatMap(([rule, own]) => {
      const worked = own.filter((one) => one.worked).length;
      return own.length < cases_of_rule_min || worked === 0 || worked === own.length ? [] : [[rule, fit(own)] as const];
    }),
  );
}

/** What was thought before there was a classifier. */
function beforeOf(older: readonly Case[]): (one: Case) => number {
  const asked = older.flatMap(({ neighbours, worked }): Row[] => (neighbours === null ? [] : [{ features: logOdds(neighbours), worked }]));
  const platt = asked.length < held_back_min ? null : fit(asked);
  const records = new Map<string, { tries: number; worked: number }>();
  for (const { rule, worked } of older) {
    const record = records.get(rule) ?? { tries: 0, worked: 0 };
    records.set(rule, { tries: record.tries + 1, worked: record.worked + (worked ? 1 : 0) });
  }
  return ({ neighbours, rule }) => {
    if (neighbours !== null) return platt === null ? neighbours : chanceOf(platt, logOdds(neighbours));
    const { tries, worked } = records.get(rule) ?? { tries: 0, worked: 0 };
    return (worked + 1) / (tries + 2);
  };
}

function logOdds(chance: number): Float32Array {
  const bounded = Math.min(0.995, Math.max(0.005, chance));
  return Float32Array.of(1, Math.log(bounded / (1 - bounded)));
}

export function floatsOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
