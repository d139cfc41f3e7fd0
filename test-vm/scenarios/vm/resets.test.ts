/** Machines that lose power or their file system: always back, with nothing lost that was acknowledged. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { copyFolderOut, extractDataPartition, recoverFileSystem } from "../../machine/disks.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { allReady, decisionWhere, serviceStatus } from "../expect.ts";
import { MemoryWriters } from "../memory-writers.ts";
import { services_without_tiers, without_tiers } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };
const hard_resets = process.env["AIOS_LONG"] === "1" ? 20 : 1;

let machine: Machine;
let writers: MemoryWriters;

beforeAll(async () => {
  machine = await startMachine({ boot: "direct", config: without_tiers });
  await machine.ready();
  writers = new MemoryWriters(new Aiosctl(machine.console_socket));
}, 900_000);

afterAll(() => machine?.kill());

/** Makes the system decide something, and waits until it says that this is kept. */
async function somethingDecided(): Promise<string> {
  const before = await serviceStatus(machine.console, "dhcpcd");
  await machine.sh(`kill -9 ${before.pid}`);
  const fits = (pid: number | null) => pid === before.pid;
  const decision = await decisionWhere(
    machine.console,
    "about dhcpcd",
    ({ trigger }) => trigger.kind === "service.exited" && fits(trigger.facts.pid),
    patient,
  );
  return decision.id;
}

async function isKept(id: string): Promise<void> {
  const why = await machine.console.call("why", { path: { id }, limit_ms: 120_000 });
  expect(why.decisions.map((decision) => decision.id)).toContain(id);
}

/** The chain is whole, and what was begun when the power went has an end: done, undone or said to be uncertain. */
async function auditIsWhole(): Promise<void> {
  const aiosctl = new Aiosctl(machine.console_socket);
  expect(await aiosctl.verify()).toMatchObject({ whole: true, faults: [] });
  const callsIn = async (kind: string): Promise<string[]> =>
    (await aiosctl.audit("--principal", "person:operator", "--kind", kind, "--lines", "100000")).map(({ call }) => call ?? "");
  const [begun, ended] = [await callsIn("intent"), new Set(await callsIn("outcome"))];
  expect(begun.length).toBeGreaterThan(0);
  expect(begun.filter((call) => !ended.has(call))).toEqual([]);
}

test(
  `a hard reset at a random moment loses nothing, ${hard_resets} times`,
  async () => {
    const kept: string[] = [];
    for (let round = 0; round < hard_resets; round += 1) {
      await allReady(machine.console, patient, services_without_tiers);
      const held = writers.acknowledged;
      writers.start();
      kept.push(await somethingDecided());
      await waitFor("acknowledged writes", () => writers.acknowledged >= held + 4, patient);
      await Bun.sleep(Math.random() * 1500);
      writers.powerGoes();
      let after = await machine.reset();
      if (round % 2 === 0) {
        // once more, while it boots
        await Bun.sleep(Math.random() * 8000);
        after = await machine.reset();
      }
      await machine.ready({ after });
      expect((await machine.console.call("status")).data.persistent).toBe(true);
      for (const id of kept) await isKept(id);
      await writers.ended();
      expect(await writers.missing()).toEqual([]);
      await auditIsWhole();
    }
  },
  hard_resets * 600_000,
);

test("a data partition whose file system was shut down after an error is mended by a restart", async () => {
  await allReady(machine.console, patient, services_without_tiers);
  const held = writers.acknowledged;
  writers.start();
  await waitFor("acknowledged writes", () => writers.acknowledged >= held + 4, patient);
  const after = machine.serial().length;
  writers.powerGoes();
  await machine.sh("for file in /sys/fs/ext4/*/trigger_fs_error; do echo test > $file; done");
  const said = async () => (await machine.console.call("status")).degradations.find(({ what }) => what === "data partition");
  const seen = await waitFor("that to be said", said, patient);
  expect(seen.detail).toContain("was shut down by the kernel");
  machine.wasReset();
  await machine.ready({ after });
  const { data, degradations } = await machine.console.call("status");
  expect(data).toMatchObject({ persistent: true, detail: expect.stringContaining("repaired") });
  expect(degradations.map(({ detail }) => detail).join()).toContain("has been repaired");
  await writers.ended();
  expect(await writers.missing()).toEqual([]);
  await auditIsWhole();
}, 900_000);

test("after hard resets, and one more while it writes, memory.db is whole on the disk and holds all that was acknowledged", async () => {
  await allReady(machine.console, patient, services_without_tiers);
  const held = writers.acknowledged;
  writers.start();
  await waitFor("acknowledged writes", () => writers.acknowledged >= held + 2, patient);
  writers.powerGoes();
  await machine.qmp.execute("quit").catch(() => {});
  await machine.ended;
  await writers.ended();
  const partition = join(machine.folder, "data.ext4");
  await extractDataPartition(machine.disk ?? "", partition);
  await recoverFileSystem(partition);
  const copied = join(machine.folder, "copied");
  mkdirSync(copied);
  expect(writers.acknowledged).toBeGreaterThan(0);
  expect(writers.faultsIn(await copyFolderOut(partition, "memory", copied))).toEqual([]);
}, 900_000);
