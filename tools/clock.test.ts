import { expect, test } from "bun:test";
import { fakeSystem, type Step } from "../sys/fake.ts";
import { linuxSystem } from "../sys/linux.ts";
import { brokerClock } from "./clock.ts";

const asked = (returns: number): Step => ({ call: "clock.nowMs", args: ["boottime"], returns });

test("asks the kernel once, and goes on by itself", () => {
  const sys = fakeSystem([asked(5000)]);
  let passed = 0;
  const clock = brokerClock(
    sys,
    () => 1_000_000 + passed,
    () => 100 + passed,
  );
  expect(clock.boot_ms()).toBe(5000);
  passed = 250;
  expect(clock.boot_ms()).toBe(5250);
  expect(clock.now_ms()).toBe(1_000_250);
  sys.done();
});

test("asks again after a sleep, and after the clock was set", () => {
  const sys = fakeSystem([asked(5000), asked(65_100), asked(65_200)]);
  let [wall, monotonic] = [1_000_000, 100];
  const clock = brokerClock(
    sys,
    () => wall,
    () => monotonic,
  );
  expect(clock.boot_ms()).toBe(5000);
  [wall, monotonic] = [wall + 60_100, 200]; // a minute's sleep
  expect(clock.boot_ms()).toBe(65_100);
  [wall, monotonic] = [5, 300]; // set back
  expect(clock.boot_ms()).toBe(65_200);
  sys.done();
});

test("agrees with the kernel", () => {
  const sys = linuxSystem();
  const clock = brokerClock(sys);
  clock.boot_ms();
  const [before, now, after] = [sys.clock.nowMs("boottime"), clock.boot_ms(), sys.clock.nowMs("boottime")];
  expect(now).toBeGreaterThan(before - 5);
  expect(now).toBeLessThan(after + 5);
});
