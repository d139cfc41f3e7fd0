import { expect, test } from "bun:test";
import { Limits } from "./limits.ts";

const call = { tool: "fs.read", concurrency_max: 2, changes: false, cost_usd: 0 };
const release = (taken: ReturnType<Limits["take"]>): void => {
  if ("release" in taken) taken.release();
};

test("a burst, then the rate", () => {
  let now = 0;
  const limits = new Limits(() => now);
  const make = (): boolean => {
    const taken = limits.take("tier:tactical", call);
    release(taken);
    return "release" in taken;
  };
  let made = 0;
  while (make()) made += 1;
  expect(made).toBe(100);
  now += 1000;
  made = 0;
  while (make()) made += 1;
  expect(made).toBe(20);
  expect("release" in limits.take("tier:operational", call)).toBe(true); // others have their own
});

test("what agents ask for counts for their owner, however many they are", () => {
  const limits = new Limits(() => 0);
  let made = 0;
  for (; ; made += 1) {
    const taken = limits.take(`agent:helper-${made}`, call, "tier:tactical");
    if ("refusal" in taken) {
      expect(taken.refusal).toStartWith("tier:tactical has made 100 calls at once");
      break;
    }
    taken.release();
  }
  expect(made).toBe(100);
  expect(limits.used("agent:helper-1", "tier:tactical").calls_last_hour).toBe(100);
  expect(limits.used("agent:helper-1").calls_last_hour).toBe(1);
});

test("calls of a tool at once, whoever makes them", () => {
  const limits = new Limits(() => 0);
  const first = limits.take("tier:tactical", call);
  limits.take("person:operator", call);
  const third = limits.take("tier:strategic", call);
  expect(third).toEqual({ refusal: "calls of fs.read in work: 2, the most there may be; wait for their answers" });
  release(first);
  release(first); // twice is once
  expect("release" in limits.take("tier:strategic", call)).toBe(true);
  expect("release" in limits.take("tier:strategic", call)).toBe(false);
});

test("changes an hour, and what policies see of the last hour and day", () => {
  let now = 0;
  const limits = new Limits(() => now);
  const change = { ...call, changes: true, cost_usd: 0.5 };
  for (let made = 0; made < 600; made += 1) {
    now += 100;
    release(limits.take("tier:strategic", change));
  }
  expect(limits.take("tier:strategic", change)).toMatchObject({ refusal: expect.stringContaining("600 times") });
  expect(limits.used("tier:strategic")).toEqual({ calls_last_hour: 600, cost_today_usd: 300 });
  now += 3_600_000;
  expect(limits.used("tier:strategic").calls_last_hour).toBe(0);
  expect(limits.used("tier:strategic").cost_today_usd).toBe(300);
  expect("release" in limits.take("tier:strategic", change)).toBe(true);
  now += 24 * 3_600_000;
  expect(limits.used("tier:strategic").cost_today_usd).toBe(0);
});
