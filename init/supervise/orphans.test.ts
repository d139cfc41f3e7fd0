import { expect, test } from "bun:test";
import { join } from "node:path";
import { fakeSystem } from "../../sys/fake.ts";
import { orphanReaper } from "./orphans.ts";

const program = join(import.meta.dir, "../testing/reap.ts");

async function asPid1(...args: string[]): Promise<unknown> {
  const argv = ["unshare", "--fork", "--pid", "--mount", "--mount-proc", "--kill-child", process.execPath, program, ...args];
  const child = Bun.spawn(argv, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const out = await new Response(child.stdout).text();
  await child.exited;
  return JSON.parse(out);
}

test.skipIf(process.getuid?.() !== 0)(
  "1,000 orphans are collected while 400 children of our own keep their exit statuses",
  async () => {
    expect(await asPid1("1000", "400")).toEqual({ zombies: 0, wrong: 0, collected: 1000, errors: [] });
  },
  60_000,
);

test.skipIf(process.getuid?.() !== 0)(
  "without collecting they stay",
  async () => {
    expect(await asPid1("100", "10", "no")).toMatchObject({ zombies: 100, collected: 0 });
  },
  60_000,
);

test("a dead child of the runtime is left alone, and orphans behind it are found in /proc", async () => {
  const dead = { status: 0, signal: null };
  const sys = fakeSystem([
    { call: "process.peekDead", returns: 50 },
    { call: "process.peekDead", returns: 50 },
    { call: "process.collect", args: [60], returns: dead },
    { call: "process.peekDead", returns: null },
  ]);
  const reaper = orphanReaper({
    process: sys.process,
    now: () => performance.now(),
    zombies: () => [50, 60],
    onError: (error) => {
      throw error;
    },
  });
  reaper.own(50);
  reaper.reap();
  reaper.reap();
  reaper.reap();
  expect(reaper.collected).toBe(1);
  reaper.stop();
  sys.done();
});

test("one that ends is collected at once, many in a row together", async () => {
  let looks = 0;
  let dead: number[] = [];
  const calls = {
    peekDead: () => {
      looks += 1;
      return dead[0] ?? null;
    },
    collect: (pid: number) => {
      dead = dead.filter((one) => one !== pid);
      return { status: 0, signal: null };
    },
  };
  let now_ms = 1000;
  const reaper = orphanReaper({ process: calls, now: () => now_ms, onError: (error) => expect(error).toBeNull() });
  dead = [1];
  reaper.ended();
  expect([reaper.collected, looks]).toEqual([1, 2]); // at once, and once more to see that it was the last
  for (let pid = 2; pid <= 100; pid += 1) {
    now_ms += 0.01;
    dead.push(pid);
    reaper.ended();
  }
  expect([reaper.collected, looks]).toEqual([1, 2]);
  while (reaper.collected < 100) await Bun.sleep(1);
  expect(looks).toBe(2 + 99 + 1);
  reaper.stop();
});

test("an error is told, not thrown", () => {
  const errors: unknown[] = [];
  const sys = fakeSystem([{ call: "process.peekDead", fails: "EINTR" }]);
  const reaper = orphanReaper({ process: sys.process, now: () => 0, onError: (error) => errors.push(error) });
  reaper.reap();
  expect(String(errors[0])).toContain("EINTR");
});
