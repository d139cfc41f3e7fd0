import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { status as base } from "../testing/records.ts";
import { startWorld, type World } from "../testing/world.ts";
import { Client } from "./client.ts";
import { ansiPaint } from "./text/style.ts";
import { frame } from "./watch/frame.ts";
import { emptyModel, sample } from "./watch/model.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => await world.close());

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "main.tsx"), ...args], {
    env: { PATH: process.env["PATH"] ?? "", AIOS_SOCKET: world.socket },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

for (const command of ["status", "boot", "services", "ps", "hw", "logs", "events", "decisions", "why 0badcafe-init-3"]) {
  test(`${command}: what a person reads, without colour when piped`, async () => {
    const { code, out, err } = await run(...command.split(" "));
    expect([code, err]).toEqual([0, ""]);
    expect(out).not.toContain("\u001b");
    expect(out).toMatchSnapshot();
  });
  test(`${command} --json is JSON`, async () => {
    const { code, out } = await run("--json", ...command.split(" "));
    expect(code).toBe(0);
    const streamed = ["logs", "events", "decisions"].includes(command);
    for (const part of streamed ? out.trim().split("\n") : [out]) expect(typeof JSON.parse(part)).toBe("object");
  });
}

test("reboot --kexec asks for the kernel without the firmware", async () => {
  expect((await run("reboot", "--kexec", "--why", "a test")).out).toBe("kexec: accepted; the services stop now\n");
  expect(world.system.init.calls.at(-1)?.params).toMatchObject({ action: "kexec" });
  expect((await run("reboot", "--why", "a test")).code).toBe(0);
  expect(world.system.init.calls.at(-1)?.params).toMatchObject({ action: "reboot" });
});

test("exit codes", async () => {
  expect((await run("restart", "memory", "--why", "a test")).code).toBe(0);
  expect((await run("stop", "memory", "--why", "a test")).code).toBe(0);
  expect((await run("restart", "nope", "--why", "a test")).code).toBe(1);
  expect((await run("why", "nothing")).code).toBe(1);
  expect((await run("bogus")).code).toBe(2);
  expect((await run("restart", "memory")).code).toBe(2);
  expect((await run("events", "-n", "0")).code).toBe(2);
  const lost = await run("status", "--socket", "/nowhere/sock");
  expect([lost.code, lost.err]).toEqual([
    3,
    'aiosctl: reaching the console at "/nowhere/sock" failed: there is no such socket; is the system running? Say where with --socket PATH or AIOS_SOCKET\n',
  ]);
  expect((await run("status", "--check")).code).toBe(0);
  const { answers } = world.system.init;
  const before = answers["service.list"];
  Object.assign(answers, { "service.list": () => [] as const, "system.status": () => ({ ...status(), state: "degraded" }) });
  expect((await run("status", "--check")).code).toBe(4);
  Object.assign(answers, { "service.list": before, "system.status": status });
}, 30_000);

test("help names the exit codes; completion is there for three shells and knows services", async () => {
  expect((await run("--help")).out).toContain("3  the console cannot be reached");
  for (const shell of ["bash", "zsh", "fish"]) expect((await run("complete", shell)).out).toContain("aiosctl complete --");
  expect((await run("complete", "--", "restart", "")).out).toContain("reactive");
});

test("a followed stream ends cleanly on Ctrl-C", async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "main.tsx"), "events", "-f", "-n", "1"], {
    env: { AIOS_SOCKET: world.socket },
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGINT");
  expect(await child.exited).toBe(0);
  expect(await new Response(child.stderr).text()).toBe("");
});

test("the live view fits 80 × 24 and smaller, and shows services, tiers, decisions and events", async () => {
  const model = emptyModel();
  await sample(new Client(world.socket), model);
  for await (const one of new Client(world.socket).stream("events")) model.events = [...model.events, one];
  for (const size of [
    { columns: 80, rows: 24 },
    { columns: 40, rows: 12 },
  ]) {
    const lines = frame(model, size, ansiPaint);
    expect(lines.length).toBeLessThanOrEqual(size.rows);
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(size.columns);
  }
  const text = Bun.stripANSI(frame(model, { columns: 80, rows: 24 }, ansiPaint).join("\n"));
  for (const word of ["running", "SERVICES", "memory", "TIERS", "tactical", "DECISIONS", "EVENTS", "killed by SIGKILL", "q quit"])
    expect(text).toContain(word);
});

function status() {
  return structuredClone(base);
}
