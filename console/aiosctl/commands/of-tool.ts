/** Commands that are calls of one tool, shown in a form of their own: authorised and on record like any other call. */

import type { CallResult } from "../../../contracts/tool.ts";
import type { Context } from "../context.ts";
import { exit } from "../exit.ts";
import { show } from "../output.ts";
import { showCall } from "./tools.ts";

/** @param why the reason, for the record */
export async function call({ client }: Context, name: string, args: Record<string, unknown>, why: string): Promise<CallResult> {
  return await client.call("call_make", { body: { name, arguments: args, _meta: { reason: { text: why } } } });
}

/** Shows the answer in the form of `view`; a call that did not succeed as every call is shown. @returns the exit code */
export async function look(
  context: Context,
  tool: string,
  args: Record<string, unknown>,
  view: (answer: Record<string, unknown>) => string[],
): Promise<number> {
  const result = await call(context, tool, args, `looking, by aiosctl ${tool.split(".")[0]}`);
  const answer = result.structuredContent;
  if (answer === null) return showCall(context, result);
  show(context, answer, view);
  return exit.ok;
}

/** What of an answer could not be had, and why. */
export function noteOf(answer: Record<string, unknown>): string | null {
  return typeof answer["note"] === "string" ? answer["note"] : null;
}
