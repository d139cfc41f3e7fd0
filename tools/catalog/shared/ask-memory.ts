/** Asking the memory service, for the tools of what it keeps. */

import type { Context } from "../../context.ts";
import { ToolError } from "../../tool.ts";

/** On a slow machine memory is busy for seconds after a start, when it indexes what the image brought. */
const answer_limit_ms = 30_000;

/** @param about what is being done. @throws {ToolError} while it is away */
export function memoryOf({ memory }: Pick<Context, "memory">, about: string): NonNullable<Context["memory"]> {
  if (memory === null) throw new ToolError(`${about} failed: the memory service is away; try again in a moment`);
  return { call: (method, params, limit_ms = answer_limit_ms) => memory.call(method, params, limit_ms) };
}

/** What memory refuses is the call's failure in its words. */
export async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new ToolError(error instanceof Error ? error.message : String(error));
  }
}
