/**
 * Takes secrets out of a value before it is written anywhere: members whose schema carries `.meta({ secret: true })` become
 * `[redacted]`. No hash of them is kept: most secrets that people choose can be found from one by guessing.
 *
 * It errs on the side of hiding. Where one branch of a union says that a member is secret, it is hidden for all branches;
 * members that the schema does not know are hidden, for a misspelled `pasword` holds one too; and where a structure with
 * secrets in it was expected, anything of another form is hidden.
 */

import { z } from "zod";

export const redacted = "[redacted]";

/** What of JSON Schema 2020-12 is looked at; zod writes no other keywords with sub-schemas. */
interface Node {
  readonly [keyword: string]: unknown;
}

const redactors = new WeakMap<z.ZodType, Redactor>();

/** @returns the members of `value` without what their schema calls secret, and whether anything was taken out */
export function redact(schema: z.ZodType, value: unknown): { readonly value: Record<string, unknown>; readonly secret: boolean } {
  let redactor = redactors.get(schema);
  if (redactor === undefined) {
    redactor = new Redactor(z.toJSONSchema(schema, { io: "input" }));
    redactors.set(schema, redactor);
  }
  return redactor.redactMembers(value);
}

export class Redactor {
  readonly #root: Node;
  readonly #has_secret = new Map<Node, boolean>();
  #hidden = false;

  /** @param json_schema what `z.toJSONSchema` makes of the schema: what is given to `.meta` becomes a keyword */
  constructor(json_schema: unknown) {
    this.#root = isNode(json_schema) ? json_schema : {};
  }

  redact(value: unknown): unknown {
    return this.#value([this.#root], value);
  }

  /** The members of an object, such as the arguments of a call; of anything else it is one member, `value`. */
  redactMembers(value: unknown): { readonly value: Record<string, unknown>; readonly secret: boolean } {
    this.#hidden = false;
    const result = this.redact(value);
    return { value: isNode(result) ? { ...result } : { value: result }, secret: this.#hidden };
  }

  /** @param nodes all sub-schemas that may describe the value; empty: none does */
  #value(nodes: readonly Node[], value: unknown): unknown {
    if (value === undefined || value === null) return value;
    const all = nodes.flatMap((node) => this.#branches(node));
    if (all.length === 0 || all.some((node) => node["secret"] === true)) return this.#hide();
    if (Array.isArray(value)) return value.map((item: unknown, index) => this.#item(all, item, index));
    if (isNode(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.#member(all, key, member)]));
    const structured = all.filter(
      (node) => "properties" in node || "items" in node || "prefixItems" in node || isNode(node["additionalProperties"]),
    );
    return structured.some((node) => this.#hasSecret(node)) ? this.#hide() : value;
  }

  #hide(): string {
    this.#hidden = true;
    return redacted;
  }

  #item(nodes: readonly Node[], item: unknown, index: number): unknown {
    const below = nodes.flatMap((node) => {
      const own: unknown = Array.isArray(node["prefixItems"]) ? node["prefixItems"][index] : undefined;
      return subSchemas(own ?? node["items"]);
    });
    return nodes.some(isOpen) && below.length === 0 ? item : this.#value(below, item);
  }

  #member(nodes: readonly Node[], key: string, member: unknown): unknown {
    const below = nodes.flatMap((node) => {
      const properties = node["properties"];
      const own: unknown = isNode(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined;
      return subSchemas(own ?? node["additionalProperties"]);
    });
    return nodes.some(isOpen) && below.length === 0 ? member : this.#value(below, member);
  }

  /** The node itself and everything that it may also be, references followed. */
  #branches(node: Node, seen: ReadonlySet<Node> = new Set()): Node[] {
    if (seen.has(node)) return [];
    const path = new Set(seen).add(node);
    const others = [...["anyOf", "oneOf", "allOf"].flatMap((keyword) => subSchemas(node[keyword])), ...this.#target(node["$ref"])];
    return [node, ...others.flatMap((other) => this.#branches(other, path))];
  }

  #target(reference: unknown): Node[] {
    if (typeof reference !== "string") return [];
    if (reference === "#") return [this.#root];
    const definitions = this.#root["$defs"];
    const name = reference.replace(/^#\/\$defs\//, "");
    return isNode(definitions) ? subSchemas(definitions[name]) : [];
  }

  #hasSecret(node: Node): boolean {
    const known = this.#has_secret.get(node);
    if (known !== undefined) return known;
    this.#has_secret.set(node, false); // a schema that contains itself is looked at once
    const members = ["properties", "$defs"].flatMap((keyword) =>
      isNode(node[keyword]) ? Object.values(node[keyword]).flatMap(subSchemas) : [],
    );
    const below = [...members, ...["items", "prefixItems", "additionalProperties"].flatMap((keyword) => subSchemas(node[keyword]))];
    const found = node["secret"] === true || [...below, ...this.#branches(node).slice(1)].some((each) => this.#hasSecret(each));
    this.#has_secret.set(node, found);
    return found;
  }
}

/** `z.unknown()`, `z.any()`: describes nothing and allows everything. */
function isOpen(node: Node): boolean {
  return Object.keys(node).every((keyword) => ["$schema", "title", "description", "default", "examples", "id"].includes(keyword));
}

function subSchemas(value: unknown): Node[] {
  if (Array.isArray(value)) return value.filter(isNode);
  return isNode(value) ? [value] : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
