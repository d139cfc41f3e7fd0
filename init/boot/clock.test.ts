/** The phase with a scripted clock, on a /sys, /dev and data folder of its own, in namespaces. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "../../sys/testing.ts";

const here = (name: string): string => JSON.stringify(join(import.meta.dir, name));
const imports = `
import { clock } from ${here("clock.ts")};
import { testBoot } from ${here("testing.ts")};
import { fakeSystem } from ${here("../../sys/fake.ts")};
import { mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
for (const target of ["/sys", "/dev", "/var/lib"]) sys.mount.mount({ source: "test", target, type: "tmpfs" });
mkdirSync("/var/lib/aios");
const keptAt = (time_s) => { writeFileSync("/var/lib/aios/clock", ""); utimesSync("/var/lib/aios/clock", time_s, time_s); };
const realtime = (returns) => ({ call: "clock.nowMs", args: ["realtime"], returns });
const tried = async (script, work) => {
  const fake = fakeSystem(script);
  const boot = testBoot(fake);
  boot.state.data = { ...boot.state.data, persistent: true };
  const result = await clock.run(boot);
  for (const { work } of boot.told.works) await work();
  try { fake.done(); } catch (error) { return { ...result, left: error.message }; }
  return result;
};
`;

const now_s = 1_800_000_000;

test("the battery clock is read at boot and written at shutdown, and the time is kept", async () => {
  const source = `
    mkdirSync("/sys/class/rtc/rtc0", { recursive: true });
    writeFileSync("/dev/rtc0", "");
    keptAt(${now_s - 1000});
    const { outcome, detail, left } = await tried([
      { call: "clock.readRtc", args: ["/dev/rtc0"], returns: ${now_s} },
      realtime(1000),
      { call: "clock.set", args: [${now_s * 1000}] },
      realtime(${now_s * 1000}),
      realtime(${(now_s + 60) * 1000}),
      { call: "clock.writeRtc", args: ["/dev/rtc0", ${now_s + 60}] },
    ]);
    const kept = (() => { try { return statSync("/var/lib/aios/clock").mtimeMs; } catch { return "nothing"; } })();
    console.log(JSON.stringify({ outcome, detail, left, kept }));
    process.exit(0);
  `;
  expect(await valueInNamespaces(source, { imports })).toEqual({
    outcome: "done",
    detail: `${new Date(now_s * 1000).toISOString()}, by the battery clock`,
    kept: (now_s + 60) * 1000,
  });
});

test("without a battery clock the time that was kept is the floor", async () => {
  const source = `
    keptAt(${now_s});
    const { outcome, degradation, left } = await tried([
      realtime(1000), { call: "clock.set", args: [${now_s * 1000}] }, realtime(${now_s * 1000}), realtime(${now_s * 1000}),
    ]).catch((error) => ({ outcome: error.message }));
    console.log(JSON.stringify({ outcome, detail: degradation?.detail, left }));
    process.exit(0);
  `;
  expect(await valueInNamespaces(source, { imports })).toEqual({
    outcome: "degraded",
    detail: `there is no battery clock (RTC): the clock starts at ${new Date(now_s * 1000).toISOString()}, the latest time that this machine knows of`,
  });
});
