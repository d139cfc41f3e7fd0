/** Which facts each kind of event has, by path, and of which type: read from the schemas. */

import { z } from "zod";
import { type EventKind, event_facts, Untrusted } from "./event.ts";
import { made } from "./rpc.ts";

export type FactType = "string" | "number" | "boolean" | "untrusted";
export interface Fact {
  readonly type: FactType;
  readonly nullable: boolean;
}

const of_every_event: ReadonlyMap<string, Fact> = new Map([
  ["event.severity", { type: "string", nullable: false }],
  ["event.source", { type: "string", nullable: false }],
  ["event.untrusted", { type: "untrusted", nullable: true }],
]);

export function factsOf(kind: EventKind): ReadonlyMap<string, Fact> {
  const found = new Map(of_every_event);
  collect(event_facts[kind], "", found);
  return found;
}

function collect(shape: z.ZodObject, prefix: string, found: Map<string, Fact>): void {
  for (const [name, schema] of Object.entries(shape.shape)) {
    const nullable = schema instanceof z.ZodNullable;
    const inner = made(nullable ? schema.unwrap() : schema);
    if (inner instanceof z.ZodObject) collect(inner, `${prefix}${name}.`, found);
    else found.set(`${prefix}${name}`, { type: typeOf(inner), nullable });
  }
}

function typeOf(schema: unknown): FactType {
  if (schema === Untrusted) return "untrusted";
  if (schema instanceof z.ZodNumber) return "number";
  if (schema instanceof z.ZodBoolean) return "boolean";
  return "string";
}
