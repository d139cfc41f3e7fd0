import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { broker_callers, broker_methods } from "../contracts/broker.ts";
import { callerSocket, callerSocketFolder } from "../contracts/paths.ts";
import { startFakeInit } from "../wire/testing/fake-init.ts";
import { connectUnix, silent } from "../wire/unix.ts";
import { Registry } from "./registry.ts";

let child: Subprocess | null = null;
afterAll(() => child?.kill("SIGKILL"));

test("every caller has a socket of its own, lists the tools that exist, and PID 1 hears that there are none", async () => {
  const run = mkdtempSync(join(tmpdir(), "broker-"));
  for (const caller of broker_callers) mkdirSync(callerSocketFolder("broker", caller, run), { recursive: true });
  const init = startFakeInit(run, "broker");
  child = Bun.spawn([process.execPath, join(import.meta.dir, "testing", "start.ts"), run], { stdout: "ignore", stderr: "inherit" });
  await init.until("the broker to be ready", () => init.ready.length > 0);
  for (const caller of broker_callers) {
    expect(statSync(callerSocket("broker", caller, run)).mode & 0o777).toBe(0o660);
    const peer = await connectUnix(callerSocket("broker", caller, run), { ...silent, calls: broker_methods, tells: {} });
    expect(await peer.call("tools/list", {})).toEqual({ tools: [] });
  }
  const health = await init.child?.call("health", {});
  expect(health).toMatchObject({ status: "ok", detail: "no tools registered", facts: { tools: 0 } });
  expect(health?.resources.rss_bytes).toBeGreaterThan(0);
});

test("a tool's name is registered once, and tools are listed by name", () => {
  const tool = (name: string) => ({ name, title: name, description: "", inputSchema: {}, outputSchema: {} });
  const registry = new Registry();
  registry.register(tool("fs.write"));
  registry.register(tool("fs.read"));
  expect(() => registry.register(tool("fs.read"))).toThrow('registering the tool "fs.read" failed');
  expect(registry.list().map(({ name }) => name)).toEqual(["fs.read", "fs.write"]);
});
