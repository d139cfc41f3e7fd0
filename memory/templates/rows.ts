/** Templates as rows. Every method is a statement or a few, inside the caller's transaction. */

import type Sqlite from "better-sqlite3";
import { limits, other_source } from "./limits.ts";
import type { Rate } from "./rate.ts";

export interface TemplateRow {
  readonly id: number;
  readonly pattern: string;
  readonly path: string;
  readonly vague: number;
  readonly lines: number;
  readonly minutes: number;
  readonly first_ms: number;
  readonly last_ms: number;
  readonly watched: number;
  readonly rate_sum: number;
  readonly rate_square: number;
  readonly rate_weight: number;
  readonly rate_minute: number;
  readonly rate_minute_lines: number;
  readonly merged_into: number | null;
  /** The gravest of its lines (level.ts). */
  readonly level: number;
  /** The last line of its last burst, and how many times the usual number that minute had by then; 0: none. */
  readonly burst_ms: number;
  readonly burst_times: number;
}

export interface SourceCount {
  lines: number;
  first_ms: number;
  last_ms: number;
}

const columns =
  "id, pattern, path, vague, lines, minutes, first_ms, last_ms, watched, rate_sum, rate_square, rate_weight, rate_minute, rate_minute_lines, merged_into, level, burst_ms, burst_times";

export class Rows {
  readonly #db: Sqlite.Database;
  readonly #put: Sqlite.Statement<unknown[]>;
  readonly #add_source: Sqlite.Statement<unknown[]>;
  readonly #sources: Sqlite.Statement<[number], { sources: number }>;
  readonly #has_source: Sqlite.Statement<[number, string], { lines: number }>;
  readonly #add_hour: Sqlite.Statement<unknown[]>;
  readonly #put_example: Sqlite.Statement<unknown[]>;
  readonly #at_path: Sqlite.Statement<[string, number], TemplateRow>;

  constructor(db: Sqlite.Database) {
    this.#db = db;
    this.#put = db.prepare(
      `INSERT INTO templates (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, NULL, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET pattern = excluded.pattern, lines = excluded.lines, minutes = excluded.minutes,
         first_ms = excluded.first_ms, last_ms = excluded.last_ms, rate_sum = excluded.rate_sum, rate_square = excluded.rate_square, rate_weight = excluded.rate_weight, rate_minute = excluded.rate_minute,
         rate_minute_lines = excluded.rate_minute_lines, level = excluded.level,
         burst_ms = excluded.burst_ms, burst_times = excluded.burst_times`,
    );
    this.#add_source = db.prepare(
      `INSERT INTO template_sources (template, source, lines, first_ms, last_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (template, source) DO UPDATE SET lines = lines + excluded.lines, first_ms = min(first_ms, excluded.first_ms),
         last_ms = max(last_ms, excluded.last_ms)`,
    );
    this.#sources = db.prepare("SELECT count(*) AS sources FROM template_sources WHERE template = ?");
    this.#has_source = db.prepare("SELECT lines FROM template_sources WHERE template = ? AND source = ?");
    this.#add_hour = db.prepare(
      "INSERT INTO template_hours (template, hour, lines) VALUES (?, ?, ?) ON CONFLICT (template, hour) DO UPDATE SET lines = lines + excluded.lines",
    );
    this.#put_example = db.prepare(
      "INSERT OR REPLACE INTO template_examples (template, slot, time_ms, source, parameters) VALUES (?, ?, ?, ?, ?)",
    );
    this.#at_path = db.prepare(`SELECT ${columns} FROM templates WHERE path = ? AND merged_into IS NULL ORDER BY id LIMIT ?`);
  }

  put(row: Omit<TemplateRow, "watched" | "merged_into" | `rate_${string}`>, rate: Rate): void {
    const { id, pattern, path, vague, lines, minutes, first_ms, last_ms, level, burst_ms, burst_times } = row;
    const { sum, square, weight, minute, minute_lines } = rate;
    this.#put.run(
      id,
      pattern,
      path,
      vague,
      lines,
      minutes,
      first_ms,
      last_ms,
      sum,
      square,
      weight,
      minute,
      minute_lines,
      level,
      burst_ms,
      burst_times,
    );
  }

  addSource(template: number, source: string, { lines, first_ms, last_ms }: SourceCount): void {
    const full = (): boolean => (this.#sources.get(template)?.sources ?? 0) >= limits.template_sources_max;
    const known = this.#has_source.get(template, source) !== undefined || !full();
    this.#add_source.run(template, known ? source : other_source, lines, first_ms, last_ms);
  }

  addHour(template: number, hour: number, lines: number): void {
    this.#add_hour.run(template, hour, lines);
  }

  putExample(template: number, slot: number, time_ms: number, source: string, parameters: string): void {
    this.#put_example.run(template, slot, time_ms, source, parameters);
  }

  atPath(path: string): TemplateRow[] {
    return this.#at_path.all(path, limits.lookup_rows_max);
  }

  /** Hours that are too old to be kept apart are added up by day. */
  foldHours(before: number): void {
    this.#db
      .prepare(
        `INSERT INTO template_days (template, day, lines) SELECT template, hour / 24, sum(lines) FROM template_hours WHERE hour < ?
         GROUP BY template, hour / 24 ON CONFLICT (template, day) DO UPDATE SET lines = lines + excluded.lines`,
      )
      .run(before);
    this.#db.prepare("DELETE FROM template_hours WHERE hour < ?").run(before);
  }

  /** What was counted of `from` is counted of `into` from now on; its own row says so. */
  merge(from: number, into: number): void {
    const moves = [
      `INSERT INTO template_sources SELECT @into, source, lines, first_ms, last_ms FROM template_sources WHERE template = @from
       ON CONFLICT (template, source) DO UPDATE SET lines = lines + excluded.lines, first_ms = min(first_ms, excluded.first_ms),
         last_ms = max(last_ms, excluded.last_ms)`,
      `INSERT INTO template_hours SELECT @into, hour, lines FROM template_hours WHERE template = @from
       ON CONFLICT (template, hour) DO UPDATE SET lines = lines + excluded.lines`,
      `INSERT INTO template_days SELECT @into, day, lines FROM template_days WHERE template = @from
       ON CONFLICT (template, day) DO UPDATE SET lines = lines + excluded.lines`,
      "DELETE FROM template_sources WHERE template = @from",
      "DELETE FROM template_hours WHERE template = @from",
      "DELETE FROM template_days WHERE template = @from",
      "UPDATE templates SET merged_into = @into WHERE id = @from OR merged_into = @from",
    ];
    for (const move of moves) {
      const parameters = move.includes("@into") ? { from, into } : { from };
      this.#db.prepare(move).run(parameters);
    }
  }

  /** Those seen last, oldest first. */
  newest(limit: number): TemplateRow[] {
    return this.#db
      .prepare<[number], TemplateRow>(
        `SELECT ${columns} FROM templates WHERE merged_into IS NULL AND vague = 0 ORDER BY last_ms DESC, id DESC LIMIT ?`,
      )
      .all(limit)
      .reverse();
  }

  paths(): string[] {
    return this.#db
      .prepare<[], { path: string }>("SELECT DISTINCT path FROM templates WHERE merged_into IS NULL AND vague = 0")
      .all()
      .map(({ path }) => path);
  }

  vague(): TemplateRow[] {
    return this.#db.prepare<[], TemplateRow>(`SELECT ${columns} FROM templates WHERE vague = 1`).all();
  }

  counts(): { readonly templates: number; readonly largest: number } {
    const all = this.#db.prepare<[], { templates: number; largest: number | null }>(
      "SELECT count(*) AS templates, max(id) AS largest FROM templates",
    );
    const { templates = 0, largest = 0 } = all.get() ?? {};
    return { templates, largest: largest ?? 0 };
  }
}

export { columns as template_columns };
