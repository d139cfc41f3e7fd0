/** A supervisor without processes behind the real sockets: what a child may ask, and what it is answered. */

import { afterAll, afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DefinedService } from "../../contracts/config.ts";
import type { Event, LogRecord } from "../../contracts/event.ts";
import { child_methods, child_notifications, init_methods, init_notifications } from "../../contracts/init.ts";
import { StrategicConfig } from "../../contracts/model/provider.ts";
import { frame_bytes_max, rpc_error } from "../../contracts/rpc.ts";
import { type CoreService, core_services, type Health } from "../../contracts/service.ts";
import { RpcError } from "../../wire/peer.ts";
import { connectUnix } from "../../wire/unix.ts";
import type { Supervisor } from "../supervise/supervisor.ts";
import { type Door, makeDoor } from "./door.ts";
import { fuzzControl } from "./fuzz.ts";
import type { Desk } from "./handlers.ts";
import { ProcessList } from "./processes.ts";
import { welcomeFor } from "./server.ts";
import { makeRig, type Rig, type RigOptions } from "./testing/rig.ts";

const folder = mkdtempSync(join(tmpdir(), "control-"));
const key = "sk-Kd93hQ0v-in-the-config-7yTz";
const key_file = join(folder, "key");
const strategic_config = StrategicConfig.parse({
  providers: [
    { kind: "anthropic", model: "claude-opus-5-5", key: { value: key } },
    { kind: "openai", model: "gpt-6-sol", key: { file: key_file } },
  ],
});
const closers: (() => void)[] = [];
let sockets = 0;

function rig(options: RigOptions = {}): Rig {
  const made = makeRig({ strategic: strategic_config, ...options });
  closers.push(made.close);
  return made;
}

function door(): { door: Door; path: string } {
  const path = join(folder, `${sockets++}`);
  const made = makeDoor(path, process.getgid?.() ?? 0);
  closers.push(() => made.close());
  return { door: made, path };
}

async function child(name: CoreService, desk: Desk, supervisor: Supervisor) {
  const { door: made, path } = door();
  made.open(welcomeFor(name, desk, supervisor));
  const events: Event[] = [];
  const logs: LogRecord[] = [];
  const peer = await connectUnix(path, {
    serves: { methods: child_methods, handlers: { health: () => health } },
    hears: {
      notifications: child_notifications,
      listeners: { event: (event) => void events.push(event), log: ({ record }) => void logs.push(record) },
    },
    calls: init_methods,
    tells: init_notifications,
  });
  closers.push(() => peer.close("the test is over"));
  return { peer, events, logs };
}

const health: Health = { status: "ok", detail: "fine", facts: {}, resources: { rss_bytes: 1, cpu_ms: 1, fds: 1 } };
const why = { who: "test", reason: "because" };
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (error instanceof RpcError ? error.code : String(error)),
  );
/** For what must not come. */
const settle = () => Bun.sleep(20);
/** For what has to: a busy machine takes its time. */
async function until(holds: () => boolean): Promise<void> {
  for (let looks = 0; looks < 1000 && !holds(); looks += 1) await Bun.sleep(10);
}
const web = DefinedService.parse({ argv: ["/usr/bin/web"], uid: 20_000 });

afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("ready and heartbeat of the caller reach its service alone", async () => {
  const { supervisor, desk } = rig();
  void supervisor.start("console", "test");
  const { peer } = await child("console", desk, supervisor);
  peer.tell("ready", { detail: "listening" });
  peer.tell("heartbeat", { health });
  peer.tell("status", { text: "busy" });
  await until(() => supervisor.status("console")?.status_text === "busy");
  expect(supervisor.status("console")).toMatchObject({
    state: "ready",
    reason: "listening",
    status_text: "busy",
    health: { detail: "fine" },
  });
  expect(supervisor.status("memory")).toMatchObject({ state: "stopped", health: null });
});

test("who may not is refused", async () => {
  const { supervisor, desk } = rig();
  const tier = await child("tactical", desk, supervisor);
  for (const method of ["service.list", "system.boot", "system.processes"] as const)
    expect(await codeOf(tier.peer.call(method, {}))).toBe(rpc_error.not_permitted);
  expect(await codeOf(tier.peer.call("system.shutdown", { action: "poweroff", why }))).toBe(rpc_error.not_permitted);
  const reactive = await child("reactive", desk, supervisor);
  expect(await codeOf(reactive.peer.call("service.stop", { service: "memory", why }))).toBe(rpc_error.not_permitted);
  expect(await codeOf(reactive.peer.call("service.list", {}))).toBeNull();
});

test("keys of models are told to the strategic tier and to nobody else, not even the operator", async () => {
  writeFileSync(key_file, "sk-from-a-file\n");
  const { supervisor, desk } = rig();
  const { peer } = await child("strategic", desk, supervisor);
  const told = await peer.call("config.strategic", {});
  expect(told.config.providers.map((provider) => provider.key)).toEqual([{ value: key }, { value: "sk-from-a-file" }]);
  expect(told.problems).toEqual([]);
  for (const other of core_services.filter((name) => name !== "strategic")) {
    const asking = await child(other, desk, supervisor);
    expect(await codeOf(asking.peer.call("config.strategic", {}))).toBe(rpc_error.not_permitted);
  }
});

test("a file without a key is said, and nothing of what is in it", async () => {
  const { supervisor, desk } = rig();
  const { peer } = await child("strategic", desk, supervisor);
  rmSync(key_file, { force: true });
  expect((await peer.call("config.strategic", {})).problems).toEqual([expect.stringContaining(key_file)]);
  writeFileSync(key_file, "two words of a secret");
  const { problems } = await peer.call("config.strategic", {});
  expect(problems).toEqual([expect.stringContaining("is no key")]);
  expect(problems.join()).not.toContain("words");
  writeFileSync(key_file, "x".repeat(5000));
  expect((await peer.call("config.strategic", {})).problems).toEqual([expect.stringContaining("5000 bytes")]);
});

test("restart answers when the service is ready again, and the reason is in the event", async () => {
  const { supervisor, desk, events, children } = rig();
  void supervisor.start("memory", "test");
  supervisor.saidReady("memory", "ok");
  const { peer } = await child("console", desk, supervisor);
  const answer = peer.call("service.restart", { service: "memory", why });
  await until(() => supervisor.state("memory") === "starting");
  expect(supervisor.state("memory")).toBe("starting");
  supervisor.saidReady("memory", "again");
  expect(await answer).toMatchObject({ name: "memory", state: "ready", restarts: 1 });
  const stopping = events.after(null).find((event) => event.kind === "service.state" && event.facts.to === "stopping");
  expect(stopping).toMatchObject({ facts: { reason: "restart requested by test (console): because" } });
  const failing = peer.call("service.restart", { service: "memory", why });
  await until(() => supervisor.state("memory") === "starting");
  children.get("memory")?.hears.ended({ status: 3, signal: null });
  expect(await failing).toMatchObject({ state: "backoff", last_exit: { status: 3 } });
});

test("changes need a reason, a service that exists, and a system that stays up", async () => {
  const { supervisor, desk } = rig();
  const { peer } = await child("console", desk, supervisor);
  expect(await codeOf(peer.call("service.restart", { service: "nothing", why }))).toBe(rpc_error.not_found);
  expect(await codeOf(peer.call("service.restart", { service: "memory", why: { who: "x", reason: "" } }))).toBe(rpc_error.invalid_params);
  const down = rig({ stopping: true });
  const late = await child("console", down.desk, down.supervisor);
  expect(await codeOf(late.peer.call("service.start", { service: "memory", why }))).toBe(rpc_error.conflict);
  const broker = await child("broker", down.desk, down.supervisor);
  expect(await codeOf(broker.peer.call("service.define", { service: "web", definition: web, why }))).toBe(rpc_error.conflict);
  expect(down.supervisor.has("web")).toBe(false);
});

test("the broker defines services, which run like others; nobody else may, and what is the system's stays", async () => {
  const { supervisor, desk, children } = rig();
  const { peer } = await child("broker", desk, supervisor);
  const definition = DefinedService.parse({ argv: ["/usr/bin/web"], uid: 20_000 });
  const define = (service: string, changes: object = {}) =>
    peer.call("service.define", { service, definition: { ...definition, ...changes }, why });
  expect(await define("web")).toMatchObject({ name: "web", state: "stopped" });
  expect(await peer.call("service.start", { service: "web", why })).toMatchObject({ state: "ready" });
  expect(await define("web", { env: { A: "1" } })).toMatchObject({ state: "ready" });
  expect(await peer.call("service.defined", {})).toEqual([{ service: "web", definition: { ...definition, env: { A: "1" } } }]);
  children.get("web")?.hears.ended({ status: 1, signal: null });
  expect(supervisor.status("web")?.state).toBe("backoff");
  expect(await codeOf(define("memory"))).toBe(rpc_error.conflict);
  expect(await codeOf(define("later", { after: ["nobody"] }))).toBe(rpc_error.conflict);
  expect(await codeOf(define("web", { after: ["web"] }))).toBe(rpc_error.conflict);
  expect(await codeOf(define("rooted", { uid: 0 }))).toBe(rpc_error.invalid_params);
  await define("later", { after: ["web"] });
  expect(await codeOf(peer.call("service.remove", { service: "web", why }))).toBe(rpc_error.conflict);
  for (const service of ["later", "web"]) expect(await peer.call("service.remove", { service, why })).toEqual({ removed: true });
  expect([supervisor.has("web"), await peer.call("service.defined", {})]).toEqual([false, []]);
  expect(await codeOf(peer.call("service.remove", { service: "memory", why }))).toBe(rpc_error.not_found);
  expect(await define("web")).toMatchObject({ state: "stopped", restarts: 0 });
  for (const caller of ["console", "reactive", "tactical", "memory"] as const) {
    const other = await child(caller, desk, supervisor);
    expect(await codeOf(other.peer.call("service.define", { service: "mine", definition, why }))).toBe(rpc_error.not_permitted);
    expect(await codeOf(other.peer.call("service.remove", { service: "web", why }))).toBe(rpc_error.not_permitted);
  }
});

test("a definition that is refused leaves the one before in force; one that is taken counts from the next start", async () => {
  const { supervisor, desk, children, said } = rig();
  const { peer } = await child("broker", desk, supervisor);
  const define = (changes: object) => peer.call("service.define", { service: "web", definition: { ...web, ...changes }, why });
  await define({ env: { A: "1" } });
  await peer.call("service.start", { service: "web", why });
  for (const after of [["nobody"], ["web"]]) expect(await codeOf(define({ after }))).toBe(rpc_error.conflict);
  expect(desk.defined.list()).toEqual([{ service: "web", definition: { ...web, env: { A: "1" } } }]);
  expect(supervisor.specs().find(({ name }) => name === "web")?.after).toEqual([]);
  await define({ env: { A: "2" } });
  expect(children.get("web")?.spec.env["A"]).toBe("1");
  await peer.call("service.restart", { service: "web", why });
  expect(children.get("web")?.spec.env["A"]).toBe("2");
  expect(said).toContain('service "web": defined by test (broker): because');
});

test("a defined service that may end by itself is left stopped", async () => {
  const { supervisor, desk, children } = rig();
  const { peer } = await child("broker", desk, supervisor);
  const ended = async (restart: DefinedService["restart"], status: number) => {
    await peer.call("service.define", { service: "web", definition: { ...web, restart }, why });
    await peer.call("service.start", { service: "web", why });
    children.get("web")?.hears.ended({ status, signal: null });
    return supervisor.state("web");
  };
  expect([await ended("never", 1), await ended("on-failure", 0), await ended("on-failure", 1)]).toEqual(["stopped", "stopped", "backoff"]);
});

test("as many services may be defined as there is room for", async () => {
  const { supervisor, desk } = rig();
  const { peer } = await child("broker", desk, supervisor);
  for (let n = 0; n < 200; n += 1) desk.defined.define(`web-${n}`, web);
  expect(await codeOf(peer.call("service.define", { service: "web", definition: web, why }))).toBe(rpc_error.conflict);
  expect([supervisor.has("web"), desk.defined.list().length]).toEqual([false, 200]);
  expect(await codeOf(peer.call("service.define", { service: "web-7", definition: web, why }))).toBeNull();
});

test("a running service is stopped before it is removed", async () => {
  const { supervisor, desk, children, said } = rig({ obeys: false });
  const { peer } = await child("broker", desk, supervisor);
  await peer.call("service.define", { service: "web", definition: web, why });
  await peer.call("service.start", { service: "web", why });
  const removed = codeOf(peer.call("service.remove", { service: "web", why }));
  await until(() => supervisor.state("web") === "stopping");
  expect([supervisor.state("web"), desk.defined.list().length]).toEqual(["stopping", 1]);
  children.get("web")?.hears.ended({ status: 0, signal: null });
  expect(await removed).toBeNull();
  expect([supervisor.has("web"), desk.defined.list().length]).toEqual([false, 0]);
  expect(said).toContain('service "web": removed by test (broker): because');
});

test("a removal that a restart overtakes is over: it is not carried out at some later stop", async () => {
  const { supervisor, desk, children } = rig({ obeys: false });
  const { peer } = await child("broker", desk, supervisor);
  await peer.call("service.define", { service: "web", definition: web, why });
  await peer.call("service.start", { service: "web", why });
  const removed = codeOf(peer.call("service.remove", { service: "web", why }));
  await until(() => supervisor.state("web") === "stopping");
  const restarted = codeOf(peer.call("service.restart", { service: "web", why }));
  expect(await removed).toBe(rpc_error.conflict);
  children.get("web")?.hears.ended({ status: 0, signal: null });
  expect(await restarted).toBeNull();
  const stopped = codeOf(peer.call("service.stop", { service: "web", why }));
  await until(() => supervisor.state("web") === "stopping");
  children.get("web")?.hears.ended({ status: 0, signal: null });
  expect(await stopped).toBeNull();
  expect([supervisor.state("web"), desk.defined.list().length]).toEqual(["stopped", 1]);
});

test("the console is stopped by nobody who comes through it", async () => {
  const { supervisor, desk } = rig();
  const { peer } = await child("console", desk, supervisor);
  const before = supervisor.state("console");
  expect(await codeOf(peer.call("service.stop", { service: "console", why }))).toBe(rpc_error.conflict);
  expect(supervisor.state("console")).toBe(before);
});

test("caches are the host's in a container; hardware not looked through yet is said so; shutdown is passed on once", async () => {
  const { supervisor, desk, shutdowns } = rig();
  const { peer } = await child("console", desk, supervisor);
  expect(await codeOf(peer.call("system.reclaim", { why }))).toBe(rpc_error.conflict);
  expect(await codeOf(peer.call("system.hardware", {}))).toBe(rpc_error.unavailable);
  expect(await peer.call("system.shutdown", { action: "reboot", why })).toEqual({ accepted: true });
  expect(await codeOf(peer.call("system.shutdown", { action: "reboot", why }))).toBe(rpc_error.conflict);
  expect(shutdowns[0]).toBe("reboot: requested by test (console): because");
});

test("processes: this one is among them, with what it uses", async () => {
  const { supervisor, desk } = rig();
  const { peer } = await child("console", desk, supervisor);
  const all = await peer.call("system.processes", {});
  const own = all.find(({ pid }) => pid === process.pid);
  expect(own?.rss_bytes).toBeGreaterThan(1_000_000);
  expect(own?.ppid).toBe(process.ppid);
});

test("processes: askers share an answer, and what is slow to read is read again only after a while", () => {
  const { supervisor } = rig();
  let now_ms = 0;
  let reads = 0;
  const read = (path: string): string => {
    if (path !== `/proc/${process.pid}/smaps_rollup`) return "";
    reads += 1;
    return `Pss: ${reads} kB\n`;
  };
  const list = new ProcessList({ supervisor, now: () => now_ms, read });
  const pss_at = (at_ms: number): number | null | undefined => {
    now_ms = at_ms;
    return list.list().find(({ pid }) => pid === process.pid)?.pss_bytes;
  };
  const first = list.list();
  now_ms = 499;
  expect(list.list()).toBe(first);
  expect([pss_at(500), pss_at(4900)]).toEqual([1024, 1024]);
  expect(list.list()).not.toBe(first);
  expect(pss_at(10_000)).toBe(2048);
});

test("processes: an answer fits into a frame, whatever stands in command lines", () => {
  const { supervisor } = rig();
  const lines = ["\x01".repeat(5000), "漢".repeat(5000), '"'.repeat(5000), "\ud800".repeat(5000)];
  const sizes = lines.map((line) => {
    const read = (path: string): string => (path.endsWith("/cmdline") ? line : "");
    const [one] = new ProcessList({ supervisor, now: () => 0, read }).list().filter(({ pid }) => pid === process.pid);
    expect(one?.untrusted_cmdline).not.toMatch(/\p{Cc}|\p{Cs}|\ufffd/u);
    return Buffer.byteLength(JSON.stringify(one));
  });
  for (const size of sizes) expect(size).toBeLessThan(frame_bytes_max / 200);
});

test("events: those held after an id, then the new ones", async () => {
  const { supervisor, desk, events } = rig();
  const emit = (at_ms: number) => events.emit("boot.ready", "info", { what: "all", at_ms });
  for (const at of [1, 2, 3]) emit(at);
  const { peer, events: heard } = await child("reactive", desk, supervisor);
  await peer.call("events.subscribe", { after: "0badcafe-init-1" });
  emit(4);
  await until(() => heard.length === 3);
  expect(heard.map(({ id }) => id)).toEqual([2, 3, 4].map((n) => `0badcafe-init-${n}`));
  peer.close("left");
  await settle();
  emit(5);
  expect(heard.length).toBe(3);
});

test("logs: backlog first, then what comes, of the service asked for; until the subscription ends", async () => {
  const { supervisor, desk, logs } = rig();
  const add = (service: string, message: string) => logs.add({ service, stream: "stdout", level: "info", message });
  add("memory", "1");
  add("broker", "2");
  add("memory", "3");
  const { peer, logs: heard } = await child("console", desk, supervisor);
  const answer = peer.call("logs.subscribe", { service: "memory", backlog: 10 });
  const { subscription } = await answer;
  add("memory", "4");
  add("broker", "5");
  await until(() => heard.length === 3);
  expect(heard.map(({ message }) => message)).toEqual(["1", "3", "4"]);
  await peer.call("logs.unsubscribe", { subscription });
  add("memory", "6");
  await settle();
  expect(heard.length).toBe(3);
  expect(await codeOf(peer.call("logs.unsubscribe", { subscription }))).toBe(rpc_error.not_found);
});

test("a child that comes before the schemas are loaded is heard once they are", async () => {
  const { supervisor, desk } = rig();
  void supervisor.start("console", "test");
  const { door: made, path } = door();
  expect(statSync(path).mode & 0o777).toBe(0o660);
  const peer = await connectUnix(path, {
    serves: { methods: {}, handlers: {} },
    hears: { notifications: {}, listeners: {} },
    calls: init_methods,
    tells: init_notifications,
  });
  peer.tell("ready", { detail: "early" });
  await settle();
  expect(supervisor.state("console")).toBe("starting");
  made.open(welcomeFor("console", desk, supervisor));
  await until(() => supervisor.state("console") === "ready");
  expect(supervisor.state("console")).toBe("ready");
  peer.close("the test is over");
});

test("whatever bytes a child sends, PID 1 goes on", async () => {
  await fuzzControl(500, 42);
}, 120_000);
