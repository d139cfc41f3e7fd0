/**
 * What a set of policies speaks of at all. Facts and folders that no policy names cannot change an answer, and handing each
 * of them over to Cedar takes longer than evaluating a policy.
 */

import type { PolicyJson } from "./cedar.ts";

export interface Mentioned {
  /** Names of attributes, of resources and of the context alike. */
  readonly attributes: ReadonlySet<string>;
  /** Paths that are named as entities. */
  readonly paths: ReadonlySet<string>;
}

export function mentionedIn(policies: readonly PolicyJson[]): Mentioned {
  const attributes = new Set<string>();
  const paths = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("type" in value && value.type === "Path" && "id" in value && typeof value.id === "string") paths.add(value.id);
    if ("attr" in value) for (const name of [value.attr].flat()) if (typeof name === "string") attributes.add(name);
    for (const one of Object.values(value)) walk(one);
  };
  walk(policies);
  return { attributes, paths };
}
