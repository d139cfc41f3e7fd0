import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import type { Context } from "../../context.ts";
import { defineTool, ToolError } from "../../tool.ts";

/** A clock that was set is read a moment later. */
const tolerance_ms = 2000;
const year_2020_ms = 1_577_836_800_000;
const year_2100_ms = 4_102_444_800_000;

/** The wall clock and the boot clock at one moment: what the wall clock would be now without a call. */
const ClockImage = z.lazy(() => z.strictObject({ wall_ms: z.number(), boot_ms: z.number() }));

function unset({ wall_ms, boot_ms }: z.infer<typeof ClockImage>, { sys }: Pick<Context, "sys">): number {
  return wall_ms + sys.clock.nowMs("boottime") - boot_ms;
}

export const time = defineTool({
  name: "sys.time",
  title: "Clock",
  description:
    "Reads the clocks, or sets the wall clock when `set_ms` is given. Where a time server is configured the clock is kept by NTP, and setting it by hand is of no use; set it only when there is none. Timers and certificates follow the wall clock.",
  input: z.lazy(() =>
    z.strictObject({
      set_ms: z
        .number()
        .int()
        .min(year_2020_ms)
        .max(year_2100_ms)
        .optional()
        .describe("the new time, milliseconds since 1970 UTC; left out: only read"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      now_ms: z.number().describe("wall clock, milliseconds since 1970 UTC"),
      iso: z.string().describe("the same, ISO 8601"),
      uptime_ms: z.number().describe("milliseconds since boot, time asleep included"),
      stepped_ms: z.number().describe("by how much this call moved the wall clock"),
    }),
  ),
  risk: "reversible",
  riskOf: ({ set_ms }) => (set_ms === undefined ? "observe" : "reversible"),
  timeout_ms: 5000,
  idempotent: false,
  tainted: false,
  image: ClockImage,
  resolve: ({ set_ms }) => ({
    resources: [{ kind: "setting", id: "time", access: set_ms === undefined ? "read" : "write", attributes: {} }] satisfies Resource[],
  }),
  preview: (_, { set_ms }, { sys }) => ({
    changes: set_ms === undefined ? [] : [`the clock moves by ${Math.round(set_ms - sys.clock.nowMs("realtime"))} ms`],
    final: [],
  }),
  snapshot: (_, __, { sys }) => ({ wall_ms: sys.clock.nowMs("realtime"), boot_ms: sys.clock.nowMs("boottime") }),
  run: (_, { set_ms }, { sys }) => {
    const before = sys.clock.nowMs("realtime");
    if (set_ms !== undefined) sys.clock.set(set_ms);
    const now_ms = sys.clock.nowMs("realtime");
    const stepped_ms = set_ms === undefined ? 0 : Math.round(set_ms - before);
    return { now_ms, iso: new Date(now_ms).toISOString(), uptime_ms: sys.clock.nowMs("boottime"), stepped_ms };
  },
  verify: (_, { set_ms }, output, { sys }) => {
    if (set_ms === undefined) return;
    const expected = set_ms + sys.clock.nowMs("boottime") - output.uptime_ms;
    const off_ms = Math.abs(sys.clock.nowMs("realtime") - expected);
    if (off_ms > tolerance_ms) throw new ToolError(`setting the clock failed: it is ${Math.round(off_ms)} ms off`);
  },
  undo: (image, _, context) => {
    const wanted = unset(image, context);
    if (Math.abs(context.sys.clock.nowMs("realtime") - wanted) > tolerance_ms) context.sys.clock.set(Math.round(wanted));
  },
  verifyUndone: (image, _, context) => {
    const off_ms = Math.abs(context.sys.clock.nowMs("realtime") - unset(image, context));
    if (off_ms > tolerance_ms) throw new ToolError(`restoring the clock failed: it is ${Math.round(off_ms)} ms off`);
  },
});
