/** Which alarms stand, whatever else was told since. */

import { expect, test } from "bun:test";
import type { EventOf } from "../../contracts/event.ts";
import { diskFolder } from "../testing/folder.ts";
import { boot } from "../testing/records.ts";
import { openDatabase } from "./open.ts";
import { Store } from "./store.ts";

const other = "1badcafe";
let number = 0;
function change(
  subject: string,
  raised: boolean,
  more: { readonly boot?: string; readonly boot_ms?: number } = {},
): EventOf<"alarm.changed"> {
  number += 1;
  const facts = { alarm: "failed-logins", subject, raised, value: 1, limit: 1, stood_ms: 0, detail: "x".repeat(300) };
  const at = { time_ms: number, boot_ms: more.boot_ms ?? number };
  return { id: `${more.boot ?? boot}-reactive-${number}`, ...at, source: "reactive", severity: "error", kind: "alarm.changed", facts };
}
const fresh = (): Store => new Store(openDatabase(diskFolder("standing")).db);
const subjects = (store: Store, of = boot): string[] => {
  const all: string[] = [];
  for (let after: string | null = null; ; ) {
    const page = store.standingAlarms(of, after);
    if (page.length === 0) return all;
    for (const event of page) if (event.kind === "alarm.changed") all.push(event.facts.subject);
    after = page.at(-1)?.id ?? null;
  }
};

test("one that was raised before thousands of others that came and went is still told, and only that", () => {
  const store = fresh();
  const passing = Array.from({ length: 2000 }, (_, n) => [change(`a${n}`, true), change(`a${n}`, false)]).flat();
  store.commit(() => [change("disk", true), ...passing].map((event) => store.addEvent(event)));
  expect(subjects(store)).toEqual(["disk"]);
  const again = Array.from({ length: 1500 }, (_, n) => change(`b${n}`, true));
  store.commit(() => again.map((event) => store.addEvent(event)));
  expect(subjects(store)).toEqual(["disk", ...again.map(({ facts }) => facts.subject)]);
});

test("what is told late or twice changes nothing, and each boot has its own", () => {
  const store = fresh();
  const [raised, cleared, late] = [change("web", true), change("web", false), change("web", true, { boot_ms: 1 })];
  store.commit(() => [raised, raised, cleared, raised].map((event) => store.addEvent(event)));
  expect(subjects(store)).toEqual([]);
  const newer = change("web", true);
  store.commit(() => [newer, late].map((event) => store.addEvent(event)));
  expect(store.standingAlarms(boot, null).map(({ id }) => id)).toEqual([newer.id]);
  store.commit(() => store.addEvent(change("db", true, { boot: other })));
  expect([subjects(store), subjects(store, other)]).toEqual([[], ["db"]]);
});
