/** Loads alarms: each is parsed and tried on its own examples. */

import { Alarm } from "../../../contracts/alarm.ts";
import { issuesText } from "../../../wire/issues.ts";
import { type Loaded, loadEach } from "../../shared/load-data.ts";
import { AlarmTracker } from "./tracker.ts";

export function loadAlarms(sources: Readonly<Record<string, unknown>>): Loaded<Alarm> {
  return loadEach("alarm", sources, loadAlarm);
}

function loadAlarm(source: unknown): Alarm {
  const parsed = Alarm.safeParse(source);
  if (!parsed.success) throw new Error(issuesText(parsed.error));
  const alarm = parsed.data;
  alarm.examples.stands.forEach((example, at) => {
    if (!stands(alarm, example)) throw new Error(`its example stands[${at}] does not stand at its end`);
  });
  alarm.examples.does_not.forEach((example, at) => {
    if (stands(alarm, example)) throw new Error(`its example does_not[${at}] stands at its end`);
  });
  return alarm;
}

function stands(alarm: Alarm, example: Alarm["examples"]["stands"][number]): boolean {
  const tracker = new AlarmTracker(alarm);
  for (const { at_ms, value } of example) tracker.take(value === null ? [] : [{ figure: alarm.figure, subject: "example", value }], at_ms);
  return tracker.standing.length > 0;
}
