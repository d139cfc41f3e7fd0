/** Services, programs and tasks that the broker makes: with the real PID 1, in real sandboxes, and over a reboot. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { CallResult } from "../../../contracts/tool.ts";
import { type Container, startContainer } from "../../container.ts";
import { testPrograms } from "../../fixtures/programs.ts";
import { processStatus } from "../../host-processes.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { serviceStatus } from "../expect.ts";
import { without_models } from "../without-models.ts";

const Program = z.object({ running: z.boolean(), status: z.number().nullable(), stdout: z.string(), stderr: z.string() });
const Processes = z.array(z.object({ pid: z.number(), service: z.string().nullable(), core: z.boolean() }));

const data = newFolder("data");
let container: Container;

async function boot(): Promise<void> {
  container = await startContainer({ config: without_models, data, programs: await testPrograms() });
  await container.ready("all");
  await waitFor("the console to reach the broker", async () => (await container.console.call("tools")).length > 0, {
    limit_ms: 120_000,
  });
}
beforeAll(boot, 300_000);
afterAll(() => container?.kill());

async function call(name: string, args: Record<string, unknown>): Promise<CallResult> {
  const body = JSON.stringify({ name, arguments: args, _meta: { reason: { text: "the scenario" } } });
  const response = await fetch("http://console/v1/calls", {
    method: "POST",
    body,
    unix: container.console_socket,
    headers: { "content-type": "application/json" },
  });
  return CallResult.parse(await response.json());
}

async function done(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const result = await call(name, args);
  if (result._meta.status !== "done") throw new Error(`${name} ended as ${result._meta.status}: ${result._meta.text}`);
  return result.structuredContent ?? {};
}

/** Says READY=1 and WATCHDOG=1 by sd_notify(3); with a number it ends with that status. */
const program = "/mnt/notify";
const web = { name: "web", argv: [program], ready: "notify", heartbeat_ms: 5000 };

test("a service that was defined runs in its sandbox, under its own uid", async () => {
  const answer = await done("service.define", web);
  expect(answer).toMatchObject({ uid: 20_000, created: true, status: { state: "ready" } });
  const status = await serviceStatus(container.console, "web");
  const inside = processStatus(container.hostPid(status.pid ?? 0));
  expect(inside?.get("Uid")?.split(/\s+/)).toEqual(Array(4).fill("20000"));
  for (const set of ["CapEff", "CapBnd"]) expect(inside?.get(set), set).toBe("0000000000000000");
  expect([inside?.get("NoNewPrivs"), inside?.get("Seccomp")]).toEqual(["1", "2"]);
  expect(statSync(join(data, "services/web")).uid).toBe(20_000);
});

test("killed, it is started again like the rest", async () => {
  const before = await serviceStatus(container.console, "web");
  process.kill(container.hostPid(before.pid ?? 0), "SIGKILL");
  await waitFor(
    "the restart",
    async () => {
      const now = await serviceStatus(container.console, "web");
      return now.state === "ready" && now.restarts > before.restarts;
    },
    { limit_ms: 120_000 },
  );
});

test("one that does not stay up is refused and leaves nothing", async () => {
  const result = await call("service.define", { name: "bad", argv: [program, "7"] });
  expect(result._meta).toMatchObject({ status: "undone", text: expect.stringContaining('starting the service "bad" failed') });
  expect((await container.console.call("services")).find(({ name }) => name === "bad")).toBeUndefined();
});

test("a program runs in its sandbox, and how one in the background ended is known by its handle", async () => {
  const answer = await done("process.spawn", { argv: ["/usr/sbin/blkid", "-v"] });
  expect(answer).toMatchObject({ status: 0, signal: null });
  expect(`${answer["stdout"]}${answer["stderr"]}`).toContain("blkid from util-linux");
  const { handle } = await done("process.spawn", { argv: [program], background: true }); // with nobody to notify it ends with 9
  const ended = await waitFor(
    "its end",
    async () => {
      const found = Program.parse((await done("process.info", { process: handle }))["program"]);
      return found.running ? null : found;
    },
    { limit_ms: 120_000 },
  );
  expect(ended).toMatchObject({ status: 9, stdout: "a line on stdout\n", stderr: expect.stringContaining("a line on stderr") });
});

test("PID 1 and the services are core, and named", async () => {
  const { processes } = await done("process.list", { sort: "pid", limit: 100 });
  const list = Processes.parse(processes);
  expect(list[0]).toMatchObject({ pid: 1, service: "init", core: true });
  expect(list.find(({ service }) => service === "memory")?.core).toBe(true);
  expect(list.find(({ service }) => service === "web")?.core).toBe(false);
});

test("after a reboot it is still there and runs; a task is too, and what was disabled is not started", async () => {
  await done("service.define", { ...web, name: "off" });
  await done("service.disable", { name: "off" });
  await done("task.schedule", { name: "nightly", tool: "process.list", arguments: {}, reason: "to see", schedule: { cron: "30 2 * * *" } });
  await container.poweroff();
  await boot();
  await waitFor("the service", async () => (await serviceStatus(container.console, "web")).state === "ready", { limit_ms: 120_000 });
  expect(await done("service.status", { name: "web" })).toMatchObject({ uid: 20_000, definition: { argv: web.argv } });
  expect((await serviceStatus(container.console, "off")).state).toBe("stopped");
  expect(await done("task.list", {})).toMatchObject({ total: 1, tasks: [{ name: "nightly" }] });
}, 300_000);

test("removed, it is gone, and its folder stays", async () => {
  await done("service.remove", { name: "web" });
  expect((await container.console.call("services")).find(({ name }) => name === "web")).toBeUndefined();
  expect(existsSync(join(data, "services/web"))).toBe(true);
});
