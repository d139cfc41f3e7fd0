/**
 * The template miner: takes lines one after the other, finds or makes the template of each, and counts. The tree in memory
 * is a bounded view of the rows; a template that was pushed out of it comes back when a line needs it.
 *
 * `take` runs inside the caller's transaction and writes everything that it changed at its end: when it returns and the
 * transaction is committed, what it counted is durable. When the transaction fails, `reload` goes back to what the rows say.
 */

import type Sqlite from "better-sqlite3";
import type { Event, Severity } from "../../contracts/event.ts";
import { Budget } from "./budget.ts";
import { FollowerRows, Followers, type Noted } from "./followers.ts";
import { levelOf } from "./level.ts";
import { limits, other_source } from "./limits.ts";
import { anyOf, type Value, valuesOf } from "./pattern.ts";
import { burstFrom, countLine, expected, timesUsual } from "./rate.ts";
import { Rows } from "./rows.ts";
import { Words } from "./scan/words.ts";
import { takeApart } from "./take-apart.ts";
import { entryOf, hourOf, minuteOf, newTemplate, type Template, templateOf } from "./template.ts";
import { bestOf, ownPath, Tree, widen } from "./tree.ts";

export interface Line {
  readonly source: string;
  readonly time_ms: number;
  /** As it was written: text from outside. */
  readonly text: string;
  /** How grave PID 1 says that it is. */
  readonly level?: Severity;
}

/** An event of the system: it may be what follows a line. */
export type Seen = Pick<Event, "kind" | "facts" | "time_ms">;

/** What one line was found to be. */
export interface Mined {
  readonly template: Template;
  /** No line was like it before. */
  readonly is_new: boolean;
  /** More of these in this minute than its past explains (rate.ts). */
  readonly burst: boolean;
}

/** The last record of a stream that was counted. */
export interface Cursor {
  readonly seq: number;
  readonly boot_ms: number;
}

/** Lines a minute above which everything follows a template, so that nothing is learned from what does. */
const watched_per_minute_max = 2;

/** Of a template, those that are looked through for how grave they say they are. */
const level_lines = 16;

export class Templates {
  readonly db: Sqlite.Database;
  readonly #rows: Rows;
  readonly #follower_rows: FollowerRows;
  readonly #words = new Words();
  readonly #now_ms: () => number;
  #tree = new Tree();
  #held = new Map<number, Template>();
  #vague = new Map<number, Template>();
  #dirty: Template[] = [];
  #examples: { template: number; slot: number; line: Line; values: Value[] }[] = [];
  #closed: { template: number; followers: ReadonlySet<string>; opened_ms: number }[] = [];
  #followers = this.#newFollowers();
  #events = new Map<string, Noted & { name: string }>();
  #budget = new Budget(limits.new_burst, limits.new_per_minute);
  #lookups = new Budget(limits.lookup_burst, limits.lookups_per_minute);
  /** Paths of templates that were pushed out of the tree. */
  #away = new Set<string>();
  #sources = new Set<string>();
  #total = 0;
  #largest = 0;
  #used = 0;
  #folded_hour = 0;
  #loaded = false;
  /** Lines that fitted no template when there was no room for another, since the start. */
  unplaced = 0;

  /** @param now_ms a clock that does not step: for how many new templates a minute may bring */
  constructor(db: Sqlite.Database, now_ms: () => number = () => performance.now()) {
    this.db = db;
    this.#rows = new Rows(db);
    this.#follower_rows = new FollowerRows(db);
    this.#now_ms = now_ms;
  }

  /** Templates that were ever found, and those of them that are in the tree now. */
  get counts(): { readonly total: number; readonly held: number; readonly nodes: number } {
    this.#load();
    return { total: this.#total, held: this.#held.size, nodes: this.#tree.nodes };
  }

  /**
   * Runs inside the caller's transaction.
   * @param each told of each line; `values` may be called there, and only there
   * @param events of the same time, in their order
   */
  take(lines: readonly Line[], each: (mined: Mined, values: () => Value[]) => void = () => {}, events: readonly Seen[] = []): void {
    this.#load();
    let seen = 0;
    const see = (until_ms: number): void => {
      for (let event = events[seen]; event !== undefined && event.time_ms <= until_ms; event = events[seen]) {
        this.#saw(event);
        seen += 1;
      }
    };
    for (const line of lines) {
      see(line.time_ms);
      const mined = this.#mine(line);
      each(mined, () => valuesOf(mined.template.pattern, this.#words));
    }
    see(Number.POSITIVE_INFINITY);
    this.#flush();
  }

  /** An event of the system, as what may follow a line. */
  #saw({ kind, facts, time_ms }: Seen): void {
    const name = "service" in facts ? `${kind}:${facts.service}` : kind;
    let noted = this.#events.get(name);
    if (noted === undefined) {
      if (this.#events.size >= limits.sources_max) return;
      noted = { noted: 0, name: `event:${name}` };
      this.#events.set(name, noted);
    }
    const { name: follower } = noted;
    this.#followers.saw(noted, () => follower, 0, time_ms);
  }

  /** Up to where PID 1's records are counted. */
  cursor(): Cursor | null {
    return this.db.prepare<[], Cursor>("SELECT seq, boot_ms FROM template_cursor WHERE stream = 'logs'").get() ?? null;
  }

  putCursor({ seq, boot_ms }: Cursor): void {
    this.db.prepare("INSERT OR REPLACE INTO template_cursor (stream, seq, boot_ms) VALUES ('logs', ?, ?)").run(seq, boot_ms);
  }

  /** Forgets what is not in the rows: their transaction failed. */
  reload(): void {
    this.#loaded = false;
  }

  #load(): void {
    if (this.#loaded) return;
    this.#tree = new Tree();
    this.#held = new Map();
    this.#vague = new Map();
    this.#dirty = [];
    this.#examples = [];
    this.#closed = [];
    this.#followers = this.#newFollowers();
    this.#events = new Map();
    const { templates, largest } = this.#rows.counts();
    this.#total = templates;
    this.#largest = largest;
    for (const row of this.#rows.newest(limits.tree_templates_max)) this.#hang(templateOf(row));
    if (templates > this.#held.size) this.#away = new Set(this.#rows.paths());
    for (const row of this.#rows.vague()) this.#vague.set(row.pattern.split(" ").length, templateOf(row));
    this.#loaded = true;
  }

  #newFollowers(): Followers {
    return new Followers((template, followers, opened_ms) => void this.#closed.push({ template, followers, opened_ms }));
  }

  #mine(line: Line): Mined {
    const words = this.#words;
    takeApart(line.text, words);
    this.#used += 1;
    const leaf = this.#tree.leafOf(words);
    let template = leaf === null ? null : (bestOf(leaf.entries, words.masked) as Template | null);
    let is_new = false;
    if (template === null) {
      template = this.#bringBack(line.source);
      if (template === null) {
        is_new = this.#total < limits.templates_max && this.#budget.take(this.#sourceOf(line.source), this.#now_ms());
        template = is_new ? this.#add(line) : this.#vagueOf(line);
      }
    }
    if (widen(template, words.masked)) template = this.#merged(template);
    return { template, is_new, burst: this.#count(template, line) };
  }

  /** Looks among the templates that are only in the database for one that the line is like. */
  #bringBack(source: string): Template | null {
    const now = this.#tree.pathOf(this.#words);
    const own = ownPath(this.#words);
    const paths = (own === now ? [now] : [now, own]).filter((path) => this.#away.has(path));
    if (paths.length === 0 || !this.#lookups.take(this.#sourceOf(source), this.#now_ms())) return null;
    const rows = paths.flatMap((path) => this.#rows.atPath(path));
    const away = rows.filter(({ id, vague }) => vague === 0 && !this.#held.has(id));
    const best = bestOf(away.map(entryOf), this.#words.masked);
    const row = away.find(({ id }) => id === best?.id);
    if (row === undefined) return null;
    const template = templateOf(row);
    this.#hang(template);
    return template;
  }

  #add(line: Line): Template {
    const { masked, count } = this.#words;
    this.#largest += 1;
    this.#total += 1;
    const pattern = masked.slice(0, count);
    const template = newTemplate(this.#largest, pattern, this.#tree.pathOf(this.#words), false, line.time_ms);
    this.#hang(template);
    return template;
  }

  #vagueOf(line: Line): Template {
    const { count } = this.#words;
    this.unplaced += 1;
    let template = this.#vague.get(count);
    if (template === undefined) {
      this.#largest += 1;
      this.#total += 1;
      template = newTemplate(this.#largest, anyOf(count), `any ${count}`, true, line.time_ms);
      this.#vague.set(count, template);
    }
    return template;
  }

  #hang(template: Template): void {
    const leaf = this.#tree.leafAt(template.path);
    if (leaf.entries.length >= limits.leaf_templates_max) this.#drop(leastUsed(leaf.entries as Template[]));
    if (this.#held.size >= limits.tree_templates_max) this.#dropOldest();
    // dropping may have taken the leaf out of the tree
    template.leaf = this.#tree.leafAt(template.path);
    template.leaf.entries.push(template);
    template.used = this.#used;
    template.rate.burst_from = burstFrom(template.rate);
    this.#held.set(template.id, template);
  }

  /** A part of those that were not used for longest, so that the next ones find room. */
  #dropOldest(): void {
    const oldest = [...this.#held.values()].sort((a, b) => a.used - b.used).slice(0, limits.tree_templates_max / 64);
    for (const template of oldest) this.#drop(template);
  }

  #drop(template: Template): void {
    this.#write(template);
    this.#tree.remove(template);
    this.#held.delete(template.id);
    this.#away.add(template.path);
  }

  /** When two patterns at one leaf have become the same, the older template goes on for both. */
  #merged(template: Template): Template {
    const { leaf } = template;
    const twin = leaf?.entries.find((other) => other !== template && samePattern(other.pattern, template.pattern)) as Template | undefined;
    if (twin === undefined) return template;
    const [kept, lost] = twin.id < template.id ? [twin, template] : [template, twin];
    this.#write(kept);
    this.#drop(lost);
    this.#rows.merge(lost.id, kept.id);
    kept.lines += lost.lines;
    kept.minutes = Math.max(kept.minutes, lost.minutes);
    kept.first_ms = Math.min(kept.first_ms, lost.first_ms);
    kept.last_ms = Math.max(kept.last_ms, lost.last_ms);
    kept.level = Math.max(kept.level, lost.level);
    return kept;
  }

  /** @returns whether there are more than its past explains */
  #count(template: Template, line: Line): boolean {
    const { rate, pending } = template;
    const { time_ms } = line;
    template.used = this.#used;
    template.lines += 1;
    if (!template.dirty) {
      template.dirty = true;
      this.#dirty.push(template);
    }
    const minute = minuteOf(time_ms);
    if (minute > rate.minute || template.lines === 1) template.minutes += 1;
    const burst = countLine(rate, minute);
    if (burst) Object.assign(template, { burst_ms: time_ms, burst_times: timesUsual(rate) });
    // what a line says of itself is the same in all lines of its template, but for PID 1's word
    const said = template.lines <= level_lines ? line.text : "";
    template.level = Math.max(template.level, levelOf(said, line.level));
    if (time_ms > template.last_ms) template.last_ms = time_ms;
    if (time_ms < template.first_ms) template.first_ms = time_ms;
    const hour = hourOf(time_ms);
    pending.hours.set(hour, (pending.hours.get(hour) ?? 0) + 1);
    this.#countSource(template, line);
    // at 1, 4, 16, ... lines: early ones and late ones
    if ((template.lines & (template.lines - 1)) === 0 && (Math.log2(template.lines) & 1) === 0) this.#keepExample(template, line);
    this.#followers.saw(template, nameOf, template.id, time_ms);
    if (!template.vague && this.#followers.mayWatch(template.id) && expected(rate) <= watched_per_minute_max) {
      this.#followers.watch(template.id, time_ms);
    }
    return burst;
  }

  #countSource({ pending }: Template, { source: given, time_ms }: Line): void {
    const source = this.#sourceOf(given);
    let count = pending.source === source ? pending.source_count : (pending.sources.get(source) ?? null);
    if (count === null) {
      count = { lines: 0, first_ms: time_ms, last_ms: time_ms };
      pending.sources.set(source, count);
    }
    pending.source = source;
    pending.source_count = count;
    count.lines += 1;
    if (time_ms > count.last_ms) count.last_ms = time_ms;
    if (time_ms < count.first_ms) count.first_ms = time_ms;
  }

  #sourceOf(source: string): string {
    if (this.#sources.has(source)) return source;
    if (this.#sources.size >= limits.sources_max) return other_source;
    this.#sources.add(source);
    return source;
  }

  #keepExample(template: Template, line: Line): void {
    const slot = (Math.log2(template.lines) / 2) % limits.examples_max;
    this.#examples.push({ template: template.id, slot, line, values: valuesOf(template.pattern, this.#words) });
  }

  #flush(): void {
    for (const template of this.#dirty) this.#write(template);
    this.#dirty = [];
    for (const { template, slot, line, values } of this.#examples) {
      const parameters = values.slice(0, limits.words_max).map(({ kind, text }) => [kind, text.slice(0, limits.value_chars_max)]);
      this.#rows.putExample(template, slot, line.time_ms, this.#sourceOf(line.source), JSON.stringify(parameters));
    }
    this.#examples = [];
    for (const { template, followers, opened_ms } of this.#closed) this.#follower_rows.add(template, followers, opened_ms);
    this.#closed = [];
    const hour = hourOf(Date.now());
    if (hour !== this.#folded_hour) this.#rows.foldHours(hour - limits.hours_max);
    this.#folded_hour = hour;
  }

  #write(template: Template): void {
    if (!template.dirty) return;
    const { pending, rate } = template;
    this.#rows.put({ ...template, pattern: template.pattern.join(" "), vague: template.vague ? 1 : 0 }, rate);
    for (const [source, count] of pending.sources) this.#rows.addSource(template.id, source, count);
    for (const [hour, lines] of pending.hours) this.#rows.addHour(template.id, hour, lines);
    pending.sources.clear();
    pending.hours.clear();
    pending.source_count = null;
    pending.source = "";
    template.dirty = false;
  }
}

function nameOf(noted: Noted): string {
  return `template:${(noted as Template).id}`;
}

function leastUsed(entries: readonly Template[]): Template {
  return entries.reduce((least, entry) => (entry.used < least.used ? entry : least));
}

function samePattern(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((word, at) => word === other[at]);
}
