/**
 * What a set of policies speaks of at all. Facts, folders and names that no policy speaks of cannot change an answer: handing
 * each of them over to Cedar takes longer than evaluating a policy, and without them one question is the same as the next.
 */

import type { PolicyJson, TypeAndId } from "./cedar.ts";

export interface Mentioned {
  /** Names of attributes, of resources and of the context alike. */
  readonly attributes: ReadonlySet<string>;
  /** Paths that are named as entities. */
  readonly paths: ReadonlySet<string>;
  /** Whether they can tell this resource from another one of its type, attributes and folders. */
  names(resource: TypeAndId): boolean;
}

/** Operators of Cedar's JSON form whose left side may be the resource without a word about its name. */
const of_its_attributes: ReadonlySet<string> = new Set([".", "has", "is"]);
const comparing: ReadonlySet<string> = new Set(["==", "!=", "in"]);

export function mentionedIn(policies: readonly PolicyJson[]): Mentioned {
  const attributes = new Set<string>();
  const paths = new Set<string>();
  const entities = new Set<string>();
  let by_name = false;
  const walk = (value: unknown): void => {
    if (!isNode(value)) return;
    if (typeof value["type"] === "string" && typeof value["id"] === "string") {
      entities.add(keyOf(value["type"], value["id"]));
      if (value["type"] === "Path") paths.add(value["id"]);
    }
    if ("attr" in value) for (const name of [value["attr"]].flat()) if (typeof name === "string") attributes.add(name);
    if (isResource(value)) by_name = true;
    for (const [operator, operands] of Object.entries(value)) {
      if (isNode(operands) && leavesNameAlone(operator, operands)) walk({ ...operands, left: null });
      else walk(operands);
    }
  };
  walk(policies);
  by_name ||= attributes.has("id");
  return { attributes, paths, names: ({ type, id }) => by_name || entities.has(keyOf(type, id)) };
}

/** The resource is asked for an attribute, or compared with what is written down in the policy. */
function leavesNameAlone(operator: string, { left, right }: Readonly<Record<string, unknown>>): boolean {
  if (!isNode(left) || !isResource(left)) return false;
  return of_its_attributes.has(operator) || (comparing.has(operator) && isWrittenDown(right));
}

function isWrittenDown(value: unknown): boolean {
  if (!isNode(value)) return false;
  return "Value" in value || (Array.isArray(value["Set"]) && value["Set"].every(isWrittenDown));
}

function isResource(value: Readonly<Record<string, unknown>>): boolean {
  return value["Var"] === "resource";
}

function keyOf(type: string, id: string): string {
  return `${type}::${id}`;
}

function isNode(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
