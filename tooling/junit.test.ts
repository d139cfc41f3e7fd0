import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { junit } from "./junit.ts";

test("a report that bun wrote gives its counts and says which tests failed and with what", async () => {
  const folder = mkdtempSync(join(tmpdir(), "aios-junit-"));
  try {
    writeFileSync(
      join(folder, "some.test.ts"),
      `import { describe, expect, test } from "bun:test";
       describe("a room", () => { test("is <shut> & said so", () => { throw new Error('no "key"\\nsecond line'); }); test("works", () => {}); });
       test.skip("later", () => {});`,
    );
    const argv = [process.execPath, "test", "--reporter=junit", `--reporter-outfile=${folder}/report.xml`, "./some.test.ts"];
    await Bun.spawn(argv, { cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exited;
    expect(junit(readFileSync(join(folder, "report.xml"), "utf8"))).toEqual({
      tests: 3,
      failed: 1,
      skipped: 1,
      broken: ['some.test.ts: is <shut> & said so: no "key"'],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("no report is no test", () => {
  expect(junit("")).toEqual({ tests: 0, failed: 0, skipped: 0, broken: [] });
});
