/** What is told and acted upon by nobody: nothing in a quiet system, and a warning of a kind that a log never had. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Container, startContainer } from "../../container.ts";
import { patientProgram } from "../../faults/programs.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { allReady, eventWhere } from "../expect.ts";

const notices = ["log-novel", "log-burst", "budget-nearly-used", "provider-failing", "model-not-as-chosen", "model-late", "model-wrong"];
const pace = 60;
/** In a log that is known for a shorter time everything is new (agents/sensors/patrol/log-templates.ts). */
const log_known_ms = 1_800_000 / pace;
const data = newFolder("data");
let container: Container;
let aiosctl: Aiosctl;
beforeAll(async () => {
  const config = `network: { default: none }\nsensors: { pace: ${pace} }\n`;
  container = await startContainer({ data, config, programs: await patientProgram() });
  await container.ready("all");
  await allReady(container.console);
  aiosctl = new Aiosctl(container.console_socket);
}, 300_000);
afterAll(() => container?.kill());

const order = (what: string): void => writeFileSync(join(data, "services/web/do"), `${what}\n`);
const raised = async (): Promise<string[]> =>
  (await container.console.list("events", { query: { kind: "alarm.changed", lines: "1000" } })).flatMap((event) =>
    event.kind === "alarm.changed" && notices.includes(event.facts.alarm) ? [`${event.facts.alarm} of ${event.facts.subject}`] : [],
  );

test("start-up and a service that runs raise none; then an error of a new kind is told by number, and is nobody's work", async () => {
  await aiosctl.done("service.define", { name: "web", argv: ["/mnt/patient", "/var/lib/aios/services/web"], ready: "notify" });
  order("login 1");
  const begun_ms = await waitFor(
    "the first line to be mined",
    async () => {
      const { structuredContent } = await aiosctl.done("memory.templates", { source: "web", limit: 1 });
      return structuredContent?.["total"] === 0 ? null : Date.now();
    },
    { limit_ms: 60_000, every_ms: 500 },
  );
  await waitFor("the log to be known for long enough", async () => (Date.now() - begun_ms > log_known_ms * 1.5 ? true : null), {
    limit_ms: log_known_ms * 3,
  });
  const { out } = await aiosctl.run("audit", "--principal", "tier:reactive", "--lines", "500");
  expect(out).toContain("memory.templates");
  expect(await raised()).toEqual([]);
  order("say 1");
  const event = await eventWhere(container.console, "alarm.changed", ({ facts }) => facts.alarm === "log-novel" && facts.raised, {
    limit_ms: 120_000,
    every_ms: 200,
  });
  expect(event).toMatchObject({ severity: "notice", source: "reactive", untrusted: "number=0" });
  expect(event.facts.subject).toMatch(/^template-[0-9]+$/);
  expect(event.facts.detail).toContain("of the log of web, error");
  expect(JSON.stringify(event)).not.toMatch(/order|delivered/);
  const { structuredContent } = await aiosctl.done("memory.incidents", {});
  expect(JSON.stringify(structuredContent?.["incidents"] ?? null)).not.toContain("log-novel");
}, 400_000);
