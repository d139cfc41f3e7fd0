/** From start to end: what is kept, what is said of a bad config or a missing data partition, and the ways down. */

import { afterEach, describe, expect, test } from "bun:test";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { SystemStatus } from "../../../contracts/init.ts";
import { type Container, type ContainerOptions, startContainer } from "../../container.ts";
import { needBuilt, newFolder } from "../../places.ts";
import { waitFor, within } from "../../wait.ts";
import { allReady, decisionWhere, eventWhere, readyAgain, serviceStatus } from "../expect.ts";
import { without_models } from "../without-models.ts";

const started: Container[] = [];

/** Without models, unless its config is what it is about. */
async function boot(options: ContainerOptions): Promise<Container> {
  const container = await startContainer({ config: without_models, ...options });
  started.push(container);
  await container.ready("all");
  return container;
}

afterEach(async () => {
  for (const container of started.splice(0)) await container.kill();
});

describe("the ways down", () => {
  test("poweroff stops everything in order, and is an event", async () => {
    const data = newFolder("data");
    const container = await boot({ data });
    expect(await container.poweroff()).toBe("SIGINT");
    const again = await boot({ data });
    await eventWhere(again.console, "system.shutdown", ({ facts }) => facts.action === "poweroff");
  });

  test("reboot ends in a restart", async () => {
    const container = await boot({ data: newFolder("data") });
    await container.console.call("reboot", { reason: "to see it come back" });
    expect(await within("the reboot", 120_000, container.ended)).toBe("SIGHUP");
  });

  test("kexec is refused: the kernel is the host's", async () => {
    const container = await boot({ data: newFolder("data") });
    await expect(container.console.call("kexec", { reason: "to see it refused" })).rejects.toThrow("a container runs on the host's kernel");
    expect((await container.console.call("status")).state).not.toBe("stopping");
  });

  test("TERM for PID 1 from outside is a poweroff", async () => {
    const container = await boot({ data: newFolder("data") });
    process.kill(container.pid, "SIGTERM");
    expect(await within("the poweroff", 120_000, container.ended)).toBe("SIGINT");
  });
});

describe("what was acknowledged is still there", () => {
  test("after a clean poweroff: machine id, events, decisions", async () => {
    const data = newFolder("data");
    const first = await boot({ data });
    const before = await serviceStatus(first.console, "tactical");
    process.kill(first.hostPid(before.pid ?? 0), "SIGKILL");
    await readyAgain(first.console, "tactical", before.pid);
    const decision = await decisionWhere(first.console, "about tactical", ({ rule }) => rule === "service-dead");
    const { machine_id, boot_id } = await first.console.call("status");
    await first.poweroff();

    const second = await boot({ data });
    const status = await second.console.call("status");
    expect(status.machine_id).toBe(machine_id);
    expect(status.boot_id).not.toBe(boot_id);
    expect(status.data.persistent).toBe(true);
    const why = await second.console.call("why", { path: { id: decision.id } });
    expect(why.decisions).toEqual([decision]);
    expect(why.event).toEqual(decision.trigger);
  });

  test("after everything was killed at once", async () => {
    const data = newFolder("data");
    const first = await boot({ data });
    const before = await serviceStatus(first.console, "strategic");
    process.kill(first.hostPid(before.pid ?? 0), "SIGKILL");
    const decision = await decisionWhere(first.console, "about strategic", ({ rule }) => rule === "service-dead");
    await first.kill();
    const second = await boot({ data });
    const why = await second.console.call("why", { path: { id: decision.id } });
    expect(why.decisions.map(({ id }) => id)).toEqual([decision.id]);
  });
});

describe("a bad config", () => {
  test("leaves a reachable system that names line, key and reason", async () => {
    const container = await boot({ data: newFolder("data"), config: "hostname: good\nnetwork:\n  defualt: dhcp\n" });
    const status = await container.console.call("status");
    expect(status.state).toBe("degraded");
    expect(status.hostname).toBe("aios");
    const told = status.degradations.find(({ what }) => what === "machine config");
    expect(told?.detail).toContain("defualt");
    expect(told?.detail).toMatch(/line 3/);
    expect(told?.todo).toContain("aios.yaml");
    await allReady(container.console);
  });

  test("that is not YAML does too", async () => {
    const container = await boot({ data: newFolder("data"), config: "hostname: [\n" });
    const status = await container.console.call("status");
    expect(status.state).toBe("degraded");
    expect(status.degradations.find(({ what }) => what === "machine config")?.detail).toMatch(/line [12]/);
  });
});

test("from the first moment on the console's socket answers, and nobody is refused when the console takes over", async () => {
  const container = await startContainer({ config: without_models, data: newFolder("data") });
  started.push(container);
  await waitFor("the socket", () => existsSync(container.console_socket), { limit_ms: 120_000, every_ms: 1 });
  const sources: string[] = [];
  for (let ready = false; !ready; ) {
    const response = await fetch("http://aios/v1/status", { unix: container.console_socket });
    const { state } = SystemStatus.parse(await response.json());
    const source = response.headers.get("aios-source") ?? "";
    if (sources.at(-1) !== source) sources.push(source);
    if (source === "first-answer") expect(state).toBe("booting");
    ready = state !== "booting";
  }
  expect(sources).toEqual(["first-answer", "init"]);
  const left = (): boolean => !container.processes().some(({ name }) => name === "first-answer");
  await waitFor("first-answer to have ended and to be collected", left, { limit_ms: 120_000 });
});

test("aiosctl in a checkout finds the container by a link, which goes with it", async () => {
  const checkout = newFolder("checkout");
  mkdirSync(join(checkout, "build/run"), { recursive: true });
  const link = join(checkout, "build/run/console.sock");
  symlinkSync("/nowhere", link); // of a harness that was killed
  const container = await boot({ data: newFolder("data"), listen: link });
  const child = Bun.spawn([needBuilt("client"), "--json", "status"], { cwd: checkout, env: {}, stdin: "ignore", stdout: "pipe" });
  const status = SystemStatus.parse(await new Response(child.stdout).json());
  expect(status.boot_id).toBe((await container.console.call("status")).boot_id);
  await container.poweroff();
  expect(readdirSync(join(checkout, "build/run"))).toEqual([]);
});

test("a good config holds", async () => {
  const config = `${without_models}hostname: lighthouse\ntiers:\n  strategic: { enabled: false }\n`;
  const container = await boot({ data: newFolder("data"), config });
  const status = await container.console.call("status");
  expect(status.hostname).toBe("lighthouse");
  expect(status.mode).toBe("container");
  expect((await container.sh(["hostname"])).out.trim()).toBe("lighthouse");
  const services = await container.console.call("services");
  expect(services.find(({ name }) => name === "strategic")?.state ?? "stopped").toBe("stopped");
});

test("without a data partition everything runs, and it is said that nothing is kept", async () => {
  const container = await boot({});
  const status = await container.console.call("status");
  expect(status.state).toBe("degraded");
  expect(status.data.persistent).toBe(false);
  expect(status.degradations.length).toBeGreaterThan(0);
  await allReady(container.console);
});

test("a data file system that runs out of inodes is noticed, with room free", async () => {
  const container = await boot({});
  const before = (await container.console.call("status")).data;
  expect(before.inodes).toBeGreaterThan(1000);
  const folder = `${container.root}/var/lib/aios/small-files`;
  mkdirSync(folder);
  const wanted = Math.ceil(before.inodes * 0.87);
  for (let made = before.inodes_used; made < wanted; made += 1) closeSync(openSync(`${folder}/${made}`, "w"));
  const told = await eventWhere(container.console, "disk.usage", ({ facts }) => facts.inodes_used_ratio > 0.85);
  expect(told.facts.used_ratio).toBeLessThan(0.8);
  const decision = await decisionWhere(container.console, "about the inodes", ({ rule }) => rule === "disk-inodes");
  expect(decision.reason).toStartWith("/var/lib/aios has 87");
}, 300_000);

test("the boot timeline has every phase with its outcome, and the marks in order", async () => {
  const container = await boot({ data: newFolder("data") });
  const timeline = await waitFor(
    "all marks",
    async () => {
      const found = await container.console.call("boot");
      return found.marks["all-ready"] !== undefined && found;
    },
    { limit_ms: 120_000 },
  );
  const marks = ["stage0", "init", "console-ready", "all-ready"].map((name) => timeline.marks[name] ?? Number.NaN);
  expect(marks).toEqual([...marks].sort((a, b) => a - b));
  expect(timeline.phases.length).toBeGreaterThan(3);
  for (const phase of timeline.phases) {
    expect(["done", "degraded"], `${phase.name}: ${phase.detail}`).toContain(phase.outcome);
    expect(phase.end_ms ?? -1).toBeGreaterThanOrEqual(phase.start_ms);
  }
});
