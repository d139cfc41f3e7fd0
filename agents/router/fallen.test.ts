import { expect, test } from "bun:test";
import type { Decision } from "../../contracts/decision.ts";
import { fallen } from "./fallen.ts";

function decided(at: number, classifier: number, worked: boolean): Decision {
  return {
    ...{ id: `0badcafe-d-tactical-${at}`, time_ms: at, boot_ms: 0, tier: "tactical", rule: "playbook a", based_on: [], reason: "" },
    trigger: { id: "0badcafe-init-1", time_ms: 0, boot_ms: 0, source: "init", severity: "info", kind: "clock.step", facts: { by_ms: 1 } },
    ...{ action: { do: "log" }, took_us: 1, signals: { neighbours: 0.6, classifier } },
    outcome: { result: worked ? "done" : "failed", detail: "", after_ms: null },
  };
}
const many = (count: number, classifier: number, worked: (at: number) => boolean): Decision[] =>
  Array.from({ length: count }, (_, at) => decided(at, classifier, worked(at)));

test("it has fallen when what it says comes otherwise, and not before that is sure", () => {
  expect(
    fallen(
      many(40, 0.9, (at) => at % 4 === 0),
      0,
    ),
  ).toContain("on 40 outcomes");
  expect(
    fallen(
      many(40, 0.9, (at) => at % 10 !== 0),
      0,
    ),
  ).toBeNull();
  expect(
    fallen(
      many(19, 0.9, () => false),
      0,
    ),
  ).toBeNull();
  const overridden = many(40, 0.9, (at) => at % 4 === 0).map(
    (one): Decision => (one.outcome.result === "failed" ? { ...one, outcome: { ...one.outcome, result: "overridden" } } : one),
  );
  expect(fallen(overridden, 0)).toContain("on 40 outcomes");
  // what was before it was switched on does not speak against it
  expect(
    fallen(
      many(40, 0.9, () => false),
      30,
    ),
  ).toBeNull();
});
