import { expect, test } from "bun:test";
import { RetentionRule, Tombstone } from "../../../contracts/memory/retention.ts";
import { noPaint } from "../text/style.ts";
import { retentionView } from "./memory-retention.ts";

const view = { paint: noPaint, width: undefined };
const day_ms = 86_400_000;
const rule = RetentionRule.parse({
  ...{ id: 3, filter: { older_than_days: 365, kinds: ["event"], sources: ["init"], severity_max: "notice" }, cutoff_ms: 0 },
  ...{
    set_ms: day_ms,
    set_by: "person:anna",
    reason: "the law\u001b[2J says so",
    ended_ms: 2 * day_ms,
    ended_by: "person:bob",
    deleted: 200,
  },
});
const tombstone = Tombstone.parse({
  ...{ id: 1, rule: 3, deleted_ms: day_ms, memories: 200, first_seq: 1, last_seq: 400, oldest_ms: 0, newest_ms: day_ms },
  sha256: "0".repeat(64),
});

test("without a rule it says that nothing is deleted", () => {
  expect(retentionView([], [], view)).toEqual(["no rule was ever set: nothing is deleted"]);
});

test("rules in words, and what was deleted by them", () => {
  const shown = retentionView([rule], [tombstone], view).join("\n");
  expect(shown).toContain("rule 3  older than 365 days, event, by init, at most notice  ended 1970-01-03");
  expect(shown).toContain("200 deleted; set 1970-01-02 by person:anna");
  expect(shown).toMatch(/1970-01-02 +3 +200 +1970-01-01 to 1970-01-02/);
  expect(shown).not.toContain("\u001b[2J");
});
