/** What the harness leaves behind when it ends, is told to end, or is killed: nothing that runs, and no file for long. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLeftBehind, newFolder } from "./places.ts";
import { waitFor, within } from "./wait.ts";

const home = mkdtempSync(join(tmpdir(), "aios-owned-"));
const harness = join(home, "harness.ts");
const limit_ms = 60_000;

beforeAll(() => {
  const here = (module: string): string => JSON.stringify(join(import.meta.dir, module));
  writeFileSync(
    harness,
    `import { atEnd, dyingWithUs, endProcess, removeFolder } from ${here("owned.ts")};
     import { newFolder } from ${here("places.ts")};
     const folder = newFolder("owned", process.argv[2]);
     atEnd(() => removeFolder(folder));
     const owned = Bun.spawn(dyingWithUs(["sleep", "600"]), { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
     atEnd(() => endProcess(owned));
     atEnd(() => { throw new Error("not this one"); });
     process.stdout.write(JSON.stringify({ folder, pid: owned.pid }) + "\\n");
     if (process.argv[3] === "exit") process.exit(7);
     if (process.argv[3] === "throw") setTimeout(() => { throw new Error("broken"); });
     setInterval(() => {}, 1000);`,
  );
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Harness {
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly folder: string;
  /** Of what it has started. */
  readonly pid: number;
}

async function start(how: "stays" | "exit" | "throw"): Promise<Harness> {
  const child = Bun.spawn([process.execPath, harness, home, how], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  let said = "";
  const reader = child.stdout.getReader();
  while (!said.includes("\n")) {
    const { value, done } = await within("the harness to start", limit_ms, reader.read());
    if (done) throw new Error(`the harness ended with ${await child.exited}: ${await new Response(child.stderr).text()}`);
    said += new TextDecoder().decode(value);
  }
  const { folder, pid }: { folder: string; pid: number } = JSON.parse(said);
  return { child, folder, pid };
}

const gone = (pid: number) => waitFor(`process ${pid} to end`, () => !existsSync(`/proc/${pid}`), { limit_ms });

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
  "%s ends what it has started, and removes its folders",
  async (signal) => {
    const { child, folder, pid } = await start("stays");
    expect([existsSync(folder), existsSync(`/proc/${pid}`)]).toEqual([true, true]);
    child.kill(signal);
    expect(await child.exited).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
    await gone(pid);
    expect(existsSync(folder)).toBe(false);
    expect(await new Response(child.stderr).text()).toBe("cleaning up failed: not this one\n");
  },
  120_000,
);

test.each([
  ["exit", 7],
  ["throw", 1],
] as const)(
  "so does an end by %s",
  async (how, status) => {
    const { child, folder, pid } = await start(how);
    expect(await child.exited).toBe(status);
    await gone(pid);
    expect(existsSync(folder)).toBe(false);
  },
  120_000,
);

test("killed, it takes what it has started with it, and the next one removes its folders; those of one that runs stay", async () => {
  const running = await start("stays");
  const { child, folder, pid } = await start("stays");
  child.kill("SIGKILL");
  await child.exited;
  await gone(pid);
  expect(existsSync(folder)).toBe(true);
  const next = newFolder("owned", home);
  expect([existsSync(folder), existsSync(running.folder), existsSync(next)]).toEqual([false, true, true]);
  running.child.kill("SIGTERM");
  await running.child.exited;
}, 120_000);

test("only what bears the name and the number of a process that is gone is left behind", () => {
  const gone_pid = Bun.spawnSync(["true"]).pid;
  expect(isLeftBehind(`data-${gone_pid}-Ab12cD`, "data")).toBe(true);
  for (const entry of [
    `data-${process.pid}-Ab12cD`,
    `other-${gone_pid}-Ab12cD`,
    `more-data-${gone_pid}-x`,
    `data-${gone_pid}`,
    "data-x-1",
    "data",
  ])
    expect(isLeftBehind(entry, "data")).toBe(false);
  mkdirSync(join(home, `data-${gone_pid}-Ab12cD/inner`), { recursive: true });
  newFolder("other", home);
  expect(readdirSync(home)).toContain(`data-${gone_pid}-Ab12cD`);
});
