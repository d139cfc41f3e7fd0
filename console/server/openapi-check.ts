/** Checks an OpenAPI document with a validator that is not ours. For tests. */

import { Validator } from "@seriousme/openapi-schema-validator";

/** @returns what is wrong */
export async function validate(document: unknown): Promise<string[]> {
  if (typeof document !== "object" || document === null) return ["it is not an object"];
  const result = await new Validator().validate({ ...document });
  return result.valid ? [] : [JSON.stringify(result.errors)];
}
