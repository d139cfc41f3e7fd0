/** PID 1's events on their way to the disk. While it cannot be written, they are held in RAM, the newest `held_max`. */

import type { Event } from "../contracts/event.ts";
import type { GroupCommit } from "./group-commit.ts";

const held_max = 10_000;
const retry_ms = 2000;
const batch_max = 500;

export class Intake {
  readonly #commit: GroupCommit;
  #held: Event[] = [];
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(commit: GroupCommit) {
    this.#commit = commit;
  }

  get held(): number {
    return this.#held.length;
  }

  /** Events lost because too many were held. */
  get dropped(): number {
    return this.#dropped;
  }

  take(event: Event): void {
    if (this.#held.length > 0) this.#hold([event]);
    else this.#write([event]);
  }

  #write(events: Event[]): void {
    this.#commit.append({ events, decisions: [] }).catch(() => this.#hold(events));
  }

  #hold(events: readonly Event[]): void {
    this.#held.push(...events);
    const over = this.#held.length - held_max;
    if (over > 0) {
      this.#held.splice(0, over);
      this.#dropped += over;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#retry();
    }, retry_ms);
  }

  #retry(): void {
    const held = this.#held;
    this.#held = [];
    for (let at = 0; at < held.length; at += batch_max) this.#write(held.slice(at, at + batch_max));
  }
}
