/** memory.incidents */

import { z } from "zod";
import { IncidentsAnswer } from "../../../contracts/memory/now.ts";
import { IncidentState } from "../../../contracts/memory/working/incidents.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { anyTainted, IdField, readsAll } from "./shared/memory.ts";

/** Versions of one incident that are told. */
const history_max = 50;

export const memoryIncidents = defineTool({
  name: "memory.incidents",
  title: "Incidents",
  description:
    "What is wrong and being dealt with: incidents with their state, severity, the tier that works on them, what they have cost; with `id` one of them with its plan, who holds it, and every step it went through with the reason. What was learned of those that are over is memory.search.",
  input: z.lazy(() =>
    z.strictObject({
      id: IdField.nullable().default(null).describe("one incident, whole"),
      ended: z.boolean().nullable().default(false).describe("those that are over; null: all"),
      states: z.array(IncidentState).min(1).max(10).nullable().default(null).describe("only in these states"),
      key: z.string().min(1).max(200).nullable().default(null).describe("only about this: each cause has a key of its own"),
      before: IdField.nullable().default(null).describe("only older than this one"),
      limit: z.number().int().min(1).max(100).default(20).describe("incidents to return"),
    }),
  ),
  output: IncidentsAnswer,
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ incidents, one }) =>
    anyTainted([...incidents, ...(one === null ? [] : [one.incident, ...one.parts])].map(({ body }) => body)),
  image: null,
  resolve: readsAll,
  async run(_target, { id, ended, states, key, before, limit }, context) {
    const memory = memoryOf(context, "looking at incidents");
    if (id !== null) {
      const { item: incident, parts, lease } = await asked(memory.call("work.get", { id }));
      if (incident.kind !== "incident") throw new ToolError(`showing the incident "${id}" failed: it is a ${incident.kind}`);
      const history = await asked(memory.call("work.history", { id, limit: history_max }));
      return { incidents: [], more: false, one: { incident, parts, lease, history } };
    }
    const only = {
      ...(ended === null ? {} : { ended }),
      ...(states === null ? {} : { states }),
      ...(key === null ? {} : { key }),
      ...(before === null ? {} : { before }),
    };
    const { items, more } = await asked(memory.call("work.list", { kinds: ["incident"], limit, ...only }));
    return { incidents: items, more, one: null };
  },
});
