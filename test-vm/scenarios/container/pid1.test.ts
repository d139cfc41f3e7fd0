/** The real PID 1 in real namespaces, with faults injected into it. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventKind, EventOf } from "../../../contracts/event.ts";
import type { ServiceStatus } from "../../../contracts/service.ts";
import { type Container, type ContainerOptions, startContainer } from "../../container.ts";
import { waitFor } from "../../wait.ts";
import { without_models } from "../without-models.ts";
import { missing, type TestRoot, testRoot } from "./test-root.ts";

let root: TestRoot;
let container: Container | null = null;
const folders: string[] = [];

async function start(options: ContainerOptions & { fault?: string } = {}): Promise<Container> {
  const data = mkdtempSync(join(tmpdir(), "pid1-data-"));
  chmodSync(data, 0o755);
  folders.push(data);
  if (options.fault !== undefined) writeFileSync(join(data, "test-fault"), options.fault);
  container = await startContainer({ root: root.path, data, config: without_models, ...options });
  return container;
}

async function service(inside: Container, name: string): Promise<ServiceStatus> {
  const found = (await inside.console.call("services")).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no service "${name}"`);
  return found;
}

async function events<K extends EventKind>(inside: Container, kind: K): Promise<EventOf<K>[]> {
  const all = await inside.console.list("events");
  return all.filter((event): event is EventOf<K> => event.kind === kind);
}

const until = (what: string, inside: Container, condition: () => Promise<boolean>, limit_ms = 120_000) =>
  waitFor(what, async () => ((await condition().catch(() => false)) ? true : null), {
    limit_ms,
    every_ms: 20,
    explain: () => inside.log(),
  });

describe("PID 1 in namespaces", () => {
  beforeAll(async () => {
    const lacking = missing();
    if (lacking !== null) throw new Error(`preparing a root for PID 1 failed: ${lacking}`);
    root = await testRoot();
  }, 300_000);
  afterEach(async () => {
    await container?.kill();
    container = null;
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  afterAll(() => root?.remove());

  test("all services come up, and poweroff ends all in order", async () => {
    const inside = await start();
    await inside.ready();
    const services = await inside.console.call("services");
    expect(services.map(({ name, state }) => `${name} ${state}`)).toEqual(
      ["console", "memory", "broker", "reactive", "operational", "tactical", "strategic"].map((name) => `${name} ready`),
    );
    const { marks } = await inside.console.call("boot");
    expect(Object.keys(marks).sort()).toEqual(["all-ready", "console-ready", "init", "kernel", "stage0"]);
    expect(await inside.poweroff()).toBe("SIGINT");
  }, 300_000);

  test("a service that dies comes back, and its end is told with the signal", async () => {
    const inside = await start();
    await inside.ready();
    const { pid } = await service(inside, "tactical");
    process.kill(inside.hostPid(pid ?? 0), "SIGKILL");
    await until("tactical to be back", inside, async () => {
      const now = await service(inside, "tactical");
      return now.state === "ready" && now.restarts === 1 && now.pid !== pid;
    });
    const [exited] = await events(inside, "service.exited");
    expect(exited?.facts).toMatchObject({ service: "tactical", pid, exit: { signal: "SIGKILL", cause: null } });
  }, 300_000);

  test("a service that hangs is found, killed and restarted", async () => {
    const limits = "services: { operational: { heartbeat_ms: 1500 }, strategic: { heartbeat_ms: 500 } }\n";
    const inside = await start({ config: `${without_models}${limits}` });
    await inside.ready();
    const { pid } = await service(inside, "operational");
    process.kill(inside.hostPid(pid ?? 0), "SIGSTOP");
    await until("operational to be back", inside, async () => {
      const now = await service(inside, "operational");
      return now.state === "ready" && now.restarts === 1;
    });
    const [hung] = await events(inside, "service.hung");
    expect(hung?.facts).toMatchObject({ service: "operational", pid });
    expect(hung?.facts.silent_ms).toBeGreaterThanOrEqual(1500);
    expect((await service(inside, "operational")).last_exit).toMatchObject({ cause: "hang" });
    // who is asked for a sign of life sooner gives it sooner
    expect((await events(inside, "service.hung")).filter(({ facts }) => facts.service === "strategic")).toEqual([]);
  }, 300_000);

  test("a phase that throws, and one that hangs, become degradations; the rest of the boot goes on", async () => {
    for (const [fault, detail] of [
      ["throw in a phase", "scripted: the phase broke"],
      ["hang in a phase", "longer than its limit"],
    ]) {
      const inside = await start({ fault: fault ?? "" });
      await inside.ready();
      const status = await inside.console.call("status");
      expect(status.state).toBe("degraded");
      expect(status.degradations.some((each) => each.detail.includes(detail ?? "?"))).toBe(true);
      await inside.kill();
    }
  }, 300_000);

  test("an exception in PID 1 leads to maintenance mode: it says why, and goes on supervising", async () => {
    for (const fault of ["throw in the loop", "reject in the loop"]) {
      const inside = await start({ fault });
      await inside.ready();
      await until("maintenance", inside, async () => (await inside.console.call("status")).state === "maintenance");
      expect(inside.log()).toContain("aios: maintenance:");
      expect(inside.log()).toContain("scripted:");
      const [told] = await events(inside, "system.maintenance");
      expect(told?.facts.detail).toContain("scripted:");
      const { pid } = await service(inside, "strategic");
      process.kill(inside.hostPid(pid ?? 0), "SIGKILL");
      await until("strategic to be back", inside, async () => (await service(inside, "strategic")).restarts === 1);
      await inside.kill();
    }
  }, 300_000);

  test("SIGTERM from outside is a poweroff", async () => {
    const inside = await start();
    await inside.ready();
    process.kill(inside.pid, "SIGTERM");
    expect(await inside.ended).toBe("SIGINT");
    expect(inside.log()).toContain("aios: shutdown: services: 6 stopped");
  }, 300_000);

  test("extra services of the config run; a cycle among them is said and keeps nothing else from running", async () => {
    const good = await start({
      config: `${without_models}extra_services:\n  clock:\n    argv: [/usr/sbin/chronyd, -d, -x]\n    uid: 900\n`,
    });
    await good.ready();
    expect((await good.console.call("services")).map(({ name }) => name)).toContain("clock");
    await good.kill();
    const entry = (name: string, after: string) => `  ${name}:\n    argv: [/usr/bin/true]\n    after: [${after}]\n`;
    const bad = await start({ config: `${without_models}extra_services:\n${entry("x", "y")}${entry("y", "x")}` });
    await bad.ready();
    const { degradations } = await bad.console.call("status");
    expect(degradations.map(({ detail }) => detail).join()).toContain('wait for each other: "x" after "y" after "x"');
    expect((await service(bad, "strategic")).state).toBe("ready");
  }, 300_000);

  test("a foreign program is ready when it says so by sd_notify, and hangs when its watchdog is silent", async () => {
    const argv = '[/usr/bin/aios, say, "STATUS=warming up", "READY=1\\nSTATUS=here"]';
    const config = `extra_services:\n  foreign:\n    argv: ${argv}\n    ready: notify\n    heartbeat_ms: 1000\n`;
    const inside = await start({ config });
    await inside.ready();
    await until("foreign to be ready", inside, async () => (await service(inside, "foreign")).state === "ready");
    expect((await service(inside, "foreign")).status_text).toBe("here");
    await until("foreign to be restarted", inside, async () => (await service(inside, "foreign")).restarts > 0);
    expect((await service(inside, "foreign")).last_exit).toMatchObject({ cause: "hang" });
  }, 300_000);

  test("a service that keeps failing ends in a crash loop, said in the status", async () => {
    const inside = await start({ config: `${without_models}extra_services:\n  broken:\n    argv: [/usr/bin/aios, nonsense]\n` });
    await inside.ready();
    // a rule asks for one more start now and then, and for that moment it is none
    await until("the crash loop in the status", inside, async () =>
      (await inside.console.call("status")).degradations.some(({ what }) => what === 'service "broken" does not run'),
    );
    expect((await service(inside, "broken")).last_exit).toMatchObject({ status: 2 });
  }, 300_000);
});
