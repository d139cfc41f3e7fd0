import { expect, test } from "bun:test";
import { join } from "node:path";
import { fakeSystem, type Step } from "../../sys/fake.ts";
import { valueInNamespaces } from "../../sys/testing.ts";
import { testBoot } from "./testing.ts";
import { configureWatchdog, releaseWatchdog, watchdogTurn } from "./watchdog.ts";

function boot(script: readonly Step[], petted_ms: number) {
  const sys = fakeSystem(script);
  const made = testBoot(sys);
  made.state.watchdog = { device: "/dev/watchdog0", fd: 9, timeout_s: 10, petted_ms };
  return { made, sys };
}

const at = (ms: number): Step => ({ call: "clock.nowMs", args: ["boottime"], returns: ms });
const pet: Step = { call: "device.watchdogPet", args: [9] };

test("it is petted while supervision is healthy, and not else", () => {
  const { made, sys } = boot([at(2000), pet, at(2000), at(4000)], 0);
  watchdogTurn(made, { near: false });
  expect(made.state.watchdog.petted_ms).toBe(2000);
  made.healthy = false;
  watchdogTurn(made, { near: false });
  expect(made.state.watchdog.petted_ms).toBe(2000);
  sys.done();
});

test("near its end it says so once, with what is left", () => {
  const { made } = boot([at(6000), at(7000), at(8000), pet, at(8000)], 0);
  const said = { near: false };
  made.healthy = false;
  watchdogTurn(made, said);
  watchdogTurn(made, said);
  expect(made.told.events).toEqual([{ kind: "watchdog.near", severity: "critical", facts: { left_ms: 4000 }, untrusted: undefined }]);
  made.healthy = true;
  watchdogTurn(made, said);
  expect(said.near).toBe(false);
});

test("it is opened, set and petted, and goes on being petted", async () => {
  const value = await valueInNamespaces(
    `
    sys.mount.mount({ source: "dev", target: "/dev", type: "tmpfs" });
    writeFileSync("/dev/watchdog0", "");
    const at = (returns) => ({ call: "clock.nowMs", args: ["boottime"], returns });
    const pet = { call: "device.watchdogPet", args: [9] };
    const fake = fakeSystem([
      { call: "descriptor.open", args: ["/dev/watchdog0", ["write"]], returns: 9 },
      { call: "device.watchdogSetTimeout", args: [9, 30], returns: 30 },
      pet, at(100),
      { call: "device.watchdogIdentity", args: [9], returns: "a dog" },
      at(200), pet, at(200),
    ]);
    const boot = testBoot(fake);
    const { outcome, detail } = await openWatchdog.run(boot);
    await Bun.sleep(50);
    let left = "nothing";
    try { fake.done(); } catch (error) { left = error.message; }
    console.log(JSON.stringify({ outcome, detail, left, petted_ms: boot.state.watchdog.petted_ms }));
    process.exit(0);
    `,
    {
      imports: `
import { writeFileSync } from "node:fs";
import { fakeSystem } from ${JSON.stringify(join(import.meta.dir, "../../sys/fake.ts"))};
import { testBoot } from ${JSON.stringify(join(import.meta.dir, "testing.ts"))};
import { openWatchdog } from ${JSON.stringify(join(import.meta.dir, "watchdog.ts"))};
`,
    },
  );
  expect(value).toEqual({
    outcome: "done",
    detail: '"/dev/watchdog0" (a dog) resets the machine after 30 s',
    left: "nothing",
    petted_ms: 200,
  });
});

test("the timeout of the config is set; a device that keeps its own says so", async () => {
  const good = boot([{ call: "device.watchdogSetTimeout", args: [9, 30], returns: 30 }], 0);
  expect(await configureWatchdog.run(good.made)).toMatchObject({ outcome: "done", detail: "30 s" });
  const fixed = boot(
    [
      { call: "device.watchdogSetTimeout", fails: "EOPNOTSUPP" },
      { call: "device.watchdogTimeout", returns: 60 },
    ],
    0,
  );
  expect(await configureWatchdog.run(fixed.made)).toMatchObject({ outcome: "degraded", detail: "the watchdog took 60 instead of 30 s" });
});

test("magic close only at a clean power-off; a restart stays guarded, with time for firmware and kernel", () => {
  const off = boot(
    [pet, at(1), { call: "descriptor.write", args: [9, Buffer.from("V")], returns: 1 }, { call: "descriptor.close", args: [9] }],
    0,
  );
  releaseWatchdog(off.made, true);
  off.sys.done();
  expect(off.made.state.watchdog.fd).toBeNull();
  const longer: Step = { call: "device.watchdogSetTimeout", args: [9, 300], returns: 300 };
  const again = boot([longer, pet, at(1)], 0);
  releaseWatchdog(again.made, false);
  again.sys.done();
  expect(again.made.state.watchdog).toMatchObject({ fd: 9, timeout_s: 300 });
  const keeps_its_own: Step[] = [
    { call: "device.watchdogSetTimeout", args: [9, 300], fails: "EINVAL" },
    { call: "device.watchdogTimeout", returns: 63 },
  ];
  const short = boot([...keeps_its_own, pet, at(1)], 0);
  releaseWatchdog(short.made, false);
  short.sys.done();
  expect(short.made.state.watchdog).toMatchObject({ fd: 9, timeout_s: 63 });
});
