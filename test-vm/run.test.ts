/** What `make run` and `make container` refuse before anything is built. */

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout } from "./places.ts";

const folder = mkdtempSync(join(tmpdir(), "aios-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function check(...words: string[]): Promise<{ status: number; err: string }> {
  const argv = [process.execPath, join(checkout, "test-vm/run.ts"), ...words, "--check"];
  const child = Bun.spawn(argv, { cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [err, status] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  return { status, err };
}

test("a config that is not there or wrong is refused, with line and key; a good one is not", async () => {
  writeFileSync(join(folder, "good.yaml"), "hostname: lighthouse\n");
  writeFileSync(join(folder, "wrong.yaml"), "hostname: good\nnetwork:\n  defualt: dhcp\nwatchdog: { timeout_s: soon }\n");
  for (const kind of ["machine", "container"]) {
    expect(await check(kind, "--config", "good.yaml", "--fresh")).toEqual({ status: 0, err: "" });
    const wrong = await check(kind, "--config", "wrong.yaml");
    expect(wrong.status).toBe(1);
    expect(wrong.err).toContain('"wrong.yaml"');
    expect(wrong.err).toMatch(/line 3.*defualt/);
    expect(wrong.err).toMatch(/line 4.*timeout_s/);
    expect(await check(kind, "--config", "missing.yaml")).toMatchObject({ status: 1, err: expect.stringContaining("missing.yaml") });
  }
}, 120_000);

test("a container has no network to open", async () => {
  expect(await check("machine", "--net")).toEqual({ status: 0, err: "" });
  expect(await check("container", "--net")).toMatchObject({ status: 1, err: expect.stringContaining("NET=1 with make run") });
}, 120_000);
