/** A context whose PID 1 is that of a test world. */

import { join } from "node:path";
import type { Context } from "../../../context.ts";
import { memoryState, type TestContext, type TestPlaces } from "../../../testing/context.ts";
import { servicesIn, worldPid1 } from "../../../testing/pid1.ts";

export function serviceRig(test: TestPlaces) {
  const file = join(test.work, "pid1.json");
  const state = memoryState();
  const init = worldPid1(file);
  return {
    state,
    services: () => servicesIn(file),
    context: (over: Partial<Context> = {}): TestContext =>
      test.context({ state, init: { call: init.call as NonNullable<Context["init"]>["call"] }, logs: { held: async () => [] }, ...over }),
  };
}
