/** The boot clock before and after the kernel's own reading is had. */

import { expect, test } from "bun:test";
import { BootClock } from "./clock.ts";

test("it begins with /proc/uptime, and what is known to be past makes it go forward, never back", () => {
  let counter = 500;
  const clock = new BootClock(() => counter, "25597.39 40000.00\n");
  expect(clock.now()).toBe(25_597_390);
  counter += 0.25;
  clock.refine(25_597_391.5);
  expect(clock.now()).toBe(25_597_391.5);
  counter += 1;
  clock.refine(25_597_380);
  expect(clock.now()).toBe(25_597_392.5);
});
