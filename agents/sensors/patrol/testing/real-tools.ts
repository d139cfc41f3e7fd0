/** The broker's tools as the patrol asks them, without permission and record: the real ones, in the test's own places. */

import { tool_answers } from "../../../../contracts/tool-answers.ts";
import { testCatalog } from "../../../../tools/testing/catalog.ts";
import { callTool, type TestContext } from "../../../../tools/testing/context.ts";
import type { AskTool } from "../../../shared/ask-tool.ts";

const catalog = new Map(testCatalog().map((tool) => [tool.name, tool]));

/** @returns its answer, the whole of it. @throws as `toolAsker` says it */
export async function realCall(name: string, args: object, context: TestContext): Promise<unknown> {
  const tool = catalog.get(name);
  if (tool === undefined) throw new Error(`asking ${name} failed: there is no such tool`);
  try {
    return (await callTool(tool, args, context)).output;
  } catch (error) {
    throw new Error(`asking ${name} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @param context for the next call. What a tier reads of the answer; the whole answer of tools that tiers do not read */
export function realTools(context: () => TestContext): AskTool {
  return (async (name: keyof typeof tool_answers, args: Readonly<Record<string, unknown>>) => {
    const answer = await realCall(name, args, context());
    return Object.hasOwn(tool_answers, name) ? tool_answers[name].parse(answer) : answer;
  }) as AskTool;
}

/** ip(8). @throws when it fails */
export function ipOf(...words: readonly string[]): string {
  const { stdout, stderr, success } = Bun.spawnSync(["ip", ...words]);
  if (!success) throw new Error(`ip ${words.join(" ")} failed: ${stderr.toString()}`);
  return stdout.toString();
}
