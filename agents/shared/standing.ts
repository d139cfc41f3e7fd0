/** Which alarms stand, as the events tell that memory holds and hands on. */

import { type Event, type EventOf, Severity } from "../../contracts/event.ts";

export type AlarmEvent = EventOf<"alarm.changed">;

/** Longest name of a matter in working memory. */
const key_chars_max = 200;

/** What an incident about it is called: one matter, however often it is raised. */
export function matterOf({ facts }: AlarmEvent): string {
  return `${facts.alarm} ${facts.subject}`.slice(0, key_chars_max);
}

/** Whether its subject is a service. */
export function isOfService({ facts }: AlarmEvent): boolean {
  return facts.alarm.startsWith("service-");
}

/** The graver, the higher. */
export function gravity(severity: Severity): number {
  return Severity.options.indexOf(severity);
}

export class Standing {
  /** By matter, the newest event of it in this boot. */
  readonly #newest = new Map<string, AlarmEvent>();
  readonly #boot: string;

  /** @param boot the short id of this boot: alarms of another one are measured anew */
  constructor(boot: string) {
    this.#boot = boot;
  }

  isOfThisBoot(id: string): boolean {
    return id.startsWith(`${this.#boot}-`);
  }

  /** Takes an event, in whatever order and however often. @returns whether it says something new */
  take(event: Event): boolean {
    if (event.kind !== "alarm.changed" || !this.isOfThisBoot(event.id)) return false;
    const matter = matterOf(event);
    const known = this.#newest.get(matter);
    if (known !== undefined && known.boot_ms >= event.boot_ms) return false;
    this.#newest.set(matter, event);
    return true;
  }

  get(matter: string): AlarmEvent | null {
    const newest = this.#newest.get(matter);
    return newest?.facts.raised === true ? newest : null;
  }

  all(): AlarmEvent[] {
    return [...this.#newest.values()].filter(({ facts }) => facts.raised);
  }
}
