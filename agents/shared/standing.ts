/** Which alarms stand, as the events tell that memory holds and hands on. */

import { type Event, type EventOf, Severity } from "../../contracts/event.ts";

export type AlarmEvent = EventOf<"alarm.changed">;

/** Longest name of a matter in working memory. */
const key_chars_max = 200;
/** Far more than sensors can have stand at once (agents/sensors/alarms/tracker.ts). */
const standing_max = 20_000;
/** Matters that are kept although they are over: an older change of one, told late, says nothing. */
const over_max = 1000;

/** What an incident about it is called: one matter, however often it is raised. */
export function matterOf({ facts }: AlarmEvent): string {
  return matterNamed(facts.alarm, facts.subject);
}

export function matterNamed(alarm: string, subject: string): string {
  return `${alarm} ${subject}`.slice(0, key_chars_max);
}

/** Whether its subject is a service. */
export function isOfService({ facts }: AlarmEvent): boolean {
  return facts.alarm.startsWith("service-");
}

/** The graver, the higher. */
export function gravity(severity: Severity): number {
  return Severity.options.indexOf(severity);
}

/** @param page those that stand, from memory (`alarms.standing`) */
export async function allStanding(page: (after: string | null) => Promise<readonly Event[]>): Promise<Event[]> {
  const all: Event[] = [];
  for (let after: string | null = null; all.length < standing_max; ) {
    const events = await page(after);
    if (events.length === 0) break;
    all.push(...events);
    after = events.at(-1)?.id ?? null;
  }
  return all;
}

export class Standing {
  /** By matter, the newest event of it in this boot. */
  readonly #newest = new Map<string, AlarmEvent>();
  /** Of these the ones that do not stand, the longest over first. */
  readonly #over = new Set<string>();
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
    this.#over.delete(matter);
    if (!event.facts.raised) this.#over.add(matter);
    const [oldest] = this.#over;
    if (this.#over.size > over_max && oldest !== undefined) {
      this.#over.delete(oldest);
      this.#newest.delete(oldest);
    }
    return true;
  }

  /** Matters that are kept. */
  get known(): number {
    return this.#newest.size;
  }

  get(matter: string): AlarmEvent | null {
    const newest = this.#newest.get(matter);
    return newest?.facts.raised === true ? newest : null;
  }

  all(): AlarmEvent[] {
    return [...this.#newest.values()].filter(({ facts }) => facts.raised);
  }
}
