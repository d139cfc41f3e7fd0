/**
 * The newest events, as columns: what they are, when, and about what. Their facts are in the durable log, by id. Entries
 * with the same kind, source, service or severity are chained, newest first, so that a question walks over its answers
 * only. 50 bytes an event; pages that were never written take no memory.
 */

import type { RecentEvent } from "../../contracts/memory/operational.ts";
import { Names, names_max } from "./names.ts";
import { type Noted, severities } from "./noted.ts";

export const events_max = 131_072;

const dimensions = ["kind", "source", "service", "severity"] as const;
type Dimension = (typeof dimensions)[number];
/** Events come nearly in order: after this many that are too old in a row, the rest is too. */
const too_old_max = 64;

export interface EventQuery {
  readonly since_ms: number;
  readonly limit: number;
  readonly kind: string | null;
  readonly source: string | null;
  readonly service: string | null;
  readonly severity_min: RecentEvent["severity"] | null;
}

/** One property of all entries: its number, and how far back the last entry with the same one is (0: none). */
class Column {
  readonly names = new Names();
  readonly values: Uint16Array;
  readonly back: Uint32Array;
  readonly newest = new Float64Array(names_max).fill(-1);

  constructor(capacity: number) {
    this.values = new Uint16Array(capacity);
    this.back = new Uint32Array(capacity);
  }

  put(at: number, position: number, name: string | null): void {
    const number = this.names.number(name);
    const before = this.newest[number] ?? -1;
    this.values[at] = number;
    this.back[at] = before < 0 ? 0 : Math.min(position - before, 0xffffffff);
    this.newest[number] = position;
  }
}

export class EventRing {
  readonly #capacity: number;
  readonly #boot_ms: Float64Array;
  readonly #time_ms: Float64Array;
  readonly #sequence: Float64Array;
  readonly #made_by: Uint16Array;
  readonly #makers = new Names();
  readonly #columns: Readonly<Record<Dimension, Column>>;
  /** Events ever taken; event `i` is at `i % capacity`. */
  #taken = 0;

  constructor(
    readonly boot: string,
    capacity = events_max,
  ) {
    this.#capacity = capacity;
    this.#boot_ms = new Float64Array(capacity);
    this.#time_ms = new Float64Array(capacity);
    this.#sequence = new Float64Array(capacity);
    this.#made_by = new Uint16Array(capacity);
    const column = (): Column => new Column(capacity);
    this.#columns = { kind: column(), source: column(), service: column(), severity: column() };
    for (const severity of severities) this.#columns.severity.names.number(severity);
  }

  get held(): number {
    return Math.min(this.#taken, this.#capacity);
  }

  get bytes(): number {
    return this.held * 50;
  }

  get overflowed(): number {
    return dimensions.reduce((sum, dimension) => sum + this.#columns[dimension].names.overflowed, this.#makers.overflowed);
  }

  get oldest_ms(): number | null {
    return this.held === 0 ? null : (this.#boot_ms[(this.#taken - this.held) % this.#capacity] ?? null);
  }

  add({ id, boot_ms, time_ms, kind, source, service, severity }: Noted): void {
    const position = this.#taken;
    const at = position % this.#capacity;
    const [, made_by, sequence] = /^[0-9a-f]+-(.+)-(\d+)$/.exec(id) ?? [];
    this.#boot_ms[at] = boot_ms;
    this.#time_ms[at] = time_ms;
    this.#made_by[at] = this.#makers.number(made_by ?? "");
    this.#sequence[at] = Number(sequence ?? 0);
    const columns = this.#columns;
    columns.kind.put(at, position, kind);
    columns.source.put(at, position, source);
    columns.service.put(at, position, service);
    columns.severity.put(at, position, severity);
    this.#taken += 1;
  }

  /** The newest that fit, oldest first. */
  query(query: EventQuery): RecentEvent[] {
    const chains = this.#chains(query);
    if (chains === null) return [];
    const found: RecentEvent[] = [];
    let too_old = 0;
    for (const position of chains) {
      const at = position % this.#capacity;
      too_old = (this.#boot_ms[at] ?? 0) < query.since_ms ? too_old + 1 : 0;
      if (too_old > too_old_max) break;
      if (too_old > 0 || !this.#fits(at, query)) continue;
      found.push(this.#entry(at));
      if (found.length >= query.limit) break;
    }
    return found.reverse();
  }

  #fits(at: number, { kind, source, service, severity_min }: EventQuery): boolean {
    const is = (dimension: Dimension, wanted: string | null): boolean => {
      const { names, values } = this.#columns[dimension];
      return wanted === null || values[at] === names.known(wanted);
    };
    if (!is("kind", kind) || !is("source", source) || !is("service", service)) return false;
    return severity_min === null || (this.#columns.severity.values[at] ?? 0) >= (this.#columns.severity.names.known(severity_min) ?? 0);
  }

  #entry(at: number): RecentEvent {
    const name = (dimension: Dimension): string => {
      const { names, values } = this.#columns[dimension];
      return names.name(values[at] ?? 0);
    };
    const service = name("service");
    return {
      id: `${this.boot}-${this.#makers.name(this.#made_by[at] ?? 0)}-${this.#sequence[at] ?? 0}`,
      boot_ms: this.#boot_ms[at] ?? 0,
      time_ms: this.#time_ms[at] ?? 0,
      kind: name("kind"),
      source: name("source"),
      service: service === "" ? null : service,
      severity: severities[(this.#columns.severity.values[at] ?? 2) - 2] ?? "info",
    };
  }

  /** Positions to look at, newest first: of the narrowest property that is asked for. Null: nothing can fit. */
  #chains({ kind, source, service, severity_min }: EventQuery): Iterable<number> | null {
    const asked: readonly [Dimension, string | null][] = [
      ["service", service],
      ["kind", kind],
      ["source", source],
    ];
    for (const [dimension, wanted] of asked) {
      if (wanted === null) continue;
      const number = this.#columns[dimension].names.known(wanted);
      return number === null ? null : this.#chain(this.#columns[dimension], [number]);
    }
    if (severity_min === null) return this.#all();
    const { names } = this.#columns.severity;
    const wanted = severities.slice(severities.indexOf(severity_min)).map((severity) => names.known(severity) ?? 0);
    return this.#chain(this.#columns.severity, wanted);
  }

  *#all(): Generator<number> {
    for (let position = this.#taken - 1; position >= this.#taken - this.held; position -= 1) yield position;
  }

  *#chain({ newest, back }: Column, numbers: readonly number[]): Generator<number> {
    const heads = numbers.map((number) => newest[number] ?? -1);
    const oldest = this.#taken - this.held;
    for (;;) {
      const position = Math.max(...heads);
      if (position < oldest || position < 0) return;
      yield position;
      const step = back[position % this.#capacity] ?? 0;
      heads[heads.indexOf(position)] = step === 0 ? -1 : position - step;
    }
  }
}
