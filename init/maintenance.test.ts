import { expect, test } from "bun:test";
import { Maintenance, type MaintenancePorts } from "./maintenance.ts";

function rig(changes: Partial<MaintenancePorts> = {}) {
  const said: string[] = [];
  const maintenance = new Maintenance({
    say: (line) => said.push(line),
    tell: (detail) => said.push(`told ${detail}`),
    keepConsole: () => said.push("console kept"),
    bareConsole: () => new Promise(() => said.push("bare console")),
    ...changes,
  });
  return { maintenance, said };
}

test("says what happened, tells it, and keeps the console", () => {
  const { maintenance, said } = rig();
  expect(maintenance.detail).toBeNull();
  maintenance.enter("work", new Error("broke"));
  expect(maintenance.detail).toContain("work failed: broke");
  expect(said[0]).toContain("aios: maintenance: work failed: broke");
  expect(said.slice(1).map((line) => line.slice(0, 12))).toEqual(["told work fa", "console kept"]);
});

test("when supervision itself is broken, the console runs without it", async () => {
  const fail = (): never => {
    throw new Error("supervision broke");
  };
  const { maintenance, said } = rig({ tell: fail, keepConsole: fail });
  maintenance.enter("work", new Error("broke"));
  maintenance.enter("work", new Error("again"));
  await Bun.sleep(1);
  expect(said.filter((line) => line === "bare console").length).toBe(1);
  expect(said.join()).toContain("supervision does not work: supervision broke");
});

test("an exception with each turn of the loop does not flood", () => {
  const { maintenance, said } = rig();
  for (let n = 0; n < 1000; n += 1) maintenance.enter("work", "x");
  expect(said.length).toBe(60);
  expect(maintenance.count).toBe(1000);
});
