/**
 * A JSON schema (2020-12, as zod makes it) as rules of a grammar. Members come in the order of the schema, and no others than
 * it names. What a schema says and a grammar cannot is refused, not passed over; what is given up is written where it is, and
 * found by the check of the answer.
 */

import type { Json, JsonSchema } from "../../../../contracts/model/chat.ts";
import { anyNumber, wholeNumber } from "./numbers.ts";
import { cannot, literal, oneOf, type Rules, repeated } from "./rules.ts";
import { stringRule } from "./strings.ts";

type Members = Readonly<Record<string, Json>>;

/** Of a schema nested in itself, which would never end. */
const depth_max = 32;
/** Items of an array that are counted; more than these may be any number, and the answer is checked. */
const items_counted_max = 256;

/** Says nothing about what fits. */
const notes = new Set(
  "$schema $id $comment $defs definitions title description default examples deprecated readOnly writeOnly id format".split(" "),
);
const known = new Set(
  `type enum const anyOf oneOf allOf $ref properties required additionalProperties propertyNames items prefixItems minItems maxItems
   minLength maxLength pattern minimum maximum exclusiveMinimum exclusiveMaximum minProperties maxProperties`.split(/\s+/),
);

export class SchemaGrammar {
  readonly #rules: Rules;
  readonly #root: JsonSchema;
  readonly #prefix: string;
  readonly #named = new Map<string, string>();
  #next = 0;

  /** @param prefix of the names of its rules */
  constructor(rules: Rules, root: JsonSchema, prefix: string) {
    this.#rules = rules;
    this.#root = root;
    this.#prefix = prefix;
  }

  root(): string {
    return this.#of(this.#root, 0);
  }

  #rule(expression: string): string {
    return this.#rules.define(`${this.#prefix}-${this.#next++}`, expression);
  }

  #of(schema: Json, depth: number): string {
    if (depth > depth_max) throw cannot(`is nested deeper than ${depth_max}`);
    if (schema === true) return this.#anything();
    if (!isMembers(schema)) throw cannot(`has ${JSON.stringify(schema)} where a schema has to be`);
    for (const name of Object.keys(schema))
      if (!notes.has(name) && !known.has(name)) throw cannot(`has "${name}", which a grammar cannot keep`);
    if (schema["$ref"] !== undefined) return this.#reference(schema["$ref"], depth);
    if (schema["const"] !== undefined) return literal(JSON.stringify(schema["const"]));
    if (Array.isArray(schema["enum"])) return this.#rule(oneOf(schema["enum"].map((one) => literal(JSON.stringify(one)))));
    const union = schema["anyOf"] ?? schema["oneOf"];
    if (Array.isArray(union)) return this.#rule(oneOf(union.map((one) => this.#of(merged(schema, one), depth + 1))));
    if (Array.isArray(schema["allOf"])) return this.#of(schema["allOf"].reduce<Json>(merged, without(schema, "allOf")), depth + 1);
    const { type } = schema;
    if (Array.isArray(type)) return this.#rule(oneOf(type.map((one) => this.#typed(one, schema, depth))));
    return type === undefined ? this.#untyped(schema, depth) : this.#typed(type, schema, depth);
  }

  #untyped(schema: Members, depth: number): string {
    if (schema["properties"] !== undefined) return this.#object(schema, depth);
    if (schema["items"] !== undefined || schema["prefixItems"] !== undefined) return this.#array(schema, depth);
    if (schema["pattern"] !== undefined) return this.#rule(stringRule(schema));
    if (Object.keys(schema).some((name) => !notes.has(name))) throw cannot("says no type");
    return this.#anything();
  }

  #typed(type: Json, schema: Members, depth: number): string {
    switch (type) {
      case "string":
        return this.#rule(stringRule(schema));
      case "integer":
      case "number":
        return this.#rule(numberRule(schema, type === "integer"));
      case "boolean":
        return '("true" | "false")';
      case "null":
        return '"null"';
      case "object":
        return this.#object(schema, depth);
      case "array":
        return this.#array(schema, depth);
      default:
        throw cannot(`has the type ${JSON.stringify(type)}`);
    }
  }

  #object(schema: Members, depth: number): string {
    const properties = isMembers(schema["properties"]) ? schema["properties"] : {};
    const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
    const further = schema["additionalProperties"];
    const unnamed = [...required].filter((name): name is string => typeof name === "string" && !Object.hasOwn(properties, name));
    const named = [...Object.entries(properties), ...unnamed.map((name): [string, Json] => [name, further ?? true])];
    if (named.length === 0 && isMembers(further)) return this.#map(schema, further, depth);
    if (schema["minProperties"] !== undefined && Number(schema["minProperties"]) > required.size) throw cannot('has "minProperties"');
    const pairs = named.map(([name, one]) => ({
      pair: `${literal(`${JSON.stringify(name)}: `)} ${this.#of(one, depth + 1)}`,
      required: required.has(name),
    }));
    return this.#rule(`"{" ${this.#members(pairs)} "}"`);
  }

  /** From the last to the first: what may follow when something stands before, and when nothing does. */
  #members(pairs: readonly { readonly pair: string; readonly required: boolean }[]): string {
    let [first, further] = ['""', '""'];
    for (const { pair, required } of pairs.toReversed()) {
      const rest = further;
      const with_comma = `", " ${pair} ${rest}`;
      const without_comma = `${pair} ${rest}`;
      further = this.#rule(required ? with_comma : `${with_comma} | ${rest}`);
      first = this.#rule(required ? without_comma : `${without_comma} | ${first}`);
    }
    return first;
  }

  /** An object of any keys, each with a value of the same schema. */
  #map(schema: Members, value: Members, depth: number): string {
    const names = schema["propertyNames"];
    const key = this.#rule(stringRule(isMembers(names) ? this.#resolved(names) : {}));
    return this.#listed(`${key} ": " ${this.#of(value, depth + 1)}`, "{}", bounds(schema, "minProperties", "maxProperties"));
  }

  #array(schema: Members, depth: number): string {
    const before = (Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : []).map((one) => this.#of(one, depth + 1));
    const { items } = schema;
    if (before.length === 0) return this.#listed(this.#of(items ?? true, depth + 1), "[]", bounds(schema, "minItems", "maxItems"));
    const { min, max } = bounds(schema, "minItems", "maxItems");
    if (min > before.length) throw cannot('has "minItems" beyond its "prefixItems"');
    const may_follow = items !== undefined && items !== false && (max === null || max > before.length);
    const rest = may_follow ? repeated(`", " ${this.#of(items, depth + 1)}`, 0, max === null ? null : max - before.length) : "";
    return this.#rule(`"[" ${before.join(' ", " ')} ${rest} "]"`);
  }

  /** @param around the two brackets */
  #listed(item: string, around: "[]" | "{}", { min, max }: Bounds): string {
    const [open, close] = [literal(around[0] ?? ""), literal(around[1] ?? "")];
    if (max === 0) return literal(around);
    const one = this.#rule(item);
    const further = repeated(`", " ${one}`, Math.max(0, min - 1), max === null ? null : max - 1);
    const some = `${one} ${further}`;
    return this.#rule(min === 0 ? `${open} (${some})? ${close}` : `${open} ${some} ${close}`);
  }

  #reference(reference: Json, depth: number): string {
    const target = String(reference);
    const known_as = this.#named.get(target);
    if (known_as !== undefined) return known_as;
    const name = `${this.#prefix}-ref-${this.#named.size}`;
    this.#named.set(target, name);
    return this.#rules.define(name, this.#of(this.#resolve(target), depth + 1));
  }

  #resolved(schema: Members): Members {
    const { $ref } = schema;
    const found = $ref === undefined ? schema : this.#resolve(String($ref));
    return isMembers(found) ? found : {};
  }

  /** A JSON pointer within the schema (RFC 6901). */
  #resolve(target: string): Json {
    if (!target.startsWith("#")) throw cannot(`refers to "${target}", which is not within it`);
    let at: Json | undefined = this.#root;
    for (const step of target.slice(1).split("/").slice(1)) {
      const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
      at = isMembers(at) && Object.hasOwn(at, name) ? at[name] : undefined;
    }
    if (at === undefined) throw cannot(`refers to "${target}", which is not there`);
    return at;
  }

  /** Any JSON, nested three times at most. */
  #anything(): string {
    const name = `${this.#prefix}-any`;
    if (this.#rules.has(name)) return name;
    const text = stringRule({});
    let value = this.#rule(`${text} | ${anyNumber(-1e9, false, 1e9, false)} | "true" | "false" | "null"`);
    for (let level = 0; level < 3; level += 1) {
      const of_items = `"[" (${value} (", " ${value})*)? "]"`;
      const of_members = `"{" (${text} ": " ${value} (", " ${text} ": " ${value})*)? "}"`;
      value = this.#rule(`${value} | ${of_items} | ${of_members}`);
    }
    return this.#rules.define(name, value);
  }
}

function numberRule(schema: Members, whole: boolean): string {
  const figure = (name: string): number | null => (typeof schema[name] === "number" ? schema[name] : null);
  const [min, above, max, below] = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"].map(figure);
  const low = Math.max(min ?? Number.NEGATIVE_INFINITY, above ?? Number.NEGATIVE_INFINITY);
  const high = Math.min(max ?? Number.POSITIVE_INFINITY, below ?? Number.POSITIVE_INFINITY);
  const [low_open, high_open] = [low === above, high === below];
  if (!whole) return anyNumber(low, low_open, high, high_open);
  return wholeNumber(low_open ? Math.floor(low) + 1 : low, high_open ? Math.ceil(high) - 1 : high);
}

interface Bounds {
  readonly min: number;
  readonly max: number | null;
}

function bounds(schema: Members, min_name: string, max_name: string): Bounds {
  const [min, max] = [schema[min_name], schema[max_name]].map((one) => (typeof one === "number" ? one : null));
  if ((min ?? 0) > items_counted_max) throw cannot(`has a "${min_name}" above ${items_counted_max}`);
  return { min: min ?? 0, max: max === undefined || max === null || max > items_counted_max ? null : max };
}

/** Of what stands beside `anyOf` or in `allOf`: what both say. */
function merged(a: Json, b: Json): Json {
  if (!isMembers(a) || !isMembers(b)) return b;
  const { anyOf: _, oneOf: __, ...outer } = a;
  const both = { ...outer, ...b };
  if (isMembers(a["properties"]) && isMembers(b["properties"])) both["properties"] = { ...a["properties"], ...b["properties"] };
  if (Array.isArray(a["required"]) && Array.isArray(b["required"])) both["required"] = [...new Set([...a["required"], ...b["required"]])];
  return both;
}

function without(schema: Members, name: string): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== name));
}

function isMembers(json: Json | undefined): json is Record<string, Json> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
