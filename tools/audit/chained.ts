/**
 * The audit over audit.db: keeps one usable chain, notices while running that its file is damaged or cannot be written, and
 * says so in words. After damage it goes on with a new chain; after a failed write it goes on reading, refuses to append,
 * and tries again every `retry_ms`.
 */

import type { AuditEntry, AuditQuery, AuditVerdict } from "../../contracts/audit.ts";
import { codeOf, describe, flushLog, isDamage, moveAside } from "../../wire/database.ts";
import { GroupCommit } from "../../wire/group-commit.ts";
import type { Clock } from "../context.ts";
import { ToolError } from "../tool.ts";
import type { Audit, NewEntry } from "./audit.ts";
import type { Unnumbered } from "./chain.ts";
import { Heads, readHead } from "./heads.ts";
import { lossEntry, type Outage, outageEntry } from "./loss.ts";
import { damagedLoss, type OpenAudit, type OpenOptions, openAuditFile } from "./open.ts";
import { Repeats } from "./repeats.ts";
import { fitted } from "./size.ts";
import { verifyChain } from "./verify.ts";

export interface AuditOptions {
  /** The broker's own folder: `<data>/broker`. */
  readonly folder: string;
  readonly clock: Clock;
  /** 8 hexadecimal digits of the boot id. */
  readonly boot: string;
  /** `/dev/kmsg`, or null where there is none. */
  readonly kmsg: string | null;
  /** Whether changes are refused while the audit is lost at power-off (in the machine). */
  readonly must_last: boolean;
  /** Told what went wrong beside the audit itself. */
  readonly onProblem?: (what: string) => void;
  /** How often it is told how many looks came again; an hour, but for tests. */
  readonly repeats_every_ms?: number;
}

/** An entry with its place among those of its turn. */
interface Ordered {
  readonly item: Unnumbered;
  readonly order: number;
}

const notes_wait_ms = 100;
const notes_max = 10_000;
const repeats_every_ms = 3_600_000;
const retry_ms = 2000;
const words_wait_ms = 1000;
const words_pause_ms = 50;
const words_slice = 200;

export class ChainedAudit implements Audit {
  readonly #options: AuditOptions;
  readonly #commits: GroupCommit<Ordered, AuditEntry>;
  readonly #repeats = new Repeats();
  readonly #repeats_timer: ReturnType<typeof setInterval>;
  #open: OpenAudit;
  #heads: Heads;
  #heads_failure: string | null = null;
  #notes: Ordered[] = [];
  #notes_lost = 0;
  #order = 0;
  #write_failure: Outage | null = null;
  #notes_timer: ReturnType<typeof setTimeout> | null = null;
  #retry_timer: ReturnType<typeof setTimeout> | null = null;
  #words_timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#commits = new GroupCommit({
      write: (items) => this.#write(items),
      onFailed: (error) => this.#failed(error),
    });
    this.#open = openAuditFile(this.#openOptions());
    this.#heads = this.#newHeads();
    this.#begin();
    this.#repeats_timer = setInterval(() => this.#tellRepeats(), options.repeats_every_ms ?? repeats_every_ms).unref();
  }

  get head(): string {
    return this.#open.store.head.hash;
  }

  get entries(): number {
    return this.#open.store.head.seq;
  }

  get degradation(): string | null {
    return this.#open.degradation ?? this.#write_failure?.what ?? null;
  }

  get notice(): string | null {
    const kmsg = this.#options.kmsg === null ? "the audit's head is not told to a kernel log: there is none here" : null;
    return this.#open.loss?.what ?? this.#heads_failure ?? kmsg;
  }

  /** Whether this chain lacks entries that there were: then a call that it does not know may still be one. */
  get lossy(): boolean {
    return this.#open.loss !== null || this.#open.path === null;
  }

  append(entry: NewEntry): Promise<AuditEntry> {
    if (this.#open.degradation !== null) return Promise.reject(new ToolError(this.#open.degradation));
    try {
      const stamped = this.#stamp(entry);
      return this.#commits.append(stamped).catch((error: unknown) => {
        throw new ToolError(this.degradation ?? `writing to the audit failed: ${describe(error)}`);
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  note(entry: NewEntry): void {
    try {
      this.#notes.push(this.#stamp(entry));
    } catch (error) {
      this.#options.onProblem?.(`noting a call in the audit failed: ${describe(error)}`);
      this.#notes_lost += 1;
    }
    const over = this.#notes.length - notes_max;
    if (over > 0) {
      this.#notes.splice(0, over);
      this.#notes_lost += over;
    }
    this.#notes_timer ??= setTimeout(() => this.#writeNotes(), notes_wait_ms);
  }

  look(entry: NewEntry): void {
    try {
      if (this.#repeats.counted(entry, this.#options.clock.now_ms())) return;
    } catch {
      // what is not JSON is lost with the rest of what cannot be written, and said
    }
    this.note(entry);
  }

  query(query: AuditQuery): AuditEntry[] {
    this.#commits.flush();
    if (this.#notes.length > 0) this.#writeNotes();
    return this.#read(() => this.#open.store.query(query));
  }

  ofCall(call: string): AuditEntry[] {
    if (this.#notes.some(({ item }) => item.content.call === call)) this.#writeNotes();
    return this.#read(() => this.#open.store.ofCall(call));
  }

  outcomesAfter(seq: number, limit: number): AuditEntry[] {
    if (this.#notes.length > 0) this.#writeNotes();
    return this.#read(() => this.#open.store.outcomesAfter(seq, limit));
  }

  unfinished(): ReadonlyMap<string, readonly AuditEntry[]> {
    const { store } = this.#open;
    return this.#read(() => new Map(store.openCalls().map((call) => [call, store.ofCall(call)])));
  }

  lastCallNumber(): number {
    return this.#read(() => this.#open.store.highestCallNumber(`${this.#options.boot}-call-`));
  }

  verify(): Promise<AuditVerdict> {
    const { store, head_file } = this.#open;
    const now_ms = (): number => this.#options.clock.boot_ms();
    return verifyChain({ store, head: store.head, told: head_file === null ? null : readHead(head_file), now_ms });
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    clearInterval(this.#repeats_timer);
    this.#tellRepeats();
    this.#commits.flush();
    if (this.#notes.length > 0) this.#writeNotes();
    this.#closed = true;
    for (const timer of [this.#notes_timer, this.#retry_timer, this.#words_timer]) if (timer !== null) clearTimeout(timer);
    this.#heads.close();
    this.#open.db.close();
    return Promise.resolve();
  }

  /** Limits the file for tests that need it to be full. */
  limitPages(pages: number): void {
    this.#open.db.pragma(`max_page_count = ${pages}`);
  }

  /** @throws {ToolError} when it is too large, {TypeError} when it is not JSON */
  #stamp(entry: NewEntry): Ordered {
    const { clock, boot } = this.#options;
    this.#order += 1;
    return { item: fitted({ ...entry, time_ms: clock.now_ms(), boot, boot_ms: clock.boot_ms() }), order: this.#order };
  }

  /** Writes the notes that are held and these, in the order in which they came. @returns these as written */
  #write(items: readonly Ordered[]): AuditEntry[] {
    const all = [...this.#notes, ...items].sort((a, b) => a.order - b.order);
    if (this.#write_failure !== null) all.unshift(this.#stamp(outageEntry(this.#write_failure, this.#notes_lost)));
    const durable = items.length > 0 || this.#write_failure !== null; // nobody waits for notes alone
    let written: AuditEntry[];
    try {
      written = this.#add(all, durable);
    } catch (error) {
      if (!isDamage(error) || this.#open.path === null) throw error;
      this.#replace(describe(error));
      written = this.#add(all, durable);
    }
    this.#notes = [];
    if (this.#write_failure !== null) this.#notes_lost = 0;
    this.#write_failure = null;
    this.#heads.changed(this.#open.store.head);
    this.#wordsLater();
    const wanted = new Set(items);
    return written.filter((_, index) => {
      const one = all[index];
      return one !== undefined && wanted.has(one);
    });
  }

  #add(ordered: readonly Ordered[], durable = true): AuditEntry[] {
    return this.#open.store.add(
      ordered.map(({ item }) => item),
      durable,
    );
  }

  #writeNotes(): void {
    if (this.#notes_timer !== null) clearTimeout(this.#notes_timer);
    this.#notes_timer = null;
    this.#commits.flush();
    if (this.#notes.length === 0) return;
    try {
      this.#write([]);
    } catch (error) {
      this.#failed(error);
    }
  }

  #tellRepeats(): void {
    for (const entry of this.#repeats.take()) this.note(entry);
  }

  #failed(error: unknown): void {
    const todo = codeOf(error) === "SQLITE_FULL" ? "free or enlarge the data partition" : "check the data partition";
    const what = `writing to the audit failed: ${describe(error)}; changes are refused until it can be written; ${todo}`;
    this.#write_failure = { what, from_ms: this.#write_failure?.from_ms ?? this.#options.clock.now_ms() };
    if (this.#closed) return;
    this.#retry_timer ??= setTimeout(() => {
      this.#retry_timer = null;
      if (this.#write_failure === null || this.#closed) return;
      try {
        this.#write([]);
      } catch (again) {
        this.#failed(again);
      }
    }, retry_ms).unref();
  }

  #read<T>(query: () => T): T {
    try {
      return query();
    } catch (error) {
      if (!isDamage(error) || this.#open.path === null) throw error;
      this.#replace(describe(error));
      return query();
    }
  }

  /** The file is damaged: it is kept aside, and a new chain begins. */
  #replace(damage: string): void {
    const path = this.#open.path ?? "";
    const known = this.#open.store.head;
    this.#heads.close();
    this.#open.db.close();
    let kept: string;
    try {
      kept = moveAside(path, new Date(this.#options.clock.now_ms()));
    } catch (error) {
      kept = `nothing: renaming it failed, ${describe(error)}`;
    }
    this.#options.onProblem?.(damagedLoss(path, damage, kept));
    const opened = openAuditFile(this.#openOptions());
    this.#open = { ...opened, loss: { what: damagedLoss(path, damage, kept), known } };
    this.#heads = this.#newHeads();
    this.#begin();
  }

  /** The first head, and what was found missing, before anything else is written. */
  #begin(): void {
    const { loss, path, store } = this.#open;
    if (path === null) return;
    try {
      if (loss !== null) this.#add([this.#stamp(lossEntry(loss))]);
      this.#heads.tell(store.head);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** In the background, so that the first who searches for words does not wait for all of them. */
  #wordsLater(wait_ms = words_wait_ms): void {
    this.#words_timer ??= setTimeout(() => {
      this.#words_timer = null;
      if (this.#closed || this.#write_failure !== null || this.#open.store.unindexed < words_slice) return;
      try {
        this.#open.store.indexWords(words_slice);
        this.#wordsLater(words_pause_ms);
      } catch (error) {
        this.#options.onProblem?.(`indexing the words of the audit failed: ${describe(error)}`);
      }
    }, wait_ms).unref();
  }

  #openOptions(): OpenOptions {
    const { folder, must_last, clock } = this.#options;
    return { folder, must_last, now: () => new Date(clock.now_ms()) };
  }

  #newHeads(): Heads {
    return new Heads({
      file: this.#open.head_file,
      kmsg: this.#open.path === null ? null : this.#options.kmsg,
      makeDurable: () => flushLog(this.#open.path),
      onFailed: (what) => {
        this.#heads_failure = `${what}; a cut of the audit's end may go unseen`;
        this.#options.onProblem?.(this.#heads_failure);
      },
    });
  }
}
