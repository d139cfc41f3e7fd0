import { expect, test } from "bun:test";
import { levelOf, severityOf } from "./level.ts";

test.each([
  ["[error] 12#0: open() failed", undefined, "error"],
  ["2026/11/28 11:00:00 [warn] 7: a buffered body", undefined, "warning"],
  ["FATAL the database is gone", undefined, "critical"],
  ["app: WARNING disk nearly full", undefined, "warning"],
  ["fatal: could not read", undefined, "critical"],
  ["ts=1 level=warn msg=slow", undefined, "warning"],
  ["no error was found", undefined, "debug"],
  ["error while loading is what a word in a sentence looks like", undefined, "debug"],
  ["Terror: a film", undefined, "debug"],
  ["GET /ERRORS 200", undefined, "debug"],
  ["a plain line", "notice", "notice"],
  ["INFO all is well", "critical", "critical"],
  ["[error] that PID 1 calls a notice", "notice", "error"],
] as const)("%s", (text, known, level) => {
  expect(severityOf(levelOf(text, known))).toBe(level);
});
