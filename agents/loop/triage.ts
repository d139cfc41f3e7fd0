/** The operational tier's part: what is this, what is known of it, who is to act. */

import type { Severity } from "../../contracts/event.ts";
import type { Triage } from "../../contracts/memory/working/incidents.ts";
import type { Thresholds } from "../../contracts/router.ts";
import { belongsTo, groupsOf } from "../router/storms.ts";
import { type AlarmEvent, matterOf, type Standing } from "../shared/standing.ts";
import type { Held, Incident, Incidents } from "./incidents.ts";

const memories_max = 32;
/** What is less than a warning is told and kept, and is nobody's work: a log that says something new, a budget that is nearly used. */
const told_only = new Set<Severity>(["debug", "info", "notice"]);

export interface Judged {
  readonly triage: Triage;
  /** Memories that it rests on. */
  readonly memories: readonly string[];
  readonly tokens: number;
}

/** Says what an incident is, and what may help. */
export interface Judge {
  /** Never throws for want of a model or of memory: then it says so. */
  judge(event: AlarmEvent, summary: string): Promise<Judged>;
}

export interface TriagePorts {
  readonly incidents: Incidents;
  readonly judge: Judge;
  readonly standing: Standing;
  readonly thresholds: Thresholds;
  readonly boot_ms: () => number;
  /**
   * Alarms that stand although their incident has ended, by the ids of their events, and until when they are left alone, on the boot clock:
   * kept from one round to the next.
   */
  readonly over: Map<string, number>;
  /** How many times sooner than in earnest. */
  readonly pace?: number;
}

/** One round: an incident for each alarm that has none and belongs to none, and a look at those nobody has looked at. */
export async function triageAll(ports: TriagePorts): Promise<void> {
  const { incidents } = ports;
  await reportAll(await incidents.open(), ports);
  for (const incident of await incidents.open()) {
    if (incident.state !== "observing" && incident.state !== "orienting") continue;
    const held = await incidents.take(incident);
    if (held === null) continue;
    try {
      await triage(held, ports);
    } finally {
      await held.release();
    }
  }
}

async function reportAll(open: readonly Incident[], ports: TriagePorts): Promise<void> {
  const { incidents, standing, over, thresholds, boot_ms } = ports;
  const own = new Map(open.map((incident) => [incident.body.key, incident]));
  const alarms = standing.all().filter(({ severity }) => !told_only.has(severity));
  const now_ms = boot_ms();
  for (const id of over.keys()) if (!alarms.some((event) => event.id === id)) over.delete(id);
  const fresh: AlarmEvent[] = [];
  for (const event of alarms) {
    const incident = own.get(matterOf(event));
    if (incident?.body.events.includes(event.id) === true) continue;
    if (incident !== undefined) await incidents.report([event]);
    else if (open.some((one) => belongsTo(event, one, now_ms)) || (await rests(event, ports))) continue;
    else fresh.push(event);
  }
  for (const { events, covers } of groupsOf(fresh, thresholds.storms, now_ms)) await incidents.report(events, covers);
}

/** Whether its incident has ended, and it is left alone for now. */
async function rests(event: AlarmEvent, { incidents, over, thresholds, pace = 1, boot_ms }: TriagePorts): Promise<boolean> {
  const { after_ms, most_ms } = thresholds.again;
  let until_ms = over.get(event.id);
  if (until_ms === undefined) {
    const rest_ms = await incidents.restsFor(event, { after_ms: after_ms / pace, most_ms: most_ms / pace });
    if (rest_ms === null) return false;
    until_ms = boot_ms() + rest_ms;
  }
  const is_over = boot_ms() < until_ms;
  if (is_over) over.set(event.id, until_ms);
  else over.delete(event.id);
  return is_over;
}

async function triage(held: Held, { judge, standing }: TriagePorts): Promise<void> {
  const { key, summary, spent } = held.item.body;
  if (held.item.state === "observing") await held.move("orienting", "memory is asked what is known, and a model what it is");
  const event = standing.get(key);
  if (event === null) {
    await held.move("deciding", "the alarm was cleared meanwhile", { tier: "tactical" });
    return;
  }
  const { triage: found, memories, tokens } = await judge.judge(event, summary);
  const [best] = found.options;
  const what = best === undefined ? "no playbook fits" : `${best.rule} (${best.confidence.toFixed(2)})`;
  await held.move("deciding", `${found.known ? "known" : "new"}, ${found.kind}: ${what}`, {
    tier: "tactical",
    memories: memories.slice(0, memories_max),
    triage: found,
    spent: { ...spent, tokens: spent.tokens + tokens, model_ms: spent.model_ms + (tokens > 0 ? found.took_ms : 0) },
  });
}
