/** All alarms together: figures in, changes out. */

import type { Alarm } from "../../../contracts/alarm.ts";
import type { Facts, Severity } from "../../../contracts/event.ts";
import type { Figure } from "../figure.ts";
import { AlarmTracker, type Change } from "./tracker.ts";

const subject_chars_max = 200;
const detail_chars_max = 300;
const untrusted_chars_max = 1000;

export interface AlarmChanged {
  /** Of the alarm; that it is over is news, no matter how grave it was. */
  readonly severity: Severity;
  readonly facts: Facts<"alarm.changed">;
  readonly untrusted?: string;
}

export class Alarms {
  readonly #by_figure = new Map<string, AlarmTracker[]>();
  readonly #told: (changed: AlarmChanged) => void;

  constructor(alarms: readonly Alarm[], told: (changed: AlarmChanged) => void) {
    this.#told = told;
    for (const alarm of alarms) {
      const trackers = this.#by_figure.get(alarm.figure) ?? [];
      trackers.push(new AlarmTracker(alarm));
      this.#by_figure.set(alarm.figure, trackers);
    }
  }

  /** Those that stand, each as `name of subject`. */
  get standing(): string[] {
    return [...this.#by_figure.values()].flat().flatMap(({ alarm, standing }) => standing.map((subject) => `${alarm.name} of ${subject}`));
  }

  /** An alarm that an earlier process of this boot raised; told again only when it is cleared. */
  adopt(name: string, subject: string, raised_ms: number): void {
    for (const tracker of [...this.#by_figure.values()].flat()) if (tracker.alarm.name === name) tracker.adopt(subject, raised_ms);
  }

  /** @param names the figures that were measured, completely @param now_ms a clock that does not step */
  take(names: readonly string[], figures: readonly Figure[], now_ms: number): void {
    for (const name of names) {
      const own = figures.filter(({ figure }) => figure === name).map(withinBounds);
      for (const tracker of this.#by_figure.get(name) ?? []) for (const change of tracker.take(own, now_ms)) this.#told(changed(change));
    }
  }
}

function withinBounds(figure: Figure): Figure {
  return figure.subject.length <= subject_chars_max ? figure : { ...figure, subject: figure.subject.slice(0, subject_chars_max) };
}

function changed({ alarm, subject, raised, figure, stood_ms }: Change): AlarmChanged {
  const detail = [alarm.means, figure?.detail ?? (figure === null ? "it is gone" : "")].filter((text) => text !== "").join(": ");
  return {
    severity: raised ? alarm.severity : "info",
    facts: {
      alarm: alarm.name,
      subject,
      raised,
      value: figure?.value ?? null,
      limit: raised ? alarm.raise : alarm.clear,
      stood_ms: Math.round(stood_ms),
      detail: detail.slice(0, detail_chars_max),
    },
    ...(figure?.untrusted === undefined ? {} : { untrusted: figure.untrusted.slice(0, untrusted_chars_max) }),
  };
}
