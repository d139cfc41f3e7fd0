/** A machine whose battery clock is wrong finds a time server, and keeps to it whoever sets its clock. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTimeServer, type TimeServer } from "../../machine/time-server.ts";
import { newFolder } from "../../places.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { decisionWhere, eventWhere } from "../expect.ts";
import { without_broker } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };
const minute = { limit_ms: 60_000, every_ms: 200 };
const day_s = 86_400;
const ahead_ms = 2 * day_s * 1000;

let server: TimeServer;
let machine: Machine;

const offByMs = async (): Promise<number> => Math.abs((await machine.console.call("status")).time_ms - Date.now());

beforeAll(async () => {
  server = await startTimeServer(newFolder("time-server"));
  const wrong = new Date(Date.now() + ahead_ms).toISOString().slice(0, 19);
  machine = await startMachine({
    boot: "direct",
    rtc: `base=${wrong}`,
    network_of: server.pid,
    config: `${without_broker}network: { ntp: [10.0.2.2] }\n`,
  });
  await machine.ready();
}, 900_000);

afterAll(async () => {
  await machine?.kill();
  server?.end();
});

test("NTP puts a wrong clock right, says so, and the battery clock is written", async () => {
  const stepped = await eventWhere(machine.console, "clock.step", ({ facts }) => facts.by_ms < 0, patient);
  expect(Math.abs(stepped.facts.by_ms + ahead_ms)).toBeLessThan(60_000);
  await eventWhere(machine.console, "clock.sync", ({ facts }) => facts.synchronised, patient);
  const { clock, degradations } = await machine.console.call("status");
  expect(clock).toMatchObject({ servers: ["10.0.2.2"], synchronised: true });
  expect(clock.error_ms).toBeLessThan(5_000);
  expect(degradations).toEqual([]);
  expect(await offByMs()).toBeLessThan(5_000);
  const rtc_ms = async (): Promise<number> => Number((await machine.sh("cat /sys/class/rtc/rtc0/since_epoch")).out) * 1000;
  await waitFor("the battery clock to be right", async () => Math.abs((await rtc_ms()) - Date.now()) < 5_000, patient);
  expect(await machine.console.list("events", { query: { kind: "clock.lost" } })).toEqual([]);
});

test("a clock that somebody sets a year back, and then ahead, is right again within a minute", async () => {
  for (const by_s of [-365 * day_s, 365 * day_s]) {
    await machine.sh(`date -s @$(($(date +%s) + ${by_s}))`);
    const fits = ({ facts }: { facts: { by_ms: number } }): boolean => Math.abs(facts.by_ms / 1000 - by_s) < 60;
    const lost = await eventWhere(machine.console, "clock.lost", fits, minute);
    const restarted = await decisionWhere(
      machine.console,
      "chronyd to begin anew",
      ({ rule, trigger, outcome }) => rule === "clock-lost" && trigger.id === lost.id && outcome.result === "done",
      minute,
    );
    expect(restarted.reason).toContain("no time server keeps it any more");
    await waitFor("the clock to be right", async () => (await offByMs()) < 5_000, minute);
    await waitFor("it to be kept", async () => (await machine.console.call("status")).clock.synchronised, minute);
  }
});
