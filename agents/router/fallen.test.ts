import { expect, test } from "bun:test";
import type { Try } from "../../contracts/learning.ts";
import { fallen } from "./fallen.ts";

function tried(time_ms: number, classifier: number, helped: boolean): Try {
  return {
    ...{ time_ms, alarm: "a", subject: "s", tier: "tactical", rule: "playbook a", confidence: null },
    ...{ signals: { neighbours: 0.6, classifier }, helped },
  };
}
const many = (count: number, classifier: number, helped: (at: number) => boolean): Try[] =>
  Array.from({ length: count }, (_, at) => tried(at, classifier, helped(at)));

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
  // what was before it was switched on does not speak against it
  expect(
    fallen(
      many(40, 0.9, () => false),
      30,
    ),
  ).toBeNull();
});
