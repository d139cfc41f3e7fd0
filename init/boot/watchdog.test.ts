import { expect, test } from "bun:test";
import { fakeSystem, type Step } from "../../sys/fake.ts";
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

test("magic close only at a clean power-off; a reboot stays guarded", () => {
  const off = boot(
    [pet, at(1), { call: "descriptor.write", args: [9, Buffer.from("V")], returns: 1 }, { call: "descriptor.close", args: [9] }],
    0,
  );
  releaseWatchdog(off.made, true);
  off.sys.done();
  expect(off.made.state.watchdog.fd).toBeNull();
  const again = boot([pet, at(1)], 0);
  releaseWatchdog(again.made, false);
  again.sys.done();
  expect(again.made.state.watchdog.fd).toBe(9);
});
