import { expect, test } from "bun:test";
import { outcome, result } from "../../testing/broker-records.ts";
import { noPaint } from "../text/style.ts";
import { callView, outcomeLine } from "./calls.ts";

test("a call that found nothing to change says so", () => {
  const view = { paint: noPaint, width: 80 };
  expect(outcomeLine({ ...outcome, tool: "sys.clean", text: "sys.clean: done", unchanged: true }, view)).toContain("nothing to change");
  expect(outcomeLine(outcome, view)).not.toContain("nothing to change");
});

test("what was measured has six digits for people, and times and whole numbers have all of theirs", () => {
  const content = {
    tokens_s: 45.234567890123,
    tiny: 0.00012345678,
    big: 1_234_567.8,
    measured_ms: 1_796_043_696_679.25,
    files: 1234567890,
  };
  const text = callView({ ...result, structuredContent: content }, { paint: noPaint, width: 80 }).join("\n");
  for (const part of [
    "tokens_s: 45.2346\n",
    "tiny: 0.000123457\n",
    "big: 1234568\n",
    "measured_ms: 1796043696679  2026-11-30",
    "files: 1234567890",
  ])
    expect(text).toContain(part);
});
