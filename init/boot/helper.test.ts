/** Programs that a phase runs to their end: what they hand over, and that none holds up the boot. */

import { describe, expect, test } from "bun:test";
import { runHelper } from "./helper.ts";

const boot = { ownChild: () => {} };
const shell = (script: string) => ["/bin/sh", "-c", script];
/** What a test waits at most for a helper that was given a fraction of a second: far less than the sleep that it would otherwise wait for. */
const soon_ms = 20_000;

describe("a helper", () => {
  test("hands over what it wrote, byte for byte, its status, and the end of what it said", async () => {
    const bytes = await runHelper(boot, shell("printf '\\377\\000x'; echo why >&2; exit 3"), { limit_ms: soon_ms });
    expect({ ...bytes, stdout: [...bytes.stdout] }).toEqual({ status: 3, stdout: [0xff, 0, 0x78], said: "why" });
  });

  test("that is not there is a status with the reason", async () => {
    expect(await runHelper(boot, ["/nowhere/program"], { limit_ms: soon_ms })).toMatchObject({
      status: -1,
      said: expect.stringContaining("ENOENT"),
    });
  });

  test("of whose output no more is kept than was asked for", async () => {
    const { stdout } = await runHelper(boot, shell("head -c 100000 /dev/zero"), { limit_ms: soon_ms, bytes_max: 1000 });
    expect(stdout).toHaveLength(1000);
  });

  test("that takes too long is ended", async () => {
    const started = performance.now();
    const { status, said } = await runHelper(boot, ["sleep", "300"], { limit_ms: 100 });
    expect([status, said]).toEqual([-1, "it was ended by SIGKILL after at most 100 ms"]);
    expect(performance.now() - started).toBeLessThan(soon_ms);
  });

  test("that cannot be ended is left behind: here the child of it holds its output", async () => {
    const started = performance.now();
    const pids: number[] = [];
    const { status, said } = await runHelper({ ownChild: (pid) => void pids.push(pid) }, ["setsid", ...shell("sleep 300 & wait")], {
      limit_ms: 100,
    });
    expect([status, said]).toEqual([-1, expect.stringContaining("does not end: it waits for hardware")]);
    expect(performance.now() - started).toBeLessThan(soon_ms);
    for (const pid of pids) process.kill(-pid, "SIGKILL");
  });

  test("goes on for as long as it says how far it is, of which nothing is kept, and is ended when it falls silent", async () => {
    const progress: string[] = [];
    const steps = shell("for step in 1 2 3 4 5 6; do echo step $step; sleep 0.3; done; echo through; exec sleep 300");
    const { status, stdout, said } = await runHelper(boot, steps, {
      limit_ms: 600_000,
      silence_ms: 1_200,
      isProgress: (line) => line.startsWith("step") && progress.push(line) > 0,
    });
    expect(progress).toEqual([1, 2, 3, 4, 5, 6].map((step) => `step ${step}`));
    expect(stdout.toString()).toBe("through\n");
    expect([status, said]).toEqual([-1, "it was ended by SIGKILL after it had said nothing for 1200 ms"]);
  });
});
