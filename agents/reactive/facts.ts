/** How to get a fact of an event by its path. */

import type { Event } from "../../contracts/event.ts";
import type { Fact, FactType } from "../../contracts/facts.ts";

export type Facts = ReadonlyMap<string, Fact>;

/** @throws when an event of the rule may not have the fact, or has it with another type */
export function requireFact(facts: Facts, path: string, types: readonly FactType[]): Fact {
  const fact = facts.get(path);
  if (fact === undefined) throw new Error(`there is no fact "${path}"; there are ${[...facts.keys()].join(", ")}`);
  if (!types.includes(fact.type)) throw new Error(`the fact "${path}" is ${fact.type}, not ${types.join(" or ")}`);
  return fact;
}

export type Getter = (event: Event) => unknown;

export function getterOf(path: string): Getter {
  const [first = "", ...rest] = path.split(".");
  if (first === "event") {
    const name = rest[0] ?? "";
    return (event) => step(event, name);
  }
  if (rest.length === 0) return (event) => step(event.facts, first);
  return (event) => rest.reduce<unknown>(step, step(event.facts, first));
}

function step(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
