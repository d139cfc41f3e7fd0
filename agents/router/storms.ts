/**
 * Many alarms at once. Those of one service are one incident. When more are new than can be looked at one by one, that is a storm:
 * an incident for each of the gravest kinds of alarm, about the first of its kind; the others belong to these. What belongs to an
 * incident has none of its own while that is worked on, and for a limited time: then it is looked at for itself, so nothing is lost.
 */

import type { Covers } from "../../contracts/memory/working/incidents.ts";
import type { WorkItem } from "../../contracts/memory/working/items.ts";
import type { Thresholds } from "../../contracts/router.ts";
import { type AlarmEvent, gravity, isOfService } from "../shared/standing.ts";

type Storms = Thresholds["storms"];
type Incident = Extract<WorkItem, { kind: "incident" }>;
type Some = readonly [AlarmEvent, ...AlarmEvent[]];

/** One incident to be: what it is about first, then what belongs to it. */
export interface Group {
  readonly events: Some;
  /** Null: it is about its one alarm. */
  readonly covers: Covers | null;
}

/** @param fresh alarms that stand, have no incident, and belong to none @param now_ms the boot clock */
export function groupsOf(fresh: readonly AlarmEvent[], storms: Storms, now_ms: number): Group[] {
  const services = ofServices(fresh, storms);
  if (services.length <= storms.alarms_max)
    return services.map((events) => {
      const about = { subject: events[0].facts.subject, alarm: null };
      return isOfService(events[0]) ? group(events, about, storms.subject_window_ms, storms, now_ms) : { events, covers: null };
    });
  const kinds = byKind(fresh);
  const [first, ...others] = kinds.slice(0, storms.incidents_max);
  if (first === undefined) return [];
  const rest = kinds.slice(storms.incidents_max).flat();
  const [gravest, ...more] = first;
  const alarmOf = (events: Some): string => events[0].facts.alarm;
  return [
    group([gravest, ...more, ...rest], { subject: null, alarm: rest.length > 0 ? null : alarmOf(first) }, storms.window_ms, storms, now_ms),
    ...others.map((events) => group(events, { subject: null, alarm: alarmOf(events) }, storms.window_ms, storms, now_ms)),
  ];
}

/** Whether it belongs to an incident that is worked on, and may wait for that. What is graver, or waits for a person, covers nothing. */
export function belongsTo(event: AlarmEvent, { state, body }: Incident, now_ms: number): boolean {
  const { covers } = body;
  if (covers === undefined || state === "waiting" || now_ms >= covers.hold_until_ms) return false;
  const { subject, alarm, severity } = { ...event.facts, severity: event.severity };
  return (
    (covers.subject === null || (covers.subject === subject && isOfService(event))) &&
    (covers.alarm === null || covers.alarm === alarm) &&
    event.boot_ms >= covers.from_ms &&
    event.boot_ms <= covers.until_ms &&
    gravity(severity) <= gravity(body.severity)
  );
}

/** Alarms of one service that were raised shortly after each other; each other one by itself. */
function ofServices(fresh: readonly AlarmEvent[], { subject_window_ms }: Storms): Some[] {
  const groups: [AlarmEvent, ...AlarmEvent[]][] = [];
  for (const event of fresh.toSorted((a, b) => a.boot_ms - b.boot_ms)) {
    const same = groups.find(([one]) => isOfOneService(one, event) && event.boot_ms - one.boot_ms <= subject_window_ms);
    if (same === undefined) groups.push([event]);
    else same.push(event);
  }
  return groups.map(gravestFirst);
}

function byKind(fresh: readonly AlarmEvent[]): Some[] {
  const kinds = new Map<string, [AlarmEvent, ...AlarmEvent[]]>();
  for (const event of fresh) {
    const same = kinds.get(event.facts.alarm);
    if (same === undefined) kinds.set(event.facts.alarm, [event]);
    else same.push(event);
  }
  return [...kinds.values()].map(gravestFirst).sort(([a], [b]) => byGravity(a, b));
}

function group(events: Some, about: Pick<Covers, "subject" | "alarm">, window_ms: number, { hold_ms }: Storms, now_ms: number): Group {
  const raised = events.map(({ boot_ms }) => boot_ms);
  const times = { from_ms: Math.min(...raised), until_ms: Math.max(...raised) + window_ms, hold_until_ms: now_ms + hold_ms };
  return { events, covers: { ...times, ...about, alarms: events.length } };
}

function gravestFirst(events: Some): Some {
  const [first, ...others] = events;
  let lead = first;
  for (const event of others) if (byGravity(event, lead) < 0) lead = event;
  return [lead, ...events.filter((event) => event !== lead)];
}

/** The gravest first, then the oldest: what came first is more likely the cause. */
function byGravity(a: AlarmEvent, b: AlarmEvent): number {
  return gravity(b.severity) - gravity(a.severity) || a.boot_ms - b.boot_ms;
}

function isOfOneService(a: AlarmEvent, b: AlarmEvent): boolean {
  return isOfService(a) && isOfService(b) && a.facts.subject === b.facts.subject;
}
