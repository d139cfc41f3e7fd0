/** memory.retain */

import { z } from "zod";
import { RetentionFilter, type RetentionPreview, RetentionRule } from "../../../contracts/memory/retention.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { touches } from "./shared/memory.ts";

const { older_than_days, kinds, sources, tiers, severity_max } = RetentionFilter.shape;
/** It looks through all that is old enough. */
const long_ms = 600_000;

const Rule = z.lazy(() =>
  z.strictObject({
    older_than_days: older_than_days.describe("memories that are older, in days"),
    kinds: kinds.describe("only of these kinds"),
    sources: sources.describe("only what these services of the system remembered: init, reactive, broker"),
    tiers: tiers.describe("only what these tiers decided or did"),
    severity_max: severity_max.describe("only what is at most as severe"),
  }),
);
const Input = z.lazy(() =>
  z.strictObject({
    set: Rule.nullable().default(null).describe("the rule to set: what may be deleted, from now on and for good"),
    end: z.number().int().min(1).nullable().default(null).describe("or the number of the rule to end, as memory.retention gives it"),
  }),
);

export const memoryRetain = defineTool({
  name: "memory.retain",
  title: "Set or end a rule of retention",
  description:
    "For people alone: sets a rule by which memories are deleted for good, those that are older than it says and those that become so, or ends one. Without a rule nothing is ever deleted. What is pinned stays, what unfinished work names, what playbooks were learned from, and all that these rest on. What was deleted leaves a tombstone that says how much and by which rule; backups and exports still hold it. Look at the preview, and make a backup first.",
  input: Input,
  output: z.lazy(() => z.strictObject({ rule: RetentionRule })),
  risk: "irreversible",
  riskOf: ({ set }) => (set === null ? "compensable" : "irreversible"),
  timeout_ms: long_ms,
  concurrency_max: 1,
  idempotent: false,
  tainted: false,
  image: null,
  resolve({ set, end }) {
    if ((set === null) === (end === null))
      throw new ToolError("changing rules of retention failed: give either `set`, a rule, or `end`, a number");
    return touches("*", "delete");
  },
  async preview(_target, { set, end }, context) {
    if (set === null) return { changes: [`rule ${end} of retention is ended: nothing more is deleted by it`], final: [] };
    const memory = memoryOf(context, "looking what a rule of retention would delete");
    const found = await asked(memory.call("retention.preview", { filter: set }, long_ms));
    return { changes: [`from now on ${inWords(set)} are deleted`], final: finalOf(found) };
  },
  async run(_target, { set, end }, context) {
    const { call, principal: by, why } = context;
    if (set === null) {
      if (end === null) throw new ToolError("ending a rule of retention failed: it has no number");
      return { rule: await asked(memoryOf(context, `ending rule ${end} of retention`).call("retention.end", { id: end, by })) };
    }
    const reason = (why ?? "").slice(0, 1000) || "none was given";
    const memory = memoryOf(context, "setting a rule of retention");
    return { rule: await asked(memory.call("retention.set", { filter: set, by, reason, call })) };
  },
  async verify(_target, { set }, { rule }, context) {
    const { rules } = await asked(memoryOf(context, "looking for a rule of retention").call("retention.list", { tombstones: 0 }));
    const there = rules.find(({ id }) => id === rule.id);
    if (there === undefined || (there.ended_ms === null) !== (set !== null))
      throw new ToolError(`verifying failed: rule ${rule.id} is not as wanted`);
  },
});

function inWords({ older_than_days: days, kinds: of, sources: from, tiers: by, severity_max: most }: RetentionFilter): string {
  const only = [
    ...(of === undefined ? [] : [`of kind ${of.join(", ")}`]),
    ...(from === undefined ? [] : [`remembered by ${from.join(", ")}`]),
    ...(by === undefined ? [] : [`of tier ${by.join(", ")}`]),
    ...(most === undefined ? [] : [`at most as severe as ${most}`]),
  ];
  return ["memories", `older than ${days} days`, ...only].join(" ");
}

/**
 * What is approved is what is shown here, and has to be the same a minute later: memories come and grow old meanwhile and move
 * into cold segments, so counts are round and days are whole.
 */
function finalOf({ memories, kept, oldest_ms, newest_ms }: RetentionPreview): string[] {
  const day = (ms: number | null): string => (ms === null ? "–" : new Date(ms).toISOString().slice(0, 10));
  const range = memories === 0 ? "" : `, from ${day(oldest_ms)} to ${day(newest_ms)}`;
  return [
    `${about(memories)} memories are deleted now${range}`,
    ...(kept === 0 ? [] : [`${about(kept)} that fit stay, because something rests on them`]),
  ];
}

/** To two digits. */
function about(count: number): string {
  if (count < 100) return String(count);
  const step = 10 ** (Math.floor(Math.log10(count)) - 1);
  return `about ${Math.round(count / step) * step}`;
}
