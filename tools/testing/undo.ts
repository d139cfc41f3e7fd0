/** Proofs about one tool: that an undo brings everything back, from wherever the call was cut off. */

import { expect } from "bun:test";
import type { Context } from "../context.ts";
import type { Target, Tool } from "../tool.ts";
import { type TestPlaces, takeBack } from "./context.ts";
import { Crash, crashingSystem } from "./crash.ts";
import { readTree } from "./tree.ts";

/**
 * Makes the call again and again, each time cut off one change later, takes it back (twice), and compares the tree.
 * @returns at how many points it was cut off; the last time it ran to its end
 */
export async function undoneFromEverywhere<I, O, T extends Target, S>(
  tests: TestPlaces,
  tool: Tool<I, O, T, S>,
  raw: unknown,
  root: string,
  over: Partial<Context> = {},
): Promise<number> {
  const before = readTree(tests.sys, root);
  const input = tool.input.parse(raw);
  for (let changes = 0; ; changes++) {
    const context = tests.context(over);
    const sys = crashingSystem(tests.sys, changes);
    const { image, output } = await cutOff(tool, input, context, { ...context, sys });
    const back = takeBack(tool, image, { call: context.call, input, output: null }, context);
    if (output !== null && tool.settled !== undefined) expect(await back.settled()).toBe(true);
    await back.undo();
    expect({ changes, tree: readTree(tests.sys, root) }).toEqual({ changes, tree: before });
    await back.undo();
    expect({ changes, tree: readTree(tests.sys, root) }).toEqual({ changes, tree: before });
    if (output !== null) return changes;
  }
}

async function cutOff<I, O, T extends Target, S>(
  tool: Tool<I, O, T, S>,
  input: I,
  context: Context,
  dying: Context,
): Promise<{ readonly image: S | null; readonly output: O | null }> {
  const target = await tool.resolve(input, context);
  try {
    const taken = await tool.snapshot?.(target, input, context);
    const image = taken === undefined || tool.image === null ? null : tool.image.parse(JSON.parse(JSON.stringify(taken)));
    try {
      return { image, output: await tool.run(target, input, dying) };
    } catch (error) {
      if (!isCrash(error)) throw error;
      return { image, output: null };
    }
  } finally {
    target.close?.();
  }
}

function isCrash(error: unknown): boolean {
  return error instanceof Crash || (error instanceof Error && error.cause instanceof Crash);
}
