import { expect, test } from "bun:test";
import { Deadlines } from "./deadlines.ts";

const hour_ms = 3_600_000;
const year_ms = 365 * 24 * hour_ms;

function clocks() {
  const at = { wall: 1e12, boot: 5000 };
  return {
    at,
    clock: { now_ms: () => at.wall, boot_ms: () => at.boot },
    pass(ms: number) {
      at.wall += ms;
      at.boot += ms;
    },
  };
}

test("a wall clock that is set a year back or ahead makes a deadline neither later nor earlier", () => {
  for (const by_ms of [-year_ms, year_ms]) {
    const { at, clock, pass } = clocks();
    const deadlines = new Deadlines(clock, hour_ms);
    const deadline_ms = at.wall + 60_000;
    expect(deadlines.left("a", deadline_ms)).toBe(60_000);
    pass(10_000);
    at.wall += by_ms;
    expect(deadlines.left("a", deadline_ms)).toBe(50_000);
    pass(60_000);
    expect(deadlines.left("a", deadline_ms)).toBe(0);
  }
});

test("one from before this start is what the wall clock leaves of it, within reason", () => {
  const { at, clock } = clocks();
  const deadlines = new Deadlines(clock, hour_ms);
  expect([
    deadlines.left("soon", at.wall + 5000),
    deadlines.left("past", at.wall - 5000),
    deadlines.left("far", at.wall + year_ms),
  ]).toEqual([5000, 0, hour_ms]);
  deadlines.forget("soon");
  expect(deadlines.left("soon", at.wall + 7000)).toBe(7000);
});
