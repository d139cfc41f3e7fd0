/** process.info, process.open_files and process.trace */

import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readStat } from "../../../sys/procfs.ts";
import { callTool, testPlaces } from "../../testing/context.ts";
import { processInfo } from "./info.ts";
import { processOpenFiles } from "./open_files.ts";
import { refusal, sleeper } from "./testing/sleeper.ts";
import { processTrace } from "./trace.ts";

const places = testPlaces();
afterAll(() => places.remove());

test("info of one process", async () => {
  const one = await sleeper();
  const { output } = await callTool(processInfo, { process: one.pid, started_ticks: one.started_ticks }, places.context());
  expect(output.process).toMatchObject({ pid: one.pid, name: "sleep", threads: 1 });
  expect(output.process?.exe).toContain("/sleep");
  expect(output.details).toMatchObject({ cwd: process.cwd(), root: "/", no_new_privs: false, swap_bytes: 0 });
  expect(output.program).toBeNull();
  expect(output.details?.virtual_bytes).toBeGreaterThan(0);
  await one.end();
  expect(await refusal(() => callTool(processInfo, { process: one.pid }, places.context()))).toContain("there is no process");
});

test("open files: kind, access and position, in pages", async () => {
  const file = join(places.work, "open");
  writeFileSync(file, "0123456789");
  const one = await sleeper(["sh", "-c", `exec 7<${file} 8>>${file}; head -c 4 <&7 >/dev/null; exec sleep 600`]);
  const look = async (more = {}) => (await callTool(processOpenFiles, { process: one.pid, ...more }, places.context())).output;
  // The shell has become sleep, and that has let go of the libraries it is linked with
  for (let round = 0; round < 2000 && readStat(one.pid)?.name !== "sleep"; round += 1) await Bun.sleep(1);
  let output = await look();
  for (let round = 0; round < 2000 && output.total !== 5; round += 1) output = await look();
  expect(output.files.filter(({ fd }) => fd > 2)).toEqual([
    { fd: 7, kind: "file", target: file, access: "read", position: 4 },
    { fd: 8, kind: "file", target: file, access: "write", position: 0 },
  ]);
  expect(output.files[0]).toMatchObject({ fd: 0, kind: "device", target: "/dev/null" });
  const page = await look({ offset: 1, limit: 1 });
  expect([page.files.map(({ fd }) => fd), page.truncated, page.total]).toEqual([[1], true, output.total]);
  await one.end();
});

test("a trace sees a process that spins, and one that ends", async () => {
  const spinning = await sleeper(["sh", "-c", "sleep 0.05; while :; do :; done"]);
  const trace = async (input: object) => (await callTool(processTrace, input, places.context())).output;
  const output = await trace({ process: spinning.pid, samples: 6, interval_ms: 100 });
  expect(output.samples.length).toBe(6);
  expect(output.cpu_percent_mean).toBeGreaterThan(0);
  expect(output.samples[0]).toMatchObject({ at_ms: 0, cpu_percent: 0, threads: 1 });
  const ending = trace({ process: spinning.pid, samples: 100, interval_ms: 50 });
  await Bun.sleep(150);
  await spinning.end();
  expect((await ending).ended).toBe(true);
  expect(await refusal(() => trace({ process: process.pid, samples: 120, interval_ms: 10_000 }))).toContain("at most 60000 ms");
});
