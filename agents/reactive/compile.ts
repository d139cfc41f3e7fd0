/** A rule as functions, made once when it is loaded. */

import type { Action } from "../../contracts/decision.ts";
import type { Event, EventKind, Severity } from "../../contracts/event.ts";
import { type Fact, factsOf } from "../../contracts/facts.ts";
import type { Pace, Rule, RuleAction } from "../../contracts/rule.ts";
import { compileCondition, type Test } from "./condition.ts";
import { type Facts, getterOf, requireFact } from "./facts.ts";
import { compileTemplate, type Template } from "./template.ts";

export interface CompiledRule {
  readonly name: string;
  readonly on: readonly EventKind[];
  readonly severity: Severity;
  readonly test: Test;
  readonly key: (event: Event) => string;
  readonly threshold: { readonly value: (event: Event) => number | null; readonly enter: number; readonly leave: number } | null;
  readonly again_ms: number | null;
  readonly rate: Pace | null;
  readonly cool_down_ms: number;
  readonly limit: Pace | null;
  /** Null when the event does not name what to act on. */
  readonly action: (event: Event) => Action | null;
  readonly reason: Template;
}

/** @throws when a fact that the rule names is missing or of another type */
export function compileRule(rule: Rule): CompiledRule {
  const facts = commonFacts(rule.on);
  return {
    name: rule.name,
    on: rule.on,
    severity: rule.severity,
    test: rule.when === undefined ? () => true : compileCondition(rule.when, facts),
    key: compileKey(rule.key, facts),
    threshold: rule.threshold === undefined ? null : { ...rule.threshold, value: compileNumber(rule.threshold.fact, facts) },
    again_ms: rule.again_ms ?? null,
    rate: rule.rate ?? null,
    cool_down_ms: rule.cool_down_ms,
    limit: rule.limit ?? null,
    action: compileAction(rule.action, facts),
    reason: compileTemplate(rule.reason, facts),
  };
}

/** The facts that every one of these kinds has. */
function commonFacts(kinds: readonly EventKind[]): Facts {
  const [first, ...rest] = kinds.map(factsOf);
  const common = new Map<string, Fact>();
  for (const [path, fact] of first ?? []) {
    const others = rest.map((facts) => facts.get(path));
    if (others.every((other) => other?.type === fact.type)) {
      common.set(path, { type: fact.type, nullable: fact.nullable || others.some((other) => other?.nullable === true) });
    }
  }
  return common;
}

function compileKey(path: string | undefined, facts: Facts): (event: Event) => string {
  if (path === undefined) return () => "";
  requireFact(facts, path, ["string", "number"]);
  const get = getterOf(path);
  return (event) => String(get(event));
}

function compileNumber(path: string, facts: Facts): (event: Event) => number | null {
  requireFact(facts, path, ["number"]);
  const get = getterOf(path);
  return (event) => {
    const value = get(event);
    return typeof value === "number" && !Number.isNaN(value) ? value : null;
  };
}

function compileAction(action: RuleAction, facts: Facts): (event: Event) => Action | null {
  if (action.do !== "restart") return () => action;
  requireFact(facts, action.service.fact, ["string"]);
  const get = getterOf(action.service.fact);
  return (event) => {
    const service = get(event);
    return typeof service === "string" ? { do: "restart", service } : null;
  };
}
