/** Bursts of alarms through triage, over the real memory. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { shortBootId } from "../../../contracts/boot-id.ts";
import { diskFolder } from "../../../memory/testing/folder.ts";
import { type MemoryPeer, type MemoryService, startMemory } from "../../../memory/testing/service.ts";
import { operationalJudge } from "../../operational/judge.ts";
import { loadThresholds } from "../../router/thresholds.ts";
import { Ids } from "../../shared/ids.ts";
import { type AlarmEvent, matterOf, Standing } from "../../shared/standing.ts";
import { type Incident, Incidents } from "../incidents.ts";
import { triageAll } from "../triage.ts";

const boot_id = "0badcafe-0000-4000-8000-000000000000";
const thresholds = loadThresholds();
const { storms } = thresholds;

let memory: MemoryService;
let peer: MemoryPeer;
let tactical: MemoryPeer;
let standing: Standing;
let over: Map<string, number>;
let now_ms = 1_000_000;
const ids = new Ids("reactive", boot_id, 1);

beforeAll(async () => {
  memory = await startMemory(diskFolder("storms"));
  [peer, tactical] = await Promise.all([memory.ask("operational"), memory.ask("tactical")]);
}, 60_000);
afterAll(() => memory?.kill());

const incidents = new Incidents(() => peer, "o1");
const open = async (): Promise<Incident[]> => await incidents.open();

beforeEach(async () => {
  for (const one of (await memory_open()) ?? []) await end(one);
  standing = new Standing(shortBootId(boot_id));
  over = new Map();
  now_ms += 1_000_000;
});
const memory_open = async (): Promise<Incident[] | null> => (peer === undefined ? null : await open());

function tell(alarm: string, subject: string, severity: AlarmEvent["severity"] = "error", raised = true): AlarmEvent {
  const facts = { alarm, subject, raised, value: 1, limit: 1, stood_ms: 0, detail: "it is as it should not be" };
  const event: AlarmEvent = {
    ...{ id: ids.memory(), time_ms: Date.now(), boot_ms: now_ms, source: "reactive", severity },
    ...{ kind: "alarm.changed", facts },
  };
  standing.take(event);
  return event;
}

/** As a tier that looked at it and handed it to a person. */
async function end(incident: Incident): Promise<void> {
  const held = await new Incidents(() => tactical, "t1").take(incident);
  if (held === null) throw new Error("somebody else holds it");
  await held.move("handed-over", "the test is at its end");
  await held.release();
}

const ask = (): Promise<never> => Promise.reject(new Error("memory is not asked here"));
const judge = operationalJudge({ ask, thresholds, playbooks: () => [], tries: async () => [], model: null });
const round = (): Promise<void> => triageAll({ incidents, judge, standing, thresholds, boot_ms: () => now_ms, over });

test("what is less than a warning is told, and is nobody's work; as a warning it is", async () => {
  tell("log-novel", "template-7", "notice");
  await round();
  expect(await open()).toEqual([]);
  tell("service-unwell", "web", "warning");
  await round();
  expect((await open()).map(({ body }) => body.key)).toEqual(["service-unwell web"]);
});

test("200 alarms at once are a few incidents, by the gravest kinds, and each alarm is looked at in the end", async () => {
  const kinds = ["service-down", "disk-full", "link-down", "dns-silent", "too-many-files", "port-closed", "memory-short", "disk-slow"];
  const events = Array.from({ length: 200 }, (_, at) =>
    tell(kinds[at % kinds.length] ?? "", `s${at}`, at % kinds.length === 2 ? "critical" : "warning"),
  );
  await round();
  await round();
  const first = await open();
  expect(first.map(({ body }) => body.key.split(" ")[0])).toEqual(expect.arrayContaining(["link-down"]));
  expect(first).toHaveLength(storms.incidents_max);
  expect(first.reduce((sum, { body }) => sum + (body.covers?.alarms ?? 1), 0)).toBe(200);
  expect(first[0]?.body).toMatchObject({ summary: expect.stringContaining("more alarms"), triage: { known: false, options: [] } });
  const looked_at = new Set<string>();
  for (let rounds = 0; rounds < 300 && looked_at.size < 200; rounds += 1) {
    const now_open = await open();
    expect(now_open.length).toBeLessThanOrEqual(storms.alarms_max);
    for (const one of now_open) {
      looked_at.add(one.body.key);
      await end(one);
    }
    await round();
  }
  expect(looked_at).toEqual(new Set(events.map(matterOf)));
}, 120_000);

test("what belongs to a storm has an incident of its own when that takes too long, or waits for a person", async () => {
  for (let at = 0; at < 20; at += 1) tell("disk-slow", `d${at}`);
  await round();
  expect(await open()).toHaveLength(1);
  now_ms += storms.hold_ms;
  await round();
  expect(await open()).toHaveLength(2);
  for (const one of await open()) {
    const held = await new Incidents(() => tactical, "t1").take(one);
    await held?.move("acting", "something is tried");
    await held?.move("waiting", "a person is asked", { waits_for: { call: null, what: "a person" } });
    await held?.release();
  }
  await round();
  expect(await open()).toHaveLength(3);
});

test("alarms of one service are one incident; another service's, and a graver one that comes later, are not", async () => {
  const down = tell("service-down", "web");
  tell("service-unwell", "web", "warning");
  tell("service-down", "db");
  tell("disk-full", "web");
  await round();
  const byKey = async (): Promise<string[]> => (await open()).map(({ body }) => body.key).sort();
  expect(await byKey()).toEqual(["disk-full web", "service-down db", "service-down web"]);
  const web = (await open()).find(({ body }) => body.key === matterOf(down));
  expect(web?.body).toMatchObject({ covers: { alarms: 2, subject: "web" }, events_total: 2, service: "web" });
  now_ms += 1000;
  tell("service-slow-start", "web", "warning");
  await round();
  expect(await open()).toHaveLength(3);
  tell("service-crash-loop", "web", "critical");
  await round();
  expect(await byKey()).toEqual(["disk-full web", "service-crash-loop web", "service-down db", "service-down web"]);
});

test("a burst that comes in two parts stays a few incidents", async () => {
  for (let at = 0; at < 5; at += 1) tell("disk-slow", `d${at}`);
  await round();
  expect(await open()).toHaveLength(5);
  for (let at = 5; at < 100; at += 1) tell("disk-slow", `d${at}`);
  await round();
  expect(await open()).toHaveLength(6);
});

test("more incidents than fit into one answer of memory are all open: the oldest is still worked on", async () => {
  const first = tell("disk-full", "data", "critical");
  await incidents.report([first]);
  for (let n = 1; n <= 120; n += 1) await incidents.report([tell("failed-logins", `192.0.2.${n}`, "warning")]);
  const all = await open();
  expect(all).toHaveLength(121);
  expect(all[0]?.body.key).toBe(matterOf(first));
  for (const one of all) await end(one);
}, 30_000);
