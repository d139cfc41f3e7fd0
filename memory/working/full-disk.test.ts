import { expect, test } from "bun:test";
import { Keeper } from "../keeper.ts";
import { operationalHandlers } from "../operational/handlers.ts";
import { Recent } from "../operational/recent.ts";
import { testClock } from "../testing/clock.ts";
import { diskFolder } from "../testing/folder.ts";
import { workingHandlers } from "./handlers.ts";

test("a full disk: nothing is changed and that is said, figures go on in RAM, and all works again when there is room", async () => {
  const keeper = new Keeper(diskFolder("working-full"));
  const clock = testClock(5000);
  const recent = new Recent(clock);
  const work = workingHandlers(keeper, clock, "console");
  const { "metrics.append": measure } = operationalHandlers(keeper, recent, clock);
  const begin = async (text: string) =>
    await work["work.change"]({ why: "asked", changes: [{ do: "goal", body: { text, keep: false, check: null, taint: [] } }] });
  await begin("the first");
  keeper.limitPages(1);
  const refused = await Promise.resolve()
    .then(async () => {
      for (let n = 0; n < 2000; n += 1) await begin(`goal ${n} ${"x".repeat(1900)}`);
    })
    .catch((error: unknown) => error);
  expect(refused).toMatchObject({ message: expect.stringContaining("changing working memory failed, and nothing was changed:") });
  expect(keeper.degradation).toContain("free or enlarge the data partition");
  const values = Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`figure.${n}`, n]));
  const durable: boolean[] = [];
  for (let n = 0; n < 60; n += 1) durable.push((await measure({ samples: [{ boot_ms: 5000 - 60 + n, values }] })).durable);
  expect(durable).toContain(false);
  expect(recent.metric("figure.7", "1m")).toHaveLength(60);
  keeper.limitPages(100_000);
  await begin("there is room again");
  const { items } = await work["work.list"]({ limit: 100 });
  expect(items.map((item) => "text" in item.body && item.body.text)[0]).toBe("there is room again");
  expect(keeper.degradation).toBeNull();
  keeper.close();
});
