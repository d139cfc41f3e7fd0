import { expect, test } from "bun:test";
import type { CallOutcome } from "../../contracts/tool.ts";
import { auditIn, entryOf, newFolder } from "../audit/testing/records.ts";
import { Registry } from "../registry.ts";
import { Recovery } from "./recovery.ts";

test("begun on a full disk it waits, says why, and is done when there is room; nothing is recorded twice", async () => {
  const audit = auditIn(newFolder());
  await audit.append(entryOf(1, "intent"));
  await audit.append(entryOf(2, "intent"));
  audit.limitPages(1);
  let full = false;
  for (let n = 10; !full; n += 1)
    full = await audit.append(entryOf(n)).then(
      () => false,
      () => true,
    );
  const outcomes: CallOutcome[] = [];
  const recovery = new Recovery({
    ports: {
      audit,
      registry: new Registry([]),
      contextOf: () => {
        throw new Error("no tool is asked");
      },
    },
    onRecovered: async (outcome) => void outcomes.push(outcome),
    log: () => {},
  });
  expect(await recovery.begin()).toEqual([]);
  expect(recovery.wanting).toContain("free or enlarge the data partition");
  audit.limitPages(1_000_000);
  while (recovery.wanting !== null) await Bun.sleep(20);
  expect(outcomes.map(({ call, status }) => [call, status])).toEqual([1, 2].map((n) => [entryOf(n).call ?? "", "uncertain"]));
  expect(audit.unfinished().size).toBe(0);
  expect((await audit.verify()).whole).toBe(true);
  recovery.stop();
  await audit.close();
}, 600_000);
