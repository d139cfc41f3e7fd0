import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { amountIn, Progress } from "./progress.ts";

const folder = mkdtempSync(join(tmpdir(), "aios-progress-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function heard(quiet_ms: number): { lines: string[]; progress: Progress } {
  const lines: string[] = [];
  return { lines, progress: new Progress((line) => lines.push(line), quiet_ms) };
}

test("a step that says nothing is named while it goes on, with how far it is, and no longer when it has ended", async () => {
  const { lines, progress } = heard(40);
  let done = 0;
  const work = async (): Promise<string> => {
    for (; done < 10; done += 1) await Bun.sleep(20);
    return "made";
  };
  expect(await progress.step("packing", work, () => `${done} of 10`)).toBe("made");
  expect(lines[0]).toMatch(/^\[ +\d+ s\] packing …\n$/);
  expect(lines.at(-1)).toMatch(/packing: done in \d+\.\d s\n$/);
  const between = lines.slice(1, -1);
  expect(between.length).toBeGreaterThanOrEqual(2);
  for (const line of between) expect(line).toMatch(/^\[ +\d+ s\] packing: \d of 10, \d+\.\d s so far\n$/);
  const said = lines.length;
  await Bun.sleep(100);
  expect(lines.length).toBe(said);
});

test("nothing is added while enough is said", async () => {
  const { lines, progress } = heard(10_000);
  await progress.step("talking", async () => {
    for (let n = 0; n < 5; n += 1) progress.say(`word ${n}`);
    progress.beat();
  });
  expect(lines.length).toBe(7);
});

test("all that goes on is named in one line, also by work that lets no timer run, and after a failure no more", async () => {
  const { lines, progress } = heard(30);
  const failing = progress.during("the machines", async () => {
    await progress.during("the units", async (tell) => {
      tell("7 tests");
      Bun.sleepSync(50);
      progress.beat();
    });
    throw new Error("broken");
  });
  await expect(failing).rejects.toThrow("broken");
  expect(lines).toEqual([expect.stringMatching(/the machines: \d+\.\d s so far; the units: 7 tests, \d+\.\d s so far\n$/)]);
  await Bun.sleep(80);
  expect(lines.length).toBe(1);
});

test("what is in a folder is counted with all below it", () => {
  expect(amountIn(join(folder, "nothing"))).toBe("");
  mkdirSync(join(folder, "a/b"), { recursive: true });
  writeFileSync(join(folder, "a/one"), new Uint8Array(1_000_000));
  writeFileSync(join(folder, "a/b/two"), new Uint8Array(500_000));
  expect(amountIn(join(folder, "a"))).toBe("1.5 MB");
  expect(amountIn(join(folder, "a/one"))).toBe("1.0 MB");
});

test("tests that have ended are counted while the others run", async () => {
  const tally = join(folder, "tally");
  writeFileSync(tally, "");
  writeFileSync(
    join(folder, "some.test.ts"),
    `import { test } from "bun:test";
     import { readFileSync } from "node:fs";
     for (const name of ["a", "b"]) test(name, () => {});
     test.skip("not", () => {});
     test("fails", () => { throw new Error("with " + readFileSync(${JSON.stringify(tally)}, "utf8").length); });`,
  );
  const argv = [process.execPath, "test", "--preload", join(import.meta.dir, "count-tests.ts"), "./some.test.ts"];
  const child = Bun.spawn(argv, {
    cwd: folder,
    env: { ...process.env, AIOS_TESTS_TALLY: tally },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toContain("error: with 2");
  expect(await Bun.file(tally).text()).toBe("...");
});
