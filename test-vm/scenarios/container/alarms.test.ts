/** What the system notices by itself: nothing where all is well, and a service that keeps ending until it is put right. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Container, startContainer } from "../../container.ts";
import { testPrograms } from "../../fixtures/programs.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { decisionWhere, eventWhere, serviceStatus } from "../expect.ts";
import { without_models } from "../without-models.ts";

let container: Container;
let aiosctl: Aiosctl;
beforeAll(async () => {
  container = await startContainer({ config: without_models, data: newFolder("data"), programs: await testPrograms() });
  await container.ready("all");
  aiosctl = new Aiosctl(container.console_socket);
}, 60_000);
afterAll(() => container?.kill());

test("a service that keeps ending is an alarm; started anew by the playbook it runs, and the alarm is cleared", async () => {
  await aiosctl.done("service.define", { name: "broken", argv: ["/mnt/notify"], ready: "notify" });
  await waitFor(
    "PID 1 to hold it back",
    async () => {
      const { state, pid } = await serviceStatus(container.console, "broken");
      if (state === "ready" && pid !== null) process.kill(container.hostPid(pid), "SIGKILL");
      return state === "crash-loop" ? true : null;
    },
    { limit_ms: 60_000, every_ms: 50 },
  );
  const raised = await eventWhere(
    container.console,
    "alarm.changed",
    ({ facts }) => facts.alarm === "service-crash-loop" && facts.subject === "broken",
    { limit_ms: 120_000, every_ms: 500 },
  );
  expect(raised).toMatchObject({ severity: "critical", source: "reactive", facts: { raised: true, value: 1, limit: 1 } });
  const says = async (): Promise<string> => (await serviceStatus(container.console, "reactive")).health?.detail ?? "";
  await waitFor("reactive to say so", async () => ((await says()).includes("alarm service-crash-loop of broken") ? true : null), {
    limit_ms: 20_000,
  });
  const decision = await decisionWhere(container.console, "about it", ({ trigger }) => trigger.id === raised.id, {
    limit_ms: 240_000,
    every_ms: 500,
  });
  expect(decision).toMatchObject({ tier: "tactical", rule: "playbook service-restart", outcome: { result: "done" } });
  expect((await serviceStatus(container.console, "broken")).state).toBe("ready");
  await eventWhere(
    container.console,
    "alarm.changed",
    ({ facts }) => facts.alarm === "service-crash-loop" && facts.subject === "broken" && !facts.raised,
    { limit_ms: 30_000, every_ms: 500 },
  );
}, 400_000);

test("the patrol sees: its questions are on record as reactive's, and no sensor is blind", async () => {
  const asked = ["net.interfaces", "process.list", "sec.scan", "sec.secret_list"];
  await waitFor(
    "the patrol's first round",
    async () => {
      const { out } = await aiosctl.run("audit", "--principal", "tier:reactive", "--lines", "500");
      return asked.every((tool) => out.includes(tool)) ? out : null;
    },
    { limit_ms: 90_000, every_ms: 1000 },
  );
  // Health is as old as its last heartbeat, which may be from before the alarm of the test above was cleared
  const health = await waitFor(
    "reactive to say that no alarm is left",
    async () => {
      const said = (await serviceStatus(container.console, "reactive")).health;
      return said?.facts["alarms"] === 0 ? said : null;
    },
    { limit_ms: 30_000 },
  );
  expect(health).toMatchObject({ status: "ok" });
  expect(health.detail).not.toContain("blind");
}, 120_000);
