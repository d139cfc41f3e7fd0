/** Entropy seed, clock, machine id. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fakeSystem } from "../../sys/fake.ts";
import { builtAt, chooseTime, stepDetector } from "./clock.ts";
import { lossWatch, syncWatch } from "./clock-sync.ts";
import { creditSeed } from "./entropy.ts";
import { chooseMachineId } from "./identity.ts";
import { testBoot } from "./testing.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aios-time-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("entropy seed", () => {
  test("it is replaced on the disk before it is credited, credited once, and saved at shutdown", async () => {
    const path = join(folder, "seed");
    const old = Buffer.alloc(64, 7);
    writeFileSync(path, old);
    let credited: number[] = [];
    let on_disk = Buffer.alloc(0);
    const boot = testBoot(
      fakeSystem([
        {
          call: "entropy.credit",
          does: (seed) => {
            credited = [...seed];
            on_disk = readFileSync(path);
          },
        },
      ]),
    );
    expect(creditSeed(boot, path)).toMatchObject({ outcome: "done", detail: "64 bytes credited, and replaced" });
    expect(credited).toEqual([...old]);
    expect(on_disk).toHaveLength(64);
    expect(on_disk.equals(old)).toBe(false);
    expect(readFileSync(path).equals(old)).toBe(false);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const between = readFileSync(path);
    await boot.told.works[0]?.work();
    expect(readFileSync(path).equals(between)).toBe(false);
  });

  test("one that cannot be replaced is not credited; a first boot lays one", () => {
    expect(creditSeed(testBoot(fakeSystem([])), "/proc/version/seed")).toMatchObject({ outcome: "degraded" });
    expect(creditSeed(testBoot(fakeSystem([])), join(folder, "seed")).detail).toContain("no seed yet");
    expect(statSync(join(folder, "seed")).size).toBe(64);
    const refused = testBoot(fakeSystem([{ call: "entropy.credit", fails: "EPERM" }]));
    expect(creditSeed(refused, join(folder, "seed"))).toMatchObject({ outcome: "degraded", detail: expect.stringContaining("EPERM") });
  });
});

describe("clock", () => {
  const floor_s = 1_800_000_000;
  const year_s = 365 * 86_400;

  test("a sane battery clock is believed", () => {
    const rtc_s = floor_s + 1000;
    expect(chooseTime({ now_ms: 0, floor_s, rtc_s })).toEqual({ set_ms: rtc_s * 1000, from: "by the battery clock", doubt: null });
    expect(chooseTime({ now_ms: rtc_s * 1000 + 400, floor_s, rtc_s }).set_ms).toBeNull();
  });

  test("one before the floor, or far ahead, is not", () => {
    for (const rtc_s of [0, floor_s - 1, floor_s + 30 * year_s]) {
      expect(chooseTime({ now_ms: rtc_s * 1000, floor_s, rtc_s })).toMatchObject({
        set_ms: floor_s * 1000,
        doubt: expect.stringContaining("which cannot be"),
      });
    }
  });

  test("without one: what the kernel has when that is sane, else the floor", () => {
    const now_ms = (floor_s + 5) * 1000;
    expect(chooseTime({ now_ms, floor_s, rtc_s: null })).toMatchObject({ set_ms: null, doubt: "there is no battery clock (RTC)" });
    expect(chooseTime({ now_ms: 0, floor_s, rtc_s: null }).set_ms).toBe(floor_s * 1000);
  });

  test("the build time is read from release.json", () => {
    expect(builtAt('{ "name": "aios", "built_s": 1800000000 }')).toBe(1_800_000_000);
    expect(builtAt("")).toBe(0);
  });

  test("a step is told, drift is not", () => {
    const pairs = [
      [1000, 0],
      [2000.4, 1000],
      [9000, 2000],
      [10_000, 3000],
      [4000, 4000],
    ];
    const script = pairs.flatMap(([real = 0, up = 0]) => [
      { call: "clock.nowMs", args: ["realtime"], returns: real } as const,
      { call: "clock.nowMs", args: ["boottime"], returns: up } as const,
    ]);
    const boot = testBoot(fakeSystem(script));
    const look = stepDetector(boot);
    expect(pairs.slice(1).map(look)).toEqual([null, 6000, null, -7000]);
    expect(boot.told.events.map(({ facts }) => facts)).toEqual([{ by_ms: 6000 }, { by_ms: -7000 }]);
  });
});

describe("the clock and time servers", () => {
  type Script = Parameters<typeof fakeSystem>[0][number];
  const kept = (synchronised: boolean, error_ms: number): Script => ({
    call: "clock.synchronisation",
    returns: { synchronised, error_ms },
  });
  const up = (returns: number): Script => ({ call: "clock.nowMs", args: ["boottime"], returns });

  test("once it is kept, the time is written down and what a dead clock had caused is taken back", () => {
    const boot = testBoot(fakeSystem([kept(false, 16_000), kept(true, 12), kept(true, 13), kept(false, 16_000)]));
    boot.told.degradations.set("clock", "there is no battery clock");
    let written = 0;
    const look = syncWatch(boot, () => {
      written += 1;
    });
    look();
    expect([written, boot.state.clock.synchronised, boot.told.degradations.size]).toEqual([0, false, 1]);
    look();
    look();
    expect([written, boot.state.clock, boot.told.degradations.size]).toEqual([
      1,
      { from: "as the kernel has it", servers: [], synchronised: true, error_ms: 12 + 1 },
      0,
    ]);
    look();
    expect(boot.told.events.map(({ kind, severity, facts }) => [kind, severity, facts])).toEqual([
      ["clock.sync", "notice", { synchronised: true, error_ms: 12 }],
      ["clock.sync", "warning", { synchronised: false, error_ms: 16_000 }],
    ]);
  });

  test("a step is a loss when the clock was kept, and is not a moment later", () => {
    const boot = testBoot(fakeSystem([]));
    const look = lossWatch(boot);
    const at = (by_ms: number | null, synchronised: boolean, servers: string[]): void => {
      boot.state.clock = { ...boot.state.clock, synchronised, servers };
      look(by_ms);
    };
    const servers = ["192.0.2.1"];
    // nobody is asked, or chronyd steps at its start
    for (const by_ms of [null, 5000, null]) at(by_ms, true, []);
    for (const by_ms of [null, null, -172_800_000, null, null]) at(by_ms, false, servers);
    // it steps what it keeps, and goes on
    for (const by_ms of [null, 5000, null]) at(by_ms, true, servers);
    expect(boot.told.events).toEqual([]);
    // set between the two looks, and before them
    for (const [by_ms, kept] of [
      [null, true],
      [null, false],
      [-31_536_000_000, false],
      [null, false],
      [null, false],
    ] as const)
      at(by_ms, kept, servers);
    for (const [by_ms, kept] of [
      [null, true],
      [60_000, false],
      [null, false],
    ] as const)
      at(by_ms, kept, servers);
    expect(boot.told.events.map(({ kind, severity, facts }) => [kind, severity, facts])).toEqual([
      ["clock.lost", "warning", { by_ms: -31_536_000_000, service: "chronyd" }],
      ["clock.lost", "warning", { by_ms: 60_000, service: "chronyd" }],
    ]);
  });

  test("servers that do not answer are told after ten minutes, until one does", () => {
    const late = [kept(false, 16_000), up(1000), kept(false, 16_000), up(600_000), kept(false, 16_000), up(661_000), kept(true, 5)];
    const boot = testBoot(fakeSystem(late));
    boot.state.clock.servers = ["ntp.example.org"];
    const look = syncWatch(boot, () => {});
    look();
    look();
    expect(boot.told.degradations.size).toBe(0);
    look();
    expect(boot.told.degradations.get("time")).toContain("ntp.example.org for 11 minutes");
    look();
    expect(boot.told.degradations.size).toBe(0);
  });
});

describe("machine id", () => {
  const uuid = "12345678-1234-1234-1234-123456789abc";

  test("the kept one stays; what is no id is replaced", () => {
    const kept = "0123456789abcdef0123456789abcdef";
    expect(chooseMachineId(kept, true, uuid)).toEqual({ id: kept, from: "kept" });
    for (const bad of [null, "", "uninitialized", "0".repeat(32), `${kept}0`]) expect(chooseMachineId(bad, true, uuid).from).toBe("new");
    expect(chooseMachineId(null, true, uuid).id).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });

  test("where nothing is kept, the firmware's number gives the same id each time, and does not show", () => {
    const first = chooseMachineId(null, false, uuid);
    expect(chooseMachineId(null, false, uuid.toUpperCase())).toEqual(first);
    expect(first.id).not.toContain("12345678");
    expect(chooseMachineId(null, false, "00000000-0000-0000-0000-000000000000").from).toBe("new");
  });
});
