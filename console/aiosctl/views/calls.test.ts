import { expect, test } from "bun:test";
import { outcome } from "../../testing/broker-records.ts";
import { noPaint } from "../text/style.ts";
import { outcomeLine } from "./calls.ts";

test("a call that found nothing to change says so", () => {
  const view = { paint: noPaint, width: 80 };
  expect(outcomeLine({ ...outcome, tool: "sys.clean", text: "sys.clean: done", unchanged: true }, view)).toContain("nothing to change");
  expect(outcomeLine(outcome, view)).not.toContain("nothing to change");
});
