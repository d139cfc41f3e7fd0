/**
 * What happened next: for a template, which templates and events came within a minute after it. A line of a template opens a
 * window for it, when none is open; whatever comes in it for the first time counts once. So the counts say in how many of
 * the windows something followed. Only so many windows are open at once, and templates that come all the time have none:
 * everything follows them.
 */

import type Sqlite from "better-sqlite3";
import { limits } from "./limits.ts";

interface Window {
  readonly template: number;
  readonly opened_ms: number;
  readonly followers: Set<string>;
}

/** Of one who can follow: the newest window that has heard of him. */
export interface Noted {
  noted: number;
}

export class Followers {
  readonly #close: (template: number, followers: ReadonlySet<string>, opened_ms: number) => void;
  /** Oldest first; the number of the first is `#first`. */
  #windows: Window[] = [];
  #first = 0;
  readonly #open = new Set<number>();

  constructor(close: (template: number, followers: ReadonlySet<string>, opened_ms: number) => void) {
    this.#close = close;
  }

  /** Whether a window could be opened for the template now. */
  mayWatch(template: number): boolean {
    return this.#windows.length < limits.watched_max && !this.#open.has(template);
  }

  watch(template: number, time_ms: number): void {
    this.#open.add(template);
    this.#windows.push({ template, opened_ms: time_ms, followers: new Set() });
  }

  /** @param self the template itself does not follow itself */
  saw(follower: Noted, name: (noted: Noted) => string, self: number, time_ms: number): void {
    const head = this.#windows[0];
    if (head === undefined) return;
    if (time_ms - head.opened_ms > limits.follow_ms || time_ms < head.opened_ms - limits.follow_ms) this.#end(time_ms);
    const newest = this.#first + this.#windows.length;
    if (follower.noted >= newest) return;
    for (let at = Math.max(0, follower.noted - this.#first); at < this.#windows.length; at += 1) {
      const window = this.#windows[at] as Window;
      if (window.template === self || window.followers.size >= limits.followers_max) continue;
      window.followers.add(name(follower));
    }
    follower.noted = newest;
  }

  /** Closes windows whose time is over; all of them, when the clock went back. */
  #end(time_ms: number): void {
    const back = time_ms < (this.#windows[0]?.opened_ms ?? 0) - limits.follow_ms;
    const at = back ? -1 : this.#windows.findIndex(({ opened_ms }) => time_ms - opened_ms <= limits.follow_ms);
    const over = at < 0 ? this.#windows.length : at;
    for (const { template, followers, opened_ms } of this.#windows.splice(0, over)) {
      this.#open.delete(template);
      this.#close(template, followers, opened_ms);
    }
    this.#first += over;
  }
}

export class FollowerRows {
  readonly #add: Sqlite.Statement<unknown[]>;
  readonly #count: Sqlite.Statement<[number], { followers: number }>;
  readonly #has: Sqlite.Statement<[number, string], { times: number }>;
  readonly #weakest: Sqlite.Statement<[number], { follower: string; times: number }>;
  readonly #drop: Sqlite.Statement<[number, string]>;
  readonly #watched: Sqlite.Statement<[number]>;

  constructor(db: Sqlite.Database) {
    this.#add = db.prepare(
      `INSERT INTO template_followers (template, follower, times, last_ms) VALUES (?, ?, 1, ?)
       ON CONFLICT (template, follower) DO UPDATE SET times = times + 1, last_ms = max(last_ms, excluded.last_ms)`,
    );
    this.#count = db.prepare("SELECT count(*) AS followers FROM template_followers WHERE template = ?");
    this.#has = db.prepare("SELECT times FROM template_followers WHERE template = ? AND follower = ?");
    this.#weakest = db.prepare("SELECT follower, times FROM template_followers WHERE template = ? ORDER BY times, last_ms LIMIT 1");
    this.#drop = db.prepare("DELETE FROM template_followers WHERE template = ? AND follower = ?");
    this.#watched = db.prepare("UPDATE templates SET watched = watched + 1 WHERE id = ?");
  }

  /** One that followed once only makes room for another; so what follows often is found, whatever came first. */
  add(template: number, followers: ReadonlySet<string>, opened_ms: number): void {
    this.#watched.run(template);
    for (const follower of followers) {
      if (this.#has.get(template, follower) === undefined && (this.#count.get(template)?.followers ?? 0) >= limits.followers_max) {
        const weakest = this.#weakest.get(template);
        if (weakest === undefined || weakest.times > 1) continue;
        this.#drop.run(template, weakest.follower);
      }
      this.#add.run(template, follower, opened_ms);
    }
  }
}
