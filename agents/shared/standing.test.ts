import { expect, test } from "bun:test";
import { type AlarmEvent, allStanding, Standing } from "./standing.ts";

const boot = "0badcafe";
let number = 0;
function change(subject: string, raised: boolean): AlarmEvent {
  number += 1;
  const facts = { alarm: "failed-logins", subject, raised, value: 1, limit: 1, stood_ms: 0, detail: "" };
  const at = { time_ms: number, boot_ms: number };
  return { id: `${boot}-reactive-${number}`, ...at, source: "reactive", severity: "error", kind: "alarm.changed", facts };
}

test("what is over is known for a while, so that it is not told anew, and not for ever; what stands always is", () => {
  const standing = new Standing(boot);
  const first = change("disk", true);
  standing.take(first);
  const early = change("10.0.0.1", true);
  const over = change("10.0.0.1", false);
  standing.take(over);
  expect(standing.take(early)).toBe(false);
  for (let n = 0; n < 5000; n += 1) for (const raised of [true, false]) standing.take(change(`192.0.2.${n}`, raised));
  expect(standing.all()).toEqual([first]);
  expect(standing.known).toBe(1001);
});

test("all that stands is read, page by page", async () => {
  const events = Array.from({ length: 7 }, (_, n) => change(`s${n}`, true));
  const page = async (after: string | null) => {
    const at = after === null ? 0 : events.findIndex(({ id }) => id === after) + 1;
    return events.slice(at, at + 3);
  };
  expect(await allStanding(page)).toEqual(events);
});
