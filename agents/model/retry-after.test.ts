import { expect, test } from "bun:test";
import { retryAfterMs } from "./retry-after.ts";

const now_ms = Date.parse("2026-11-28T12:00:00Z");
const of = (headers: Record<string, string>): number | null => retryAfterMs(new Headers(headers), now_ms);

test("seconds, milliseconds, a date; nothing and nonsense", () => {
  expect(of({})).toBeNull();
  expect(of({ "retry-after": "7" })).toBe(7000);
  expect(of({ "retry-after": "0.25" })).toBe(250);
  expect(of({ "retry-after": "7", "retry-after-ms": "30" })).toBe(30);
  expect(of({ "retry-after": "Sat, 28 Nov 2026 12:00:30 GMT" })).toBe(30_000);
  for (const odd of ["soon", "-5", "1e9", "", "7s", "NaN"]) expect(of({ "retry-after": odd })).toBeNull();
});

test("a date counts from the provider's clock where it tells it, for ours may be wrong", () => {
  const headers = { "retry-after": "Mon, 01 Jan 2024 00:01:00 GMT", date: "Mon, 01 Jan 2024 00:00:00 GMT" };
  expect(of(headers)).toBe(60_000);
});

test("what is past is now; more than a day is not believed", () => {
  expect(of({ "retry-after": "Fri, 27 Nov 2026 12:00:00 GMT" })).toBe(0);
  expect(of({ "retry-after": "999999999999" })).toBe(86_400_000);
});
