/**
 * What one would take otherwise to decide over events in TypeScript: json-rules-engine, the usual one on npm. It gets the
 * same bytes and the same rules; of the rules only the conditions, for it has no hysteresis, pace or cool-down, and the
 * bytes go through JSON.parse alone, without a schema. Nothing on systems does it more directly: systemd's OnFailure=
 * and path units start a process, monit and its like look every few seconds.
 */

import { Engine, type NestedCondition, type RuleProperties } from "json-rules-engine";
import { frameOf } from "../../agents/reactive/bench.ts";
import { bundled_rules } from "../../agents/reactive/rules/index.ts";
import { type Comparison, type Condition, Rule } from "../../contracts/rule.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { FrameDecoder } from "../../wire/frame.ts";
import { rowOf } from "./rows.ts";

const events_measured = 10_000;
const events_warm_up = 2_000;
/** As in the reactive tier's own benchmark. */
const burst = 50;
const burst_pause_ms = 1;

/** What it reads of an event; as little as will do is checked, for the check is not what is measured. */
interface Told {
  readonly params: { readonly id: string; readonly kind: string; readonly facts: object };
}

function isTold(value: unknown): value is Told {
  if (typeof value !== "object" || value === null || !("params" in value)) return false;
  const { params } = value;
  return typeof params === "object" && params !== null && "kind" in params && "facts" in params && "id" in params;
}

interface Decision {
  readonly rule: string;
  readonly trigger: string;
  readonly time_ms: number;
}

/** @returns a row for all events and one for those that a rule decided; `value` is p99.9 */
export async function benchRuleEngine(): Promise<[all: BenchRow, decided: BenchRow]> {
  const engine = new Engine(
    Object.values(bundled_rules).map((rule) => translated(Rule.parse(rule))),
    { allowUndefinedFacts: true },
  );
  const decisions: Decision[] = [];
  const decoder = new FrameDecoder();
  const decide = async (frame: Uint8Array): Promise<boolean> => {
    const [told] = decoder.push(frame);
    if (!isTold(told)) throw new Error("measuring json-rules-engine failed: a frame holds no event");
    const { params } = told;
    const { events } = await engine.run({ kind: params.kind, ...params.facts });
    for (const { type } of events) decisions.push({ rule: type, trigger: params.id, time_ms: Date.now() });
    return events.length > 0;
  };
  for (let n = 0; n < events_warm_up; n += 1) await decide(frameOf(n));
  const all: number[] = [];
  const decided: number[] = [];
  for (let first = events_warm_up; first < events_warm_up + events_measured; first += burst) {
    const frames = Array.from({ length: burst }, (_, n) => frameOf(first + n));
    Bun.sleepSync(burst_pause_ms);
    for (const frame of frames) {
      const began_ns = Bun.nanoseconds();
      const acted = await decide(frame);
      const took_us = (Bun.nanoseconds() - began_ns) / 1000;
      all.push(took_us);
      if (acted) decided.push(took_us);
    }
  }
  if (decisions.length === 0) throw new Error("measuring json-rules-engine failed: it decided nothing; the rules were translated wrongly");
  return [withTail(all), withTail(decided)];
}

function withTail(samples: readonly number[]): BenchRow {
  const row = rowOf("", "us", samples);
  return { ...row, value: [...samples].sort((a, b) => a - b)[Math.ceil(0.999 * samples.length) - 1] ?? Number.NaN };
}

function translated(rule: Rule): RuleProperties {
  const all: NestedCondition[] = [{ fact: "kind", operator: "in", value: rule.on }];
  if (rule.when !== undefined) all.push(conditionOf(rule.when));
  if (rule.threshold !== undefined) {
    const { fact, enter, leave } = rule.threshold;
    all.push({ ...named(fact), operator: enter > leave ? "greaterThanInclusive" : "lessThanInclusive", value: enter });
  }
  return { name: rule.name, conditions: { all }, event: { type: rule.name } };
}

function conditionOf(condition: Condition): NestedCondition {
  if ("all" in condition) return { all: condition.all.map(conditionOf) };
  if ("any" in condition) return { any: condition.any.map(conditionOf) };
  if ("not" in condition) return { not: conditionOf(condition.not) };
  return { ...named(condition.fact), ...comparisonOf(condition) };
}

function comparisonOf(condition: Comparison): { operator: string; value: unknown } {
  if ("is" in condition) return { operator: "equal", value: condition.is };
  if ("is_not" in condition) return { operator: "notEqual", value: condition.is_not };
  if ("in" in condition) return { operator: "in", value: condition.in };
  if ("above" in condition) return { operator: "greaterThan", value: condition.above };
  if ("at_least" in condition) return { operator: "greaterThanInclusive", value: condition.at_least };
  if ("below" in condition) return { operator: "lessThan", value: condition.below };
  if ("at_most" in condition) return { operator: "lessThanInclusive", value: condition.at_most };
  return { operator: "contains", value: condition.contains };
}

/** `exit.cause` is the fact `exit`, and a JSONPath into it. */
function named(path: string): { fact: string; path?: string } {
  const [fact = path, ...inner] = path.split(".");
  return inner.length === 0 ? { fact } : { fact, path: `$.${inner.join(".")}` };
}
