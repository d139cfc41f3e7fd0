/** Rules of retention and what they deleted, for people. */

import type { RetentionRule, Tombstone } from "../../../contracts/memory/retention.ts";
import { plain } from "../text/plain.ts";
import { table } from "../text/table.ts";
import type { View } from "./view.ts";

export function retentionView(rules: readonly RetentionRule[], tombstones: readonly Tombstone[], { paint, width }: View): string[] {
  if (rules.length === 0) return ["no rule was ever set: nothing is deleted"];
  const lines = rules.flatMap((rule) => [
    `${paint("bold", `rule ${rule.id}`)}  ${plain(aboutOf(rule))}${rule.ended_ms === null ? "" : paint("dim", `  ended ${day(rule.ended_ms)}`)}`,
    `  ${paint("grey", plain(`${rule.deleted} deleted; set ${day(rule.set_ms)} by ${rule.set_by}: ${rule.reason}`))}`,
  ]);
  const rows = tombstones.map(({ deleted_ms, rule, memories, oldest_ms, newest_ms }) => [
    ...[{ text: day(deleted_ms) }, { text: String(rule) }, { text: String(memories) }],
    { text: `${day(oldest_ms)} to ${day(newest_ms)}` },
  ]);
  const columns = [{ title: "DELETED" }, { title: "RULE" }, { title: "MEMORIES", right: true }, { title: "FROM" }];
  return rows.length === 0 ? lines : [...lines, "", ...table(columns, rows, { paint, width })];
}

function aboutOf({ filter }: RetentionRule): string {
  const { older_than_days, kinds = [], sources = [], tiers = [], severity_max } = filter;
  const only = [...kinds, ...sources.map((one) => `by ${one}`), ...tiers.map((one) => `of ${one}`)];
  const most = severity_max === undefined ? [] : [`at most ${severity_max}`];
  return [`older than ${older_than_days} days`, ...only, ...most].join(", ");
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
