/** Every tool of the catalogue, by its cases: refused, undone, killed (`tools/testing/prove.ts`). AIOS_LONG=1 kills everywhere. */

import { beforeAll, expect, test } from "bun:test";
import { cases } from "../../../tools/catalog/cases.ts";
import { testCatalog } from "../../../tools/testing/catalog.ts";
import { compileProof } from "../../../tools/testing/compile.ts";
import { checkout } from "../../places.ts";

const catalog = testCatalog();
const namespaces = ["unshare", "--mount", "--net", "--uts", "--ipc", "--propagation", "private", "--"];
const limit_ms = 600_000;
const long = process.env["AIOS_LONG"] === "1";

let prove = "";
beforeAll(async () => {
  prove = await compileProof();
}, limit_ms);

/** A broker here lives for a tenth of a second: what the second compiler makes in that time (a sixth of all work) is never used. */
const env = { ...process.env, BUN_JSC_useDFGJIT: "0" };

async function proven(...argv: string[]): Promise<void> {
  const child = Bun.spawn([...namespaces, prove, ...argv], { cwd: checkout, env, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [status, said] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  expect(status, said).toBe(0);
}

test("every tool has a case", () => {
  const covered = new Set(cases.map(({ tool }) => tool));
  expect(catalog.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
});

test("every case has a tool and a name of its own", () => {
  const names = cases.map(({ tool, name }) => `${tool} ${name}`);
  expect(new Set(names).size).toBe(names.length);
  const tools = new Set(catalog.map(({ name }) => name));
  expect(cases.map(({ tool }) => tool).filter((tool) => !tools.has(tool))).toEqual([]);
});

/** Whether the kernel can make such a device. */
function has(device: string): boolean {
  return Bun.spawnSync(["unshare", "--net", "--", "/sbin/ip", "link", "add", "name", "try", "type", device]).success;
}

for (const one of cases)
  test.concurrent.skipIf(one.needs !== undefined && !has(one.needs))(
    `${one.tool} ${one.name}: refused, undone, killed`,
    () => proven(one.tool, one.name, ...(long ? ["--all"] : [])),
    limit_ms,
  );
