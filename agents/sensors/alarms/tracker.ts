/**
 * Whether an alarm stands, for each subject. It has no clock of its own: the time is given, and does not step.
 *
 *   calm ──beyond `raise`──▶ rising ──for `for_ms`──▶ standing ──back at `clear`──▶ easing ──for `clear_ms`──▶ calm
 *   rising ──not beyond any more──▶ calm                       easing ──not back any more──▶ standing
 *
 * A subject that is gone is calm at once: nothing is wrong with what is not there.
 */

import type { Alarm } from "../../../contracts/alarm.ts";
import type { Figure } from "../figure.ts";

/** More subjects of one alarm are not watched, which is said; an attacker could make any number. */
const subjects_max = 256;

export interface Change {
  readonly alarm: Alarm;
  readonly subject: string;
  readonly raised: boolean;
  /** null: the subject is gone. */
  readonly figure: Figure | null;
  readonly stood_ms: number;
}

interface Subject {
  state: "rising" | "standing" | "easing";
  /** When the state was entered, and when the alarm was raised. */
  since_ms: number;
  raised_ms: number;
}

export class AlarmTracker {
  readonly alarm: Alarm;
  readonly #subjects = new Map<string, Subject>();
  #unwatched = 0;

  constructor(alarm: Alarm) {
    this.alarm = alarm;
  }

  /** Subjects for which it stands. */
  get standing(): string[] {
    return [...this.#subjects].filter(([, { state }]) => state !== "rising").map(([subject]) => subject);
  }

  /** Subjects for which there was no room the last time. */
  get unwatched(): number {
    return this.#unwatched;
  }

  /** It stood already when this process began, which has not measured it yet: what is not so any more is cleared by the next look. */
  adopt(subject: string, raised_ms: number): void {
    if (!this.#subjects.has(subject)) this.#subjects.set(subject, { state: "standing", since_ms: raised_ms, raised_ms });
  }

  /** @param figures all of its figure that there are now */
  take(figures: readonly Figure[], now_ms: number): Change[] {
    this.#unwatched = 0;
    const changes: Change[] = [];
    const seen = new Set<string>();
    for (const figure of figures) {
      seen.add(figure.subject);
      this.#look(figure, now_ms, changes);
    }
    for (const [subject, known] of this.#subjects) {
      if (seen.has(subject)) continue;
      this.#subjects.delete(subject);
      if (known.state !== "rising") changes.push(this.#change(subject, false, null, now_ms - known.raised_ms));
    }
    return changes;
  }

  #look(figure: Figure, now_ms: number, changes: Change[]): void {
    const { subject } = figure;
    let known = this.#subjects.get(subject);
    if (known === undefined) {
      if (!this.#beyond(figure.value)) return;
      if (this.#subjects.size >= subjects_max) {
        this.#unwatched += 1;
        return;
      }
      known = { state: "rising", since_ms: now_ms, raised_ms: now_ms };
      this.#subjects.set(subject, known);
    }
    if (known.state === "rising") {
      if (!this.#beyond(figure.value)) this.#subjects.delete(subject);
      else if (now_ms - known.since_ms >= this.alarm.for_ms) {
        enter(known, "standing", now_ms);
        known.raised_ms = now_ms;
        changes.push(this.#change(subject, true, figure, 0));
      }
      return;
    }
    if (!this.#back(figure.value)) {
      enter(known, "standing", now_ms);
      return;
    }
    enter(known, "easing", now_ms);
    if (now_ms - known.since_ms < this.alarm.clear_ms) return;
    this.#subjects.delete(subject);
    changes.push(this.#change(subject, false, figure, now_ms - known.raised_ms));
  }

  #change(subject: string, raised: boolean, figure: Figure | null, stood_ms: number): Change {
    return { alarm: this.alarm, subject, raised, figure, stood_ms };
  }

  #beyond(value: number): boolean {
    const { raise, clear } = this.alarm;
    return raise > clear ? value >= raise : value <= raise;
  }

  #back(value: number): boolean {
    const { raise, clear } = this.alarm;
    return raise > clear ? value <= clear : value >= clear;
  }
}

function enter(subject: Subject, state: Subject["state"], now_ms: number): void {
  if (subject.state === state) return;
  subject.state = state;
  subject.since_ms = now_ms;
}
