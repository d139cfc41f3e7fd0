import { expect, test } from "bun:test";
import { Breaker } from "./breaker.ts";

function scripted() {
  const time = { ms: 0 };
  const breaker = new Breaker({ clock: () => time.ms, failures_max: 3, open_ms: 1000, open_ms_max: 5000 });
  const fail = (wait_ms: number | null = null): void => breaker.admit()?.end("failed", wait_ms);
  return { time, breaker, fail };
}

test("it opens after so many failures in a row, and a success in between starts the count anew", () => {
  const { breaker, fail } = scripted();
  fail();
  fail();
  breaker.admit()?.end("succeeded");
  fail();
  fail();
  expect(breaker.state).toBe("closed");
  fail();
  expect(breaker.state).toBe("open");
  expect(breaker.admit()).toBeNull();
  expect(breaker.wait_ms).toBe(1000);
});

test("one probe passes when the time is over; it decides, and the time doubles up to the most", () => {
  const { time, breaker, fail } = scripted();
  for (let n = 0; n < 3; n += 1) fail();
  const waits: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    waits.push(breaker.wait_ms);
    time.ms += breaker.wait_ms;
    expect(breaker.state).toBe("half-open");
    const probe = breaker.admit();
    expect(breaker.admit()).toBeNull();
    probe?.end("failed");
    expect(breaker.state).toBe("open");
  }
  expect(waits).toEqual([1000, 2000, 4000, 5000, 5000]);
  time.ms += 5000;
  breaker.admit()?.end("succeeded");
  expect(breaker.state).toBe("closed");
  for (let n = 0; n < 3; n += 1) fail();
  expect(breaker.wait_ms).toBe(1000);
});

test("a probe that was called off says nothing: the next one is a probe again", () => {
  const { time, breaker, fail } = scripted();
  for (let n = 0; n < 3; n += 1) fail();
  time.ms = 1000;
  breaker.admit()?.end("neither");
  expect(breaker.state).toBe("half-open");
  expect(breaker.admit()).not.toBeNull();
});

test("what only a person can mend opens it at once and for long; what the provider asks for counts when it is longer", () => {
  const one = scripted();
  one.breaker.admit()?.end("hopeless");
  expect(one.breaker.wait_ms).toBe(5000);
  const other = scripted();
  for (let n = 0; n < 3; n += 1) other.fail(60_000);
  expect(other.breaker.wait_ms).toBe(60_000);
});

test("the end of one that was admitted counts once", () => {
  const { breaker } = scripted();
  const permit = breaker.admit();
  for (let n = 0; n < 5; n += 1) permit?.end("failed");
  expect(breaker.state).toBe("closed");
});
