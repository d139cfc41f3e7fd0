/** Cases of what is going on: the last hour, incidents, what logs say. */

import { working_methods } from "../../../../contracts/memory/working.ts";
import type { ToolCase, World } from "../../../testing/case.ts";
import { toldBy } from "../../../testing/memory.ts";
import { holds, looks, nginx, observe, unknown_id } from "./world.ts";

/** What a tier would have begun. */
async function incident({ places }: World): Promise<string> {
  const body = { key: "nginx.silent", summary: nginx, severity: "error", service: "nginx", events: [], taint: [] };
  const change = { why: "it does not answer", changes: [{ do: "incident", body }] };
  const { done } = working_methods["work.change"].result.parse(await toldBy("tactical", places, "work.change", change));
  return done[0]?.id ?? "";
}

async function logged({ places }: World): Promise<void> {
  const lines = [7, 8, 9].map((n) => ({
    source: "sshd",
    time_ms: Date.now(),
    text: `Failed password for root from 203.0.113.${n} port 22`,
  }));
  await toldBy("operational", places, "templates.ingest", { lines });
}

export const now_cases: readonly ToolCase[] = [
  looks("memory.recent", "at a glance", () => ({ count: "service.exited" }), `"count":0`),
  {
    tool: "memory.incidents",
    name: "those that are open",
    prepare: (world) => incident(world).then(() => ({})),
    observe,
    bad: () => [{ id: unknown_id }, { states: ["done"] }, { limit: 0 }],
    check: holds(`"key":"nginx.silent"`),
  },
  {
    tool: "memory.incidents",
    name: "one, with what became of it",
    prepare: async (world) => ({ id: await incident(world) }),
    observe,
    check: holds(`"why":"it does not answer"`),
  },
  {
    tool: "memory.templates",
    name: "what logs have in common",
    prepare: (world) => logged(world).then(() => ({})),
    observe,
    bad: () => [{ id: 4711 }, { order: "least" }, { limit: 0 }],
    check: holds("Failed password for"),
  },
  {
    tool: "memory.templates",
    name: "one of them",
    prepare: (world) => logged(world).then(() => ({ id: 1 })),
    observe,
    check: holds("203.0.113.7"),
  },
];
