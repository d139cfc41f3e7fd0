/**
 * Goals, tasks and incidents as memories, so that they are found in years: what it was about, what was done, how it ended.
 * The memory has the item's id and is brought up to date in the transaction that changes the item or a part of it. Its words
 * change only when it ends or is taken up again: each new text is indexed and made a vector of.
 */

import type { Memory, MemoryOutcome } from "../../contracts/memory/record.ts";
import { Tier } from "../../contracts/memory/record.ts";
import { JsonObject } from "../../contracts/memory/working/fields.ts";
import type { WorkItem } from "../../contracts/memory/working/items.ts";
import type { LongTerm } from "../longterm/longterm.ts";
import type { Items } from "./items.ts";
import type { Moment } from "./leases.ts";

const text_chars_max = 8192;
/** Of its history, the newest; of its parts, the first. */
const told_max = 20;
const taint_max = 16;

const outcomes: Readonly<Partial<Record<WorkItem["state"], MemoryOutcome>>> = {
  solved: "worked",
  done: "worked",
  kept: "worked",
  failed: "failed",
  "handed-over": "failed",
  parked: "no-effect",
  replaced: "no-effect",
  cancelled: "refused",
};

/** Runs inside the transaction that changed something of `root`. */
export function remember(longterm: LongTerm, items: Items, root: string, now: Moment): void {
  const item = items.item(root);
  if (item === null) return;
  const parts = everyPartOf(items, root);
  longterm.put(memoryOf(item, parts, items, now));
  if (item.kind !== "incident") return;
  for (const decision of item.body.decisions) longterm.link(decision, { relation: "part-of", to: root });
  if (item.body.lesson !== null) longterm.link(item.body.lesson, { relation: "learned-from", to: root });
}

/** Parts and their parts: plans and tasks, steps of plans. */
function everyPartOf(items: Items, root: string): WorkItem[] {
  return items.parts(root).flatMap((part) => [part, ...items.parts(part.id)]);
}

function memoryOf(item: WorkItem, parts: readonly WorkItem[], items: Items, now: Moment): Memory {
  const [source = ""] = item.made_by.split(" ");
  const body = JsonObject.parse({ ...item, parts: parts.map(({ id, kind, state, version }) => ({ id, kind, state, version })) });
  return {
    id: item.id,
    time_ms: item.created_ms,
    boot_ms: now.boot_ms,
    kind: item.kind === "incident" || item.kind === "goal" ? item.kind : "note",
    source,
    severity: item.kind === "incident" ? item.body.severity : "info",
    tier: "tier" in item.body && item.body.tier !== null ? item.body.tier : (Tier.safeParse(source).data ?? null),
    tool: null,
    service: item.kind === "incident" ? item.body.service : null,
    outcome: outcomes[item.state] ?? "pending",
    text: textOf(item, parts, items).slice(0, text_chars_max),
    body,
    taint: [...new Set([item, ...parts].flatMap((one) => one.body.taint))].slice(0, taint_max),
    links: linksOf(item),
  };
}

function linksOf(item: WorkItem): Memory["links"] {
  if (item.kind !== "incident") return [];
  const caused = item.body.events.map((to) => ({ relation: "caused-by" as const, to }));
  const based = item.body.memories.map((to) => ({ relation: "based-on" as const, to }));
  return [...caused, ...based].slice(0, 64);
}

function textOf(item: WorkItem, parts: readonly WorkItem[], items: Items): string {
  const about = aboutOf(item);
  if (!item.ended) return about;
  const history = items
    .history(item.id, undefined, told_max)
    .toReversed()
    .map(({ to, why }) => `${to}: ${why}`);
  const steps = parts.flatMap((part) => stepText(part) ?? []).slice(0, told_max);
  const done = steps.length === 0 ? "" : ` What was done: ${steps.join("; ")}.`;
  return `${about}${done} It ended as ${item.state}: ${item.reason}. In between: ${history.join("; ")}`;
}

function aboutOf({ kind, body }: WorkItem): string {
  if ("summary" in body) return `Incident (${body.severity}) ${body.key}: ${body.summary}`;
  if ("text" in body) return `Goal: ${body.text}`;
  if ("detail" in body) return `Task: ${body.title}. ${body.detail}`;
  if ("purpose" in body) return `Plan: ${body.purpose}`;
  return `${kind}: ${body.title}`;
}

/** A step, or a task that is a part, with what came of it. */
function stepText({ state, body }: WorkItem): string | null {
  if (!("title" in body)) return null;
  const tool = "tool" in body && body.tool !== null ? ` (${body.tool})` : "";
  return `${body.title}${tool} ${state}${body.result === null ? "" : `, ${body.result}`}`;
}
