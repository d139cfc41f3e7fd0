/** What is taken from services that do not touch it, and when it is enough. */

import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { coldMemoryWatch } from "./cold-memory.ts";

const mib = 1024 * 1024;
const look_s = 30;

interface Service {
  readonly has: number;
  /** Of that, what it goes on using: it comes back at once, and each page takes its time. */
  readonly wanted: number;
  readonly may_swap?: boolean;
}

/** Services in folders as the kernel shows them. */
async function run(services: Readonly<Record<string, Service>>, looks: number) {
  const root = mkdtempSync(join(tmpdir(), "cold-"));
  const state = new Map(Object.entries(services).map(([name, service]) => [name, { may_swap: true, ...service, stalled_percent: 0 }]));
  const taken: { readonly name: string; readonly at_s: number; readonly bytes: number }[] = [];
  let at_s = 0;
  const take = async (path: string, text: string): Promise<void> => {
    const name = path.slice(root.length + 1, -"/memory.reclaim".length);
    const service = state.get(name);
    const bytes = Number(text);
    taken.push({ name, at_s, bytes });
    if (service === undefined || bytes > service.has) throw new Error("EAGAIN");
    const back = Math.max(0, service.wanted - (service.has - bytes));
    service.has += back - bytes;
    service.stalled_percent += (0.05 * back) / mib;
  };
  const look = coldMemoryWatch(root, () => 1_000_000 + at_s * 1000, take);
  try {
    for (; at_s < looks * look_s; at_s += look_s) {
      for (const [name, service] of state) {
        service.stalled_percent *= Math.exp(-look_s / 60);
        mkdirSync(`${root}/${name}`, { recursive: true });
        writeFileSync(`${root}/${name}/memory.current`, `${service.has}\n`);
        writeFileSync(`${root}/${name}/memory.swap.max`, service.may_swap ? "max\n" : "0\n");
        const average = service.stalled_percent.toFixed(2);
        writeFileSync(
          `${root}/${name}/memory.pressure`,
          `some avg10=9.00 avg60=${average} avg300=9.00 total=1\nfull avg10=9.00 avg60=9.00`,
        );
      }
      await look();
    }
    return { taken, has: (name: string) => (state.get(name)?.has ?? 0) / mib };
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("what is cold is taken in small steps, once a service has started, down to what it uses; then little is", async () => {
  const { taken, has } = await run({ "system/broker": { has: 96 * mib, wanted: 40 * mib } }, 100);
  expect(taken[0]).toEqual({ name: "system/broker", at_s: 60, bytes: 12 * mib });
  expect(has("system/broker")).toBe(40);
  const late = taken.filter(({ at_s }) => at_s > 1500).reduce((sum, { bytes }) => sum + bytes, 0);
  expect(late / 50).toBeLessThan((40 * mib) / 32);
});

test("a service that waits for what was taken keeps what it has, and the others do not wait for it", async () => {
  const { taken, has } = await run(
    { "tiers/busy": { has: 80 * mib, wanted: 80 * mib }, "tiers/idle": { has: 80 * mib, wanted: 8 * mib } },
    60,
  );
  expect(has("tiers/busy")).toBe(80);
  expect(has("tiers/idle")).toBeLessThan(12);
  const from = (name: string): number => taken.filter((step) => step.name === name && step.at_s < 600).length;
  expect(from("tiers/busy")).toBeLessThan(from("tiers/idle"));
});

test("services that are not ours are left alone", async () => {
  const cold = { has: 80 * mib, wanted: 0 };
  const { taken } = await run({ "work/web": cold, "system/console": cold }, 20);
  expect(new Set(taken.map(({ name }) => name))).toEqual(new Set(["system/console"]));
});

test("of PID 1 only pages of files are taken, as long as nobody in the machine waits for them", async () => {
  const taken = async (percent: string, swap_max: string): Promise<number[]> => {
    const root = mkdtempSync(join(tmpdir(), "cold-"));
    const taken: number[] = [];
    let now_ms = 0;
    const look = coldMemoryWatch(
      root,
      () => now_ms,
      async (path, text) => {
        expect(path).toBe(`${root}/init/memory.reclaim`);
        taken.push(Number(text) / mib);
      },
    );
    mkdirSync(`${root}/init`);
    writeFileSync(`${root}/init/memory.current`, `${80 * mib}\n`);
    writeFileSync(`${root}/init/memory.swap.max`, `${swap_max}\n`);
    writeFileSync(`${root}/init/memory.stat`, `anon ${30 * mib}\nfile ${48 * mib}\nfile_mapped ${24 * mib}\n`);
    writeFileSync(`${root}/memory.pressure`, `some avg10=0.00 avg60=${percent} avg300=0.00 total=1\n`);
    for (; now_ms <= 60_000; now_ms += 30_000) await look();
    rmSync(root, { recursive: true });
    return taken;
  };
  expect(await taken("0.00", "0")).toEqual([6]);
  expect(await taken("0.05", "0")).toEqual([3]);
  expect(await taken("0.20", "0")).toEqual([]);
  expect(await taken("0.00", "max")).toEqual([]); // else it would go to swap
});

test("a service that may not swap holds a model, and is left alone", async () => {
  const cold = { has: 80 * mib, wanted: 0 };
  const { taken } = await run({ "tiers/thinks": { ...cold, may_swap: false }, "tiers/plain": cold }, 20);
  expect(new Set(taken.map(({ name }) => name))).toEqual(new Set(["tiers/plain"]));
});

test("a kernel that does not tell of pressure, and a service that is gone: nothing is taken, nothing fails", async () => {
  const root = mkdtempSync(join(tmpdir(), "cold-"));
  const taken: string[] = [];
  let now_ms = 0;
  const look = coldMemoryWatch(
    root,
    () => now_ms,
    async (path) => {
      taken.push(path);
      throw new Error("ENOENT");
    },
  );
  mkdirSync(`${root}/system/old`, { recursive: true });
  writeFileSync(`${root}/system/old/memory.current`, `${80 * mib}\n`);
  mkdirSync(`${root}/system/gone`, { recursive: true });
  writeFileSync(`${root}/system/gone/memory.current`, `${80 * mib}\n`);
  writeFileSync(`${root}/system/gone/memory.pressure`, "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  for (; now_ms < 300_000; now_ms += 30_000) await look();
  rmSync(root, { recursive: true });
  await look();
  expect(new Set(taken)).toEqual(new Set([`${root}/system/gone/memory.reclaim`]));
});
