import { expect, test } from "bun:test";
import { Cutoff } from "./cutoff.ts";

const hour_ms = 3_600_000;
const day_ms = 24 * hour_ms;
const year_ms = 365 * day_ms;

function world() {
  const at = { wall: 2e12, boot: 5000 };
  let kept: number | undefined;
  let writes = 0;
  const store = {
    get: () => kept,
    put: (ms: number) => {
      kept = ms;
      writes += 1;
    },
  };
  return {
    at,
    writes: () => writes,
    open: () => new Cutoff({ now_ms: () => at.wall, boot_ms: () => at.boot }, 30 * day_ms, store),
    pass(ms: number) {
      at.wall += ms;
      at.boot += ms;
    },
  };
}

test("it follows the clock as time passes", () => {
  const { at, open, pass, writes } = world();
  const cutoff = open();
  expect(cutoff.move()).toBe(at.wall - 30 * day_ms);
  pass(10_000);
  expect(cutoff.move()).toBe(at.wall - 30 * day_ms);
  expect(writes()).toBe(1);
  pass(day_ms);
  expect(cutoff.move()).toBe(at.wall - 30 * day_ms);
  expect(writes()).toBe(2);
});

test("a clock that jumps a year ahead moves it by twice the time that passed, also over a restart; one that comes back takes it along", () => {
  const { at, open, pass } = world();
  const right_ms = at.wall - 30 * day_ms;
  open().move();
  at.wall += year_ms;
  const cutoff = open();
  pass(hour_ms);
  expect(cutoff.move()).toBe(right_ms + 2 * hour_ms);
  at.wall -= year_ms;
  expect(cutoff.move()).toBe(right_ms + hour_ms);
  at.wall -= year_ms;
  expect(cutoff.move()).toBe(right_ms + hour_ms - year_ms);
});
