/** Conditions become functions when a rule is loaded; what cannot be compared is refused then. */

import type { Event } from "../../contracts/event.ts";
import type { Comparison, Condition, Scalar } from "../../contracts/rule.ts";
import { type Facts, getterOf, requireFact } from "./facts.ts";

export type Test = (event: Event) => boolean;

const depth_max = 8;

/** @throws when it names a missing fact, compares unlike types, or is nested too deep */
export function compileCondition(condition: Condition, facts: Facts, depth = 0): Test {
  if (depth > depth_max) throw new Error(`the condition is nested more than ${depth_max} deep`);
  if ("all" in condition) {
    const tests = condition.all.map((one) => compileCondition(one, facts, depth + 1));
    return (event) => tests.every((test) => test(event));
  }
  if ("any" in condition) {
    const tests = condition.any.map((one) => compileCondition(one, facts, depth + 1));
    return (event) => tests.some((test) => test(event));
  }
  if ("not" in condition) {
    const test = compileCondition(condition.not, facts, depth + 1);
    return (event) => !test(event);
  }
  return compileComparison(condition, facts);
}

function compileComparison(comparison: Comparison, facts: Facts): Test {
  const { fact } = comparison;
  const get = getterOf(fact);
  if ("is" in comparison) {
    const wanted = comparable(facts, fact, comparison.is);
    return (event) => get(event) === wanted;
  }
  if ("is_not" in comparison) {
    const unwanted = comparable(facts, fact, comparison.is_not);
    return (event) => get(event) !== unwanted;
  }
  if ("in" in comparison) {
    const wanted: ReadonlySet<unknown> = new Set(comparison.in.map((value) => comparable(facts, fact, value)));
    return (event) => wanted.has(get(event));
  }
  if ("contains" in comparison) {
    requireFact(facts, fact, ["string", "untrusted"]);
    const { contains } = comparison;
    return (event) => {
      const value = get(event);
      return typeof value === "string" && value.includes(contains);
    };
  }
  requireFact(facts, fact, ["number"]);
  const compare = numeric(comparison);
  return (event) => {
    const value = get(event);
    return typeof value === "number" && compare(value);
  };
}

type Numeric = Extract<Comparison, { above: number } | { at_least: number } | { below: number } | { at_most: number }>;

function numeric(comparison: Numeric): (value: number) => boolean {
  if ("above" in comparison) return (value) => value > comparison.above;
  if ("at_least" in comparison) return (value) => value >= comparison.at_least;
  if ("below" in comparison) return (value) => value < comparison.below;
  return (value) => value <= comparison.at_most;
}

function comparable(facts: Facts, path: string, value: Scalar): Scalar {
  const fact = requireFact(facts, path, ["string", "number", "boolean"]);
  if (value === null) {
    if (!fact.nullable) throw new Error(`the fact "${path}" is never null`);
  } else if (typeof value !== fact.type) throw new Error(`the fact "${path}" is ${fact.type}, and "${value}" is ${typeof value}`);
  return value;
}
