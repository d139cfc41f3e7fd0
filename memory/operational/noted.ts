/** What operational memory notes of an event. */

import { type Event, Severity } from "../../contracts/event.ts";

export const severities = Severity.options;

export interface Noted {
  readonly id: string;
  readonly boot_ms: number;
  readonly time_ms: number;
  readonly kind: string;
  readonly source: string;
  readonly severity: Severity;
  readonly service: string | null;
  /** Kind and what it is about, as the most frequent are told. */
  readonly key: string;
  /** The numbers among its facts, by `kind.fact`. */
  readonly numbers: readonly (readonly [name: string, value: number])[];
}

/** The fact that says what an event is about, in the order of trying. */
const subjects = ["service", "interface", "mount", "phase", "name", "key", "action"] as const;
const subject_chars_max = 64;
/** Facts with these units are worth a distribution; a pid or an index is not. */
const measured = /_(ms|us|bytes|ratio|avg10)$/;

export function noted(event: Event): Noted {
  const facts: Readonly<Record<string, unknown>> = event.facts;
  const subject = subjects.map((name) => facts[name]).find((value) => typeof value === "string");
  const numbers: [string, number][] = [];
  for (const [name, value] of Object.entries(facts)) {
    if (typeof value === "number" && measured.test(name)) numbers.push([`${event.kind}.${name}`, value]);
  }
  return {
    id: event.id,
    boot_ms: event.boot_ms,
    time_ms: event.time_ms,
    kind: event.kind,
    source: event.source,
    severity: event.severity,
    service: "service" in event.facts ? event.facts.service : null,
    key: typeof subject === "string" ? `${event.kind} ${subject.slice(0, subject_chars_max)}` : event.kind,
    numbers,
  };
}
