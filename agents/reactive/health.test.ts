import { expect, test } from "bun:test";
import { reactiveHealth } from "./main.ts";

test("what sensors remark is in the health without making it worse; what one does not see does", () => {
  const well = { rules: 13, learned: 0, refused: [], blind: [], remarks: ["no advisories are there"], standing: ["disk-full of data"] };
  const more = { decisions: 2, ledger: { waiting: 0, dropped: 0 }, memory_away: false };
  expect(reactiveHealth({ ...well, ...more })).toMatchObject({
    status: "ok",
    detail: "13 rules, 0 from playbooks, 2 decisions; alarm disk-full of data; no advisories are there",
  });
  expect(reactiveHealth({ ...well, ...more, blind: ["the disk sensor is blind"] })).toMatchObject({
    status: "degraded",
    detail: expect.stringMatching(/^the disk sensor is blind; .*; no advisories are there$/),
  });
});
