/** Events and decisions as rows. Every method is one statement or runs inside the caller's transaction. */

import type Sqlite from "better-sqlite3";
import type { z } from "zod";
import { Decision } from "../../contracts/decision.ts";
import { Event } from "../../contracts/event.ts";
import { StandingAlarms } from "./standing.ts";

/** Bytes of one answer's rows: it has to fit into one frame with room to spare. */
const answer_bytes_max = 192 * 1024;

/** What is left of a body that is in a segment (migrations/006-upkeep.ts). */
const cold_body = "{}";

interface Row {
  readonly id: string;
  /** `{}`: it is cold. */
  readonly body: string;
}
interface Filter {
  readonly limit: number;
  readonly kind: string | null;
  readonly service: string | null;
}

interface Edges {
  readonly largest: number | null;
  readonly least: number | null;
  readonly gone: number | null;
  readonly gone_least: number | null;
}
const nothing: Edges = { largest: null, least: null, gone: null, gone_least: null };
const edgesOf = (table: string): string =>
  `SELECT (SELECT max(seq) FROM ${table}) AS largest, (SELECT min(seq) FROM ${table}) AS least,
   (SELECT rows FROM deleted WHERE what = '${table}') AS gone, (SELECT least FROM deleted WHERE what = '${table}') AS gone_least`;
const counts = { events: edgesOf("events"), decisions: edgesOf("decisions") } as const;

/** Told of what is written, inside the transaction that writes it. */
interface Witness {
  event(event: Event): void;
  decision(decision: Decision): void;
  /** The transaction came to stay. */
  committed(): void;
  /** The transaction, or a part of it, did not come to stay. */
  rolledBack(): void;
}

export class Store {
  readonly #db: Sqlite.Database;
  readonly #witness: Witness | null;
  readonly #insert_event: Sqlite.Statement<[string, string, number, number, string, string | null, string]>;
  readonly #insert_decision: Sqlite.Statement<[string, string, number, string, string, string]>;
  readonly #event: Sqlite.Statement<[string], Row>;
  readonly #decision: Sqlite.Statement<[string], Row>;
  readonly #decisions_of: Sqlite.Statement<[string], Row>;
  readonly #newest_decisions: Sqlite.Statement<[number], Row>;
  readonly #standing: StandingAlarms;
  readonly #cold: (id: string) => string | null;
  readonly #amended: (decision: Decision) => Decision;
  readonly #edges: Readonly<Record<keyof typeof counts, Sqlite.Statement<[], Edges>>>;
  #events: number;
  #decisions: number;

  /**
   * @param cold the body of what is no longer in this database (memory/upkeep/segments/), or null when it cannot be read
   * @param amended a decision as it counts, by what people said of it since (memory/learning/overrides.ts)
   */
  constructor(
    db: Sqlite.Database,
    cold: (id: string) => string | null = () => null,
    witness: Witness | null = null,
    amended: (decision: Decision) => Decision = (decision) => decision,
  ) {
    this.#db = db;
    this.#cold = cold;
    this.#amended = amended;
    this.#witness = witness;
    this.#insert_event = db.prepare(
      "INSERT INTO events (id, boot, time_ms, boot_ms, kind, service, body) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    );
    this.#insert_decision = db.prepare(
      `INSERT INTO decisions (id, trigger_id, time_ms, rule, result, body) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET result = excluded.result, body = excluded.body`,
    );
    this.#event = db.prepare("SELECT id, body FROM events WHERE id = ?");
    this.#decision = db.prepare("SELECT id, body FROM decisions WHERE id = ?");
    this.#decisions_of = db.prepare("SELECT id, body FROM decisions WHERE trigger_id = ? ORDER BY seq LIMIT 20");
    this.#newest_decisions = db.prepare("SELECT id, body FROM decisions ORDER BY seq DESC LIMIT ?");
    this.#standing = new StandingAlarms(db);
    this.#edges = { events: db.prepare(counts.events), decisions: db.prepare(counts.decisions) };
    this.#events = this.#count("events");
    this.#decisions = this.#count("decisions");
  }

  get events(): number {
    return this.#events;
  }

  get decisions(): number {
    return this.#decisions;
  }

  /** @returns whether it is new */
  addEvent(event: Event): boolean {
    const body = JSON.stringify(event);
    const added = this.#insert_event.run(event.id, bootOf(event.id), event.time_ms, event.boot_ms, event.kind, serviceOf(event), body);
    if (added.changes === 0) return false;
    if (event.kind === "alarm.changed") this.#standing.take(event, bootOf(event.id));
    this.#witness?.event(event);
    return true;
  }

  /** @returns as it counts; what is kept is what was given */
  putDecision(decision: Decision): Decision {
    const body = JSON.stringify(decision);
    this.#insert_decision.run(decision.id, decision.trigger.id, decision.time_ms, decision.rule, decision.outcome.result, body);
    const amended = this.#amended(decision);
    this.#witness?.decision(amended);
    return amended;
  }

  /** Runs `work` as one durable transaction, or not at all. */
  commit<T>(work: () => T): T {
    const result = this.#transaction(work);
    this.#witness?.committed();
    this.#events = this.#count("events");
    this.#decisions = this.#count("decisions");
    return result;
  }

  /** Inside of a transaction: what `work` wrote is gone when it throws, and the rest of the transaction stays. */
  savepoint<T>(work: () => T): T {
    return this.#orRolledBack(() => this.#db.transaction(work)());
  }

  #transaction<T>(work: () => T): T {
    return this.#orRolledBack(() => this.#db.transaction(work).immediate());
  }

  #orRolledBack<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#witness?.rolledBack();
      throw error;
    }
  }

  event(id: string): Event | null {
    const row = this.#event.get(id);
    return row === undefined ? null : (this.#all(Event, [row])[0] ?? null);
  }

  decision(id: string): Decision | null {
    return this.decisionsById([id])[0] ?? null;
  }

  decisionsById(ids: readonly string[]): Decision[] {
    return this.#decisionsIn(ids.flatMap((id) => this.#decision.get(id) ?? []));
  }

  decisionsOf(trigger_id: string): Decision[] {
    return this.#decisionsIn(this.#decisions_of.all(trigger_id));
  }

  /** Newest `limit`, oldest first. */
  newestDecisions(limit: number): Decision[] {
    return this.#decisionsIn(this.#newest_decisions.all(limit)).reverse();
  }

  /** Newest `limit` of them, oldest first. */
  newestEvents(filter: Filter): Event[] {
    const wanted: string[] = [];
    const values: string[] = [];
    if (filter.kind !== null) {
      wanted.push("kind = ?");
      values.push(filter.kind);
    }
    if (filter.service !== null) {
      wanted.push("service = ?");
      values.push(filter.service);
    }
    const where = wanted.length === 0 ? "" : `WHERE ${wanted.join(" AND ")}`;
    const rows = this.#db.prepare<unknown[], Row>(`SELECT id, body FROM events ${where} ORDER BY seq DESC LIMIT ?`);
    return this.#all(Event, rows.all(...values, filter.limit)).reverse();
  }

  /** A page of the alarms that stand, by the events that raised them. @param after the last of the page before */
  standingAlarms(boot: string, after: string | null): Event[] {
    return this.#all(Event, this.#standing.rows(boot, after));
  }

  /** Events of the same boot within `within_ms` of this one (of the same service when it is about one), oldest first. */
  around(event: Event, within_ms: number, each_side: number): Event[] {
    const service = serviceOf(event);
    const same = service === null ? "" : "AND service = @service";
    const values = { boot: bootOf(event.id), at: event.boot_ms, within: within_ms, limit: each_side, service };
    const before = this.#db.prepare<[typeof values], Row>(
      `SELECT id, body FROM events WHERE boot = @boot AND boot_ms BETWEEN @at - @within AND @at ${same} ORDER BY boot_ms DESC, seq DESC LIMIT @limit`,
    );
    const after = this.#db.prepare<[typeof values], Row>(
      `SELECT id, body FROM events WHERE boot = @boot AND boot_ms > @at AND boot_ms <= @at + @within ${same} ORDER BY boot_ms, seq LIMIT @limit`,
    );
    return [...this.#all(Event, before.all(values)).reverse(), ...this.#all(Event, after.all(values))];
  }

  #decisionsIn(rows: readonly Row[]): Decision[] {
    return this.#all(Decision, rows).map(this.#amended);
  }

  /** Parses rows until the answer is full. A row that this version cannot read stays where it is and is left out. */
  #all<T>(schema: z.ZodType<T>, rows: readonly Row[]): T[] {
    const items: T[] = [];
    let bytes = 0;
    for (const { id, body: hot } of rows) {
      const body = hot === cold_body ? this.#cold(id) : hot;
      if (body === null) continue;
      bytes += body.length;
      if (bytes > answer_bytes_max) break;
      const parsed = schema.safeParse(JSON.parse(body));
      if (parsed.success) items.push(parsed.data);
    }
    return items;
  }

  /**
   * By the edges of `seq`, which has no gaps but where a rule of retention deleted (migrations/009-retention.ts), and next to none
   * below 1, where numbers of what was recovered after damage are.
   */
  #count(table: keyof typeof counts): number {
    const { largest, least, gone, gone_least } = this.#edges[table].get() ?? nothing;
    return largest === null ? 0 : largest - Math.min(least ?? largest, gone_least ?? largest) + 1 - (gone ?? 0);
  }
}

/** The boot that an id belongs to: its first eight digits. */
function bootOf(id: string): string {
  return id.slice(0, 8);
}

export function serviceOf(event: Event): string | null {
  return "service" in event.facts ? event.facts.service : null;
}
