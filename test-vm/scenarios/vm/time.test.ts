/** A machine whose battery clock is wrong finds a time server. */

import { expect, test } from "bun:test";
import { startTimeServer } from "../../machine/time-server.ts";
import { newFolder } from "../../places.ts";
import { startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { eventWhere } from "../expect.ts";
import { without_tiers } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };
const ahead_ms = 2 * 86_400_000;

test("NTP puts a wrong clock right, says so, and the battery clock is written", async () => {
  const server = await startTimeServer(newFolder("time-server"));
  const wrong = new Date(Date.now() + ahead_ms).toISOString().slice(0, 19);
  const machine = await startMachine({
    boot: "direct",
    rtc: `base=${wrong}`,
    network_of: server.pid,
    config: `${without_tiers}network: { ntp: [10.0.2.2] }\n`,
  });
  try {
    await machine.ready();
    const off_by_ms = async (): Promise<number> => Math.abs((await machine.console.call("status")).time_ms - Date.now());
    const stepped = await eventWhere(machine.console, "clock.step", ({ facts }) => facts.by_ms < 0, patient);
    expect(Math.abs(stepped.facts.by_ms + ahead_ms)).toBeLessThan(60_000);
    await eventWhere(machine.console, "clock.sync", ({ facts }) => facts.synchronised, patient);
    const { clock, degradations } = await machine.console.call("status");
    expect(clock).toMatchObject({ servers: ["10.0.2.2"], synchronised: true });
    expect(clock.error_ms).toBeLessThan(5_000);
    expect(degradations).toEqual([]);
    expect(await off_by_ms()).toBeLessThan(5_000);
    const rtc_ms = async (): Promise<number> => Number((await machine.sh("cat /sys/class/rtc/rtc0/since_epoch")).out) * 1000;
    await waitFor("the battery clock to be right", async () => Math.abs((await rtc_ms()) - Date.now()) < 5_000, patient);
  } finally {
    await machine.kill();
    server.end();
  }
}, 900_000);
