/** Which keys a schema knows at a place. */

import type { z } from "zod";

/** @returns the keys of the object at `path`; none where the schema has no object, or several that it could be */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const { def } = plain(schema)._zod;
  const [step, ...rest] = path;
  if (def.type === "object") {
    if (step === undefined) return Object.keys(def.shape);
    const member = def.shape[String(step)];
    return member === undefined ? [] : keysAt(member, rest);
  }
  if (step === undefined) return [];
  if (def.type === "array") return keysAt(def.element, rest);
  return def.type === "record" ? keysAt(def.valueType, rest) : [];
}

/** Without what is said about a value beside its shape. */
function plain(schema: z.core.$ZodType): z.core.$ZodTypes {
  const typed = schema as z.core.$ZodTypes;
  const { def } = typed._zod;
  switch (def.type) {
    case "lazy":
      return plain(def.getter());
    case "pipe":
      return plain(def.in);
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
    case "catch":
      return plain(def.innerType);
    default:
      return typed;
  }
}
