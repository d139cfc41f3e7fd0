/** memory.recent */

import { z } from "zod";
import { Severity } from "../../../contracts/event.ts";
import { RecentAnswer, told_at } from "../../../contracts/memory/now.ts";
import { Window } from "../../../contracts/memory/operational.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { readsAll } from "./shared/memory.ts";

export const memoryRecent = defineTool({
  name: "memory.recent",
  title: "The last hour",
  description:
    "What happened in the last minutes of this boot, counted as it came in: events by severity and source, what came most often, decisions by result, figures with mean and percentiles; on demand the newest events, how often one kind came, and how one figure is spread. What is older is memory.search; what the machine is doing at this moment is sys.metrics.",
  input: z.lazy(() =>
    z.strictObject({
      window: Window.default("15m").describe("how far back"),
      events: z.number().int().min(0).max(100).default(20).describe("newest events to return"),
      kind: z.string().min(1).max(40).nullable().default(null).describe("only events of this kind: service.exited"),
      service: z.string().min(1).max(100).nullable().default(null).describe("only events about this service"),
      severity_min: Severity.default("debug").describe("only events at least as severe"),
      count: z.string().min(1).max(40).nullable().default(null).describe("a kind of event, to be counted in every window: service.exited"),
      measured: z.string().min(1).max(100).nullable().default(null).describe("a figure: cpu.busy_ratio, decision.took_us"),
    }),
  ),
  output: RecentAnswer,
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: readsAll,
  async run(_target, { window, events: limit, kind, service, severity_min, count, measured }, context) {
    const memory = memoryOf(context, "reading the last hour");
    const only = { ...(kind === null ? {} : { kind }), ...(service === null ? {} : { service }) };
    const [summary, newest, counted, spread] = await asked(
      Promise.all([
        memory.call("recent.summary", { window }),
        limit === 0 ? null : memory.call("recent.events", { window, limit, severity_min, ...only }),
        count === null ? null : memory.call("recent.rate", { by: "kind", key: count }),
        measured === null ? null : memory.call("recent.percentiles", { name: measured, window, at: [...told_at] }),
      ]),
    );
    return { summary, events: newest?.events ?? [], counted, measured: spread };
  },
});
