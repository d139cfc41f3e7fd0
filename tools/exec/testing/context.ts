/** Contexts for tests of tools that start programs: the real execution, in the test's own places. */

import type { Context } from "../../context.ts";
import type { TestContext, TestPlaces } from "../../testing/context.ts";
import { memoryState } from "../../testing/context.ts";
import { type Execution, linuxExecution } from "../linux.ts";
import { checkoutPrograms } from "./programs.ts";

interface ExecRig {
  readonly execution: Execution;
  /** A context for the next call; all share the values of their family. */
  context(over?: Partial<Context>): TestContext;
}

export function execRig(test: TestPlaces, cgroup: string | null = null): ExecRig {
  const places = { ...test.places, cgroup };
  const execution = linuxExecution({ sys: test.sys, programs: checkoutPrograms(), places });
  const state = memoryState();
  return {
    execution,
    context(over = {}) {
      const context = test.context({ places, state, ...over });
      const { call, signal, output } = context;
      return { ...context, exec: over.exec ?? execution.forCall({ call, signal, output }) };
    },
  };
}
