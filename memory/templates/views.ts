/** What others are told of templates, read from the rows. */

import type Sqlite from "better-sqlite3";
import type { z } from "zod";
import type { Parameter, TemplateDetail, TemplateRate, TemplateSummary, templates_methods } from "../../contracts/memory/templates.ts";
import { rankOf, severityOf } from "./level.ts";
import { advance, burstFrom, expected, type Rate, verdict } from "./rate.ts";
import { type TemplateRow, template_columns } from "./rows.ts";
import { isProvisional, shown } from "./shown.ts";
import { hourOf, minuteOf, rateOf } from "./template.ts";

type ListQuery = z.infer<(typeof templates_methods)["templates.list"]["params"]>;
type RatesQuery = z.infer<(typeof templates_methods)["templates.rates"]["params"]> & { readonly now_ms: number };
type Rates = z.infer<(typeof templates_methods)["templates.rates"]["result"]>;

const hours_shown = 48;
/** Rows that are looked through for what is unusual. */
const looked_at_max = 5000;
const orders = { most: "lines DESC", newest: "first_ms DESC", latest: "last_ms DESC" } as const;

export function listTemplates(db: Sqlite.Database, { filter, order, limit }: ListQuery): { templates: TemplateSummary[]; total: number } {
  const wanted = ["merged_into IS NULL"];
  const values: (string | number)[] = [];
  if (filter.source !== undefined) {
    wanted.push("id IN (SELECT template FROM template_sources WHERE source = ?)");
    values.push(filter.source);
  }
  if (filter.since_ms !== undefined) {
    wanted.push("last_ms >= ?");
    values.push(filter.since_ms);
  }
  if (filter.new_since_ms !== undefined) {
    wanted.push("first_ms >= ?");
    values.push(filter.new_since_ms);
  }
  const where = wanted.join(" AND ");
  const rows = db.prepare<unknown[], TemplateRow>(
    `SELECT ${template_columns} FROM templates WHERE ${where} ORDER BY ${orders[order]}, id LIMIT ?`,
  );
  const counted = db.prepare<unknown[], { total: number }>(`SELECT count(*) AS total FROM templates WHERE ${where}`);
  return { templates: rows.all(...values, limit).map(summary), total: counted.get(...values)?.total ?? 0 };
}

export function showTemplate(db: Sqlite.Database, id: number, now_ms: number): TemplateDetail | null {
  const asked = rowOf(db, id);
  const row = asked?.merged_into == null ? asked : rowOf(db, asked.merged_into);
  if (row === null || asked === null) return null;
  const all = <T>(sql: string, ...values: unknown[]): T[] => db.prepare<unknown[], T>(sql).all(...values);
  type Example = { time_ms: number; source: string; parameters: string };
  type Follower = { follower: string; times: number };
  return {
    ...summary(row),
    merged_into: asked.merged_into,
    rate: rateView(db, row, now_ms),
    sources: all("SELECT source, lines, first_ms, last_ms FROM template_sources WHERE template = ? ORDER BY lines DESC, source", row.id),
    hours: all(
      "SELECT hour, lines FROM template_hours WHERE template = ? AND hour > ? ORDER BY hour",
      row.id,
      hourOf(now_ms) - hours_shown,
    ),
    examples: all<Example>("SELECT time_ms, source, parameters FROM template_examples WHERE template = ? ORDER BY slot", row.id).map(
      ({ time_ms, source, parameters }) => ({ time_ms, source, parameters: parametersOf(parameters) }),
    ),
    followers: all<Follower>("SELECT follower, times FROM template_followers WHERE template = ? ORDER BY times DESC, follower", row.id).map(
      ({ follower, times }) => ({ follower, times, shown: shownFollower(db, follower) }),
    ),
    watched: row.watched,
  };
}

export function unusualTemplates(db: Sqlite.Database, { since_ms, limit, level_min, silent, now_ms }: RatesQuery): Rates {
  const rows = db
    .prepare<[number, number], TemplateRow>(
      `SELECT ${template_columns} FROM templates WHERE merged_into IS NULL AND level >= ? ORDER BY last_ms DESC LIMIT ?`,
    )
    .all(rankOf(level_min), looked_at_max);
  const minute = minuteOf(now_ms);
  return rows
    .map((row) => ({ row, is_new: row.first_ms >= since_ms, ...verdict(rateFrom(row), minute) }))
    .filter((one) => one.is_new || one.verdict === "burst" || one.row.burst_ms >= since_ms || (silent && one.verdict === "silent"))
    .sort((a, b) => Number(b.is_new) - Number(a.is_new) || b.surprise - a.surprise || b.row.last_ms - a.row.last_ms)
    .slice(0, limit)
    .map(({ row, is_new }) => ({
      template: summary(row),
      new: is_new,
      log_known_ms: logKnownMs(db, row),
      burst: row.burst_ms > 0 && row.burst_ms >= since_ms ? { last_ms: row.burst_ms, times_usual: row.burst_times } : null,
      rate: rateView(db, row, now_ms),
    }));
}

/** Of the logs that it is in, the one that was read for longest before. */
function logKnownMs(db: Sqlite.Database, { id, first_ms }: TemplateRow): number {
  const found = db
    .prepare<[number], { first_ms: number | null }>(
      `SELECT min(first_ms) AS first_ms FROM template_sources WHERE source IN (SELECT source FROM template_sources WHERE template = ?)`,
    )
    .get(id);
  return Math.max(0, first_ms - (found?.first_ms ?? first_ms));
}

function rowOf(db: Sqlite.Database, id: number): TemplateRow | null {
  return db.prepare<[number], TemplateRow>(`SELECT ${template_columns} FROM templates WHERE id = ?`).get(id) ?? null;
}

function summary(row: TemplateRow): TemplateSummary {
  const { id, lines, first_ms, last_ms, level } = row;
  return {
    id,
    shown: shown(row.pattern.split(" "), row),
    provisional: isProvisional(row),
    vague: row.vague === 1,
    lines,
    first_ms,
    last_ms,
    level: severityOf(level),
  };
}

function rateFrom(row: TemplateRow): Rate {
  const rate: Rate = { ...rateOf(row), burst_from: 0 };
  rate.burst_from = burstFrom(rate);
  return rate;
}

function rateView(db: Sqlite.Database, row: TemplateRow, now_ms: number): TemplateRate {
  const minute = minuteOf(now_ms);
  const rate = rateFrom(row);
  const found = verdict(rate, minute);
  const expected_per_minute = expected(rate);
  if (minute > rate.minute) advance(rate, minute);
  const hour = db.prepare<[number, number], { lines: number }>("SELECT lines FROM template_hours WHERE template = ? AND hour = ?");
  return {
    minute_lines: rate.minute_lines,
    hour_lines: hour.get(row.id, hourOf(now_ms))?.lines ?? 0,
    hour_before_lines: hour.get(row.id, hourOf(now_ms) - 1)?.lines ?? 0,
    expected_per_minute,
    ...found,
  };
}

function shownFollower(db: Sqlite.Database, follower: string): string | null {
  const id = /^template:(\d+)$/.exec(follower)?.[1];
  const row = id === undefined ? null : rowOf(db, Number(id));
  return row === null ? null : summary(row).shown;
}

/** As `Templates` wrote them: pairs of kind and text. */
function parametersOf(text: string): Parameter[] {
  const pairs = JSON.parse(text) as [Parameter["kind"], string][];
  return pairs.map(([kind, untrusted]) => ({ kind, untrusted }));
}
