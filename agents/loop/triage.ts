/** The operational tier's part: what is this, what is known of it, who is to act. */

import type { AskTool } from "../shared/ask-tool.ts";
import { matterOf, type Standing } from "../shared/standing.ts";
import type { Held, Incident, Incidents } from "./incidents.ts";

const memories_max = 8;

export interface TriagePorts {
  readonly incidents: Incidents;
  readonly ask: AskTool;
  readonly standing: Standing;
  /** Alarms that stand although their incident has ended, by the ids of their events: kept from one round to the next. */
  readonly over: Set<string>;
}

/** One round: an incident for each alarm that has none, and a look at those nobody has looked at. */
export async function triageAll({ incidents, ask, standing, over }: TriagePorts): Promise<void> {
  await reportAll(await incidents.open(), { incidents, standing, over });
  for (const incident of await incidents.open()) {
    if (incident.state !== "observing" && incident.state !== "orienting") continue;
    const held = await incidents.take(incident);
    if (held === null) continue;
    try {
      await triage(held, ask);
    } finally {
      await held.release();
    }
  }
}

async function reportAll(open: readonly Incident[], ports: Pick<TriagePorts, "incidents" | "standing" | "over">): Promise<void> {
  const { incidents, standing, over } = ports;
  const known = new Set(open.map(({ body }) => body.key));
  const seen = new Set(open.flatMap(({ body }) => body.events));
  const alarms = standing.all();
  for (const id of over) if (!alarms.some((event) => event.id === id)) over.delete(id);
  for (const event of alarms) {
    if (seen.has(event.id) || over.has(event.id)) continue;
    if (known.has(matterOf(event)) || !(await incidents.isOver(event))) await incidents.report(event);
    else over.add(event.id);
  }
}

async function triage(held: Held, ask: AskTool): Promise<void> {
  if (held.item.state === "observing") await held.move("orienting", "memory is asked what is known");
  const memories = await remembered(ask, held.item.body.summary);
  const why = memories.length === 0 ? "nothing like it is remembered" : `${memories.length} memories of incidents like it`;
  await held.move("deciding", why, { tier: "tactical", memories });
}

/** Earlier incidents of the kind, what was learned of them. An incident is worked on also when memory cannot search. */
async function remembered(ask: AskTool, summary: string): Promise<string[]> {
  try {
    const answer = await ask(
      "memory.search",
      { query: summary.slice(0, 500), kinds: ["lesson", "decision"], limit: memories_max },
      "what is known of an incident like this",
    );
    return answer.found.map(({ memory }) => memory.id);
  } catch {
    return [];
  }
}
