/** What an operator does with the tools on a running system, and after a reboot. In a container and in the VM. */

import { expect } from "bun:test";
import { z } from "zod";
import { waitFor } from "../wait.ts";
import type { Aiosctl } from "./aiosctl.ts";

const work = "/var/lib/aios/work/story";
const file = `${work}/page.html`;

async function text(aiosctl: Aiosctl): Promise<unknown> {
  return (await aiosctl.done("fs.read", { path: file })).structuredContent?.["content"];
}

export async function serviceState(aiosctl: Aiosctl, name: string): Promise<unknown> {
  const { structuredContent } = await aiosctl.call("service.status", { name });
  return z.object({ service: z.object({ state: z.string().nullable() }) }).parse(structuredContent).service.state;
}

/** A file, a setting, a service with a port, and a firewall. @returns when it began, milliseconds since 1970 */
export async function makeChanges(aiosctl: Aiosctl): Promise<number> {
  expect((await aiosctl.tools()).length).toBeGreaterThan(60);
  // by its own clock, which need not be ours to the second
  const begin_ms = Number((await aiosctl.done("sys.time", {})).structuredContent?.["now_ms"]);
  await aiosctl.done("fs.mkdir", { path: work, parents: true });
  await aiosctl.done("fs.write", { path: file, content: "<p>one</p>\n", how: "write" });
  await aiosctl.done("fs.edit", { path: file, edits: [{ old: "one", new: "two" }] });
  expect(await text(aiosctl)).toBe("<p>two</p>\n");
  await aiosctl.done("sys.hostname", { set: "story" });
  expect((await aiosctl.run("status")).out).toMatch(/^● \S+ +story /);
  await aiosctl.done("service.define", { name: "watcher", argv: ["/usr/bin/ip", "monitor"], network: true });
  await waitFor("the service to run", async () => (await serviceState(aiosctl, "watcher")) === "ready", {
    limit_ms: 180_000,
    every_ms: 250,
  });
  await aiosctl.done("net.listen", { port: 8080, owner: "watcher" });
  return begin_ms;
}

/** A firewall that nobody confirms brings the one before back, after `meanwhile`. */
export async function lockOut(aiosctl: Aiosctl, meanwhile: () => Promise<void>): Promise<void> {
  const wall = async (): Promise<unknown> => (await aiosctl.done("net.firewall", {})).structuredContent?.["declared"];
  const before = await wall();
  expect(before).toMatchObject({ default: "closed" });
  const open = { set: { default: "open", rules: [{ direction: "in", action: "drop", protocol: "tcp", port: 22, comment: "nobody" }] } };
  await aiosctl.done("net.firewall", open, "--confirm-within", "15s");
  expect(await wall()).toMatchObject({ default: "open" });
  await meanwhile();
  await waitFor("the firewall to come back", async () => Bun.deepEquals(await wall(), before), { limit_ms: 180_000, every_ms: 250 });
}

/** A rule for the firewall, confirmed. */
export async function keepRule(aiosctl: Aiosctl): Promise<void> {
  const kept = await aiosctl.done("net.firewall", {
    set: { default: "closed", rules: [{ direction: "in", action: "accept", protocol: "tcp", port: 9000, comment: "kept" }] },
  });
  expect((await aiosctl.run("confirm", kept._meta.call)).status).toBe(0);
}

/** Something final waits for a person, and is not done when the person says no. */
export async function askForApproval(aiosctl: Aiosctl): Promise<void> {
  const waiting = await aiosctl.call("sys.power", { action: "poweroff" });
  expect(waiting._meta.status).toBe("waiting");
  const [approval] = await aiosctl.approvals();
  expect(approval).toMatchObject({ call: waiting._meta.call, tool: "sys.power", state: "waiting" });
  expect(approval?.final.length).toBeGreaterThan(0);
  await aiosctl.run("decline", waiting._meta.call, "--why", "not in a scenario");
  expect(await aiosctl.approvals()).toEqual([]);
  const entries = await aiosctl.audit("--call", waiting._meta.call);
  expect(entries.at(0)).toMatchObject({ kind: "outcome", status: "declined" });
}

/** What was set before a reboot is there after it. */
export async function stillThere(aiosctl: Aiosctl): Promise<void> {
  expect(await text(aiosctl)).toBe("<p>two</p>\n");
  expect((await aiosctl.done("sys.hostname", {})).structuredContent).toMatchObject({ hostname: "story" });
  await waitFor("the service to run", async () => (await serviceState(aiosctl, "watcher")) === "ready", {
    limit_ms: 180_000,
    every_ms: 250,
  });
  const { structuredContent } = await aiosctl.done("net.firewall", {});
  expect(structuredContent?.["ports"]).toContainEqual({ protocol: "tcp", port: 8080, owner: "watcher", sources: [] });
  expect(JSON.stringify(structuredContent?.["kernel"])).toContain("listen watcher");
  expect(JSON.stringify(structuredContent?.["kernel"])).toContain("kept");
}

/** Everything since `begin_ms` is taken back, and the record is whole. @returns the tools whose calls were undone */
export async function takeBack(aiosctl: Aiosctl, begin_ms: number, hostname: string): Promise<string[]> {
  const outcomes = await aiosctl.undo("--since", new Date(begin_ms).toISOString());
  expect(outcomes.map(({ tool, status }) => `${tool} ${status}`).filter((one) => !one.endsWith(" done"))).toEqual([]);
  expect((await aiosctl.call("fs.stat", { path: work }))._meta.status).toBe("failed");
  expect((await aiosctl.done("sys.hostname", {})).structuredContent).toMatchObject({ hostname });
  expect((await aiosctl.call("service.status", { name: "watcher" }))._meta.status).toBe("failed");
  const { structuredContent } = await aiosctl.done("net.firewall", {});
  expect(structuredContent?.["ports"]).toEqual([]);
  expect(await aiosctl.verify()).toMatchObject({ whole: true, faults: [] });
  return outcomes.map(({ tool }) => tool);
}
