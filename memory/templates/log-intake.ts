/**
 * What services write to their output and what the kernel says, on its way from PID 1 into the templates. PID 1 holds the
 * newest records; which of them were counted is kept with the counts, so that a restart of memory neither misses a record
 * that PID 1 still has nor counts one twice. While the disk cannot be written, lines are held in RAM, the newest `held_max`.
 */

import type { LogRecord } from "../../contracts/event.ts";
import type { Health } from "../../contracts/service.ts";
import { LogReader } from "../../wire/logs.ts";
import { withoutSecrets } from "../../wire/secrets-in-text.ts";
import type { InitPeer } from "../../wire/service.ts";
import { lineOf } from "./clean.ts";
import type { MineCommit } from "./mine-commit.ts";
import type { Cursor, Seen } from "./templates.ts";

const backlog = 5000;
/** PID 1 counts from 1. */
const no_subscription = 0;
const held_max = 20_000;
const held_chars_max = 16 * 1024 * 1024;
const batch_max = 2000;
/** Events that wait for the lines of their time; more are not counted as followers. */
const events_max = 1000;
/** How long lines are collected for one transaction. */
const collect_ms = 500;
const retry_ms = 2000;

type Commit = Pick<MineCommit, "append">;

export class LogIntake {
  readonly reader = new LogReader();
  readonly #commit: Commit;
  readonly #cursor: () => Cursor | null;
  #held: LogRecord[] = [];
  #held_chars = 0;
  #events: Seen[] = [];
  #writing = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #started = false;
  /** Lines that were lost because too many were held. */
  dropped = 0;
  taken = 0;

  constructor(commit: Commit, cursor: () => Cursor | null) {
    this.#commit = commit;
    this.#cursor = cursor;
  }

  get held(): number {
    return this.#held.length;
  }

  /** From then on all logs. */
  async follow(init: Pick<InitPeer, "call">): Promise<void> {
    await this.reader.follow(init, null, backlog, (record) => this.take(record));
    // PID 1 answers in order: once this is answered, what it held has come
    await init.call("logs.unsubscribe", { subscription: no_subscription }).catch(() => {});
    this.start();
  }

  take(record: LogRecord): void {
    this.#held.push(record);
    this.#held_chars += record.message.length;
    while (this.#held.length > held_max || this.#held_chars > held_chars_max) this.#dropOldest();
    if (this.#started && !this.#writing) this.#later(collect_ms);
  }

  /** An event of the system, which may be what follows a line. It waits for the lines of its time. */
  saw(event: Seen): void {
    this.#events.push(event);
    if (this.#events.length > events_max) this.#events.shift();
  }

  /** All that PID 1 held has come: what was counted before is left out, and writing begins. */
  start(): void {
    const cursor = this.#cursor();
    // the same number at the same moment: PID 1 has not started anew since
    const same = cursor !== null && this.#held.some(({ seq, boot_ms }) => seq === cursor.seq && boot_ms === cursor.boot_ms);
    if (same) this.#held = this.#held.filter(({ seq }) => seq > cursor.seq);
    this.#held_chars = this.#held.reduce((sum, { message }) => sum + message.length, 0);
    this.#started = true;
    if (this.#held.length > 0) this.#later(0);
  }

  /** Writes what is held. Never rejects. */
  async flush(): Promise<void> {
    const records = this.#held.slice(0, batch_max);
    const last = records.at(-1);
    if (last === undefined || this.#writing || !this.#started) return;
    this.#writing = true;
    const lines = records.map(({ service, time_ms, level, message, fields }) => ({
      source: service,
      time_ms,
      level,
      text: withoutSecrets(fields === undefined ? message : lineOf(message, fields)).text,
    }));
    const dropped_before = this.dropped;
    const events = this.#events;
    this.#events = [];
    try {
      await this.#commit.append({ lines, events, also: (templates) => templates.putCursor({ seq: last.seq, boot_ms: last.boot_ms }) });
      // some of them may have been dropped meanwhile, though they are counted now
      const gone = this.dropped - dropped_before;
      this.dropped -= Math.min(gone, records.length);
      for (const { message } of this.#held.splice(0, Math.max(0, records.length - gone))) this.#held_chars -= message.length;
      this.taken += records.length;
      if (this.#held.length > 0) this.#later(this.#held.length >= batch_max ? 0 : collect_ms);
    } catch {
      this.#later(retry_ms);
    } finally {
      this.#writing = false;
    }
  }

  #later(wait_ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.flush();
    }, wait_ms);
  }

  #dropOldest(): void {
    this.#held_chars -= this.#held.shift()?.message.length ?? 0;
    this.dropped += 1;
  }
}

/** Health with what became of the logs. */
export function withLogs(health: Omit<Health, "resources">, { taken, held, dropped }: LogIntake): Omit<Health, "resources"> {
  const facts = { ...health.facts, log_lines: taken, log_lines_held: held, log_lines_dropped: dropped };
  if (dropped === 0) return { ...health, facts };
  const detail = `${health.detail}; ${dropped} log lines were not understood: more than could be held`.slice(0, 500);
  return { status: health.status === "ok" ? "degraded" : health.status, detail, facts };
}
