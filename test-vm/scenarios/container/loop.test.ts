/** The system puts right what is wrong with it: an alarm becomes an incident, a known playbook is tried, and what came of it is on record. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { decisionWhere, eventWhere } from "../expect.ts";

const mib = 1024 * 1024;
const data = newFolder("data");
let container: Container;
let aiosctl: Aiosctl;

beforeAll(async () => {
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=256m,mode=0755", "tmpfs", data]);
  if (mounted.exitCode !== 0) throw new Error(`mounting a small disk failed: ${mounted.stderr}`);
  container = await startContainer({ data, config: "sensors: { pace: 10 }\n" });
  await container.ready("all");
  aiosctl = new Aiosctl(container.console_socket);
}, 60_000);
afterAll(async () => {
  await container?.kill();
  Bun.spawnSync(["umount", "--lazy", data]);
});

test("a disk that fills is cleaned, by the playbook that helps; the chain from event to lesson is on record", async () => {
  mkdirSync(join(data, "cache"), { recursive: true });
  writeFileSync(join(data, "cache/downloads"), Buffer.alloc(236 * mib, 1));
  const cause = "the cache was written a moment ago, so that the first playbook, which spares what is new, does not help";
  const alarm = await eventWhere(container.console, "alarm.changed", ({ facts }) => facts.alarm === "disk-full" && facts.raised, {
    limit_ms: 90_000,
    every_ms: 500,
  });
  const first = await decisionWhere(container.console, `about it (${cause})`, ({ rule }) => rule === "playbook disk-full", {
    limit_ms: 180_000,
    every_ms: 500,
  });
  expect(first).toMatchObject({ tier: "tactical", trigger: { id: alarm.id }, outcome: { result: "failed" } });
  const second = await decisionWhere(container.console, "of the second try", ({ rule }) => rule === "playbook disk-full-at-once", {
    limit_ms: 120_000,
    every_ms: 500,
  });
  expect(second).toMatchObject({ trigger: { id: alarm.id }, outcome: { result: "done", detail: "the alarm was cleared" } });
  await eventWhere(container.console, "alarm.changed", ({ facts }) => facts.alarm === "disk-full" && !facts.raised);
  const lessons = await waitFor(
    "the lesson",
    async () => {
      const { structuredContent } = await aiosctl.call("memory.search", { query: "disk-full playbook helped", kinds: ["lesson"] });
      const text = JSON.stringify(structuredContent);
      return text.includes("playbook disk-full-at-once (sys.clean) helped") ? text : null;
    },
    { limit_ms: 30_000, every_ms: 500 },
  );
  expect(lessons).toContain("playbook disk-full (sys.clean, sys.rotate) did not help");
  const { out } = await aiosctl.run("why", second.id);
  for (const said of [alarm.id, "playbook disk-full-at-once", "sys.clean"]) expect(out).toContain(said);
}, 420_000);
