import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { fakeSystem, type Step as Scripted } from "../../sys/fake.ts";
import type { System } from "../../sys/system.ts";
import { valueInNamespaces } from "../../sys/testing.ts";
import { parseMountInfo, parseSwaps, toTakeDown } from "./mounts.ts";
import { endProcesses } from "./processes.ts";
import { may_replace } from "./sequences.ts";
import { stopInOrder } from "./services.ts";
import { Shutdown, type ShutdownPorts } from "./shutdown.ts";
import { type Step, steps, swapOff, syncMounted, type WayDown } from "./steps.ts";

const ends = (command: "restart" | "power-off" | "kexec"): Scripted => ({ call: "power.reboot", args: [command] });

function way(sys: System, changes: Partial<WayDown> = {}): WayDown {
  const services = { stop: async () => {}, stopOrder: () => [], after: () => [] };
  return { sys, mode: "container", services, works: [], log: () => {}, disks_answer: true, ...changes };
}

function rig(script: Scripted[], changes: Partial<ShutdownPorts> = {}) {
  const said: string[] = [];
  const sys = fakeSystem(script);
  const shutdown = new Shutdown({
    way: () => way(sys),
    mode: "container",
    hold: () => said.push("hold"),
    report: (action, phase) => said.push(`${action}/${phase}`),
    say: (line) => said.push(line),
    last: (action, clean) => said.push(`last/${action}/${clean}`),
    exit: () => said.push("exit"),
    steps: [],
    ...changes,
  });
  return { shutdown, said, sys };
}

const step = (name: string, run: Step["run"], limit_ms = 1000): Step => ({ name, what: "", modes: "both", limit_ms, run });

/** What has to come: a busy machine takes its time. */
async function until(holds: () => boolean): Promise<void> {
  for (let looks = 0; looks < 1000 && !holds(); looks += 1) await Bun.sleep(10);
}

describe("the way down", () => {
  test("holds, takes the steps in order, and ends with reboot(2)", async () => {
    const done: string[] = [];
    const { shutdown, said, sys } = rig([ends("power-off")], {
      steps: [step("one", async () => `${done.push("one")}`), step("two", async () => `${done.push("two")}`)],
    });
    expect(shutdown.request("poweroff", "test")).toBeNull();
    await until(() => said.at(-1) === "last/poweroff/true");
    expect(done).toEqual(["one", "two"]);
    expect(said[0]).toBe("poweroff/request");
    expect(said[1]).toBe("hold");
    expect(said.slice(-2)).toEqual(["aios: poweroff now", "last/poweroff/true"]);
    sys.done();
  });

  test("a step that fails or is late does not stop it", async () => {
    const hang = step("hangs", () => new Promise(() => {}), 20);
    const fail = step("fails", () => Promise.reject(new Error("scripted")));
    const { shutdown, said, sys } = rig([ends("restart")], { steps: [hang, fail] });
    shutdown.request("reboot", "test");
    await until(() => said.at(-1) === "last/reboot/true");
    expect(said).toContain("aios: shutdown: hangs: left behind after 20 ms");
    expect(said).toContain("aios: shutdown: fails: failed: scripted");
    sys.done();
  });

  test("the guard ends it whatever is in work", async () => {
    const hang = step("hangs", () => new Promise(() => {}), 60_000);
    const { shutdown, said, sys } = rig([ends("restart")], { steps: [hang], guard_ms: 30 });
    shutdown.request("reboot", "test");
    await until(() => said.at(-1) === "last/reboot/false");
    expect(said).toContain("aios: shutdown: the way down took too long");
    expect(said.at(-1)).toBe("last/reboot/false");
    sys.done();
  });

  test("a container where reboot(2) is refused: the one case in which PID 1 exits", async () => {
    const { shutdown, said } = rig([{ call: "power.reboot", fails: "EPERM" }]);
    shutdown.request("poweroff", "test");
    await until(() => said.at(-1) === "exit");
    expect(said.at(-1)).toBe("exit");
  });

  test("a machine where it is refused tries a restart, and never exits", async () => {
    const sys = fakeSystem([
      { call: "power.reboot", args: ["power-off"], fails: "EPERM" },
      { call: "power.reboot", args: ["restart"], fails: "EPERM" },
    ]);
    const { shutdown, said } = rig([], { mode: "machine", way: () => way(sys, { mode: "machine" }) });
    shutdown.request("poweroff", "test");
    await until(() => said.at(-1)?.includes("restarting failed too") === true);
    expect(said.at(-1)).toContain("restarting failed too");
    expect(said).not.toContain("exit");
    sys.done();
  });

  test("kexec needs a kernel that is loaded, and ends in it", async () => {
    expect(rig([], { kexecLoaded: () => false }).shutdown.request("kexec", "test")).toContain("no kernel is loaded");
    const { shutdown, sys, said } = rig([ends("kexec")], { kexecLoaded: () => true });
    expect(shutdown.request("kexec", "test")).toBeNull();
    await until(() => said.at(-1) === "last/kexec/true");
    expect(said.slice(-2)).toEqual(["aios: kexec now", "last/kexec/true"]);
    sys.done();
  });

  test("which may take the place of which: only towards less, and asking again changes nothing", async () => {
    expect(may_replace).toEqual({ up: ["kexec", "reboot", "poweroff"], kexec: ["reboot", "poweroff"], reboot: ["poweroff"], poweroff: [] });
    const slow = step("slow", () => Bun.sleep(20).then(() => "done"));
    const { shutdown, said, sys } = rig([ends("power-off")], { steps: [slow] });
    expect(shutdown.request("reboot", "1")).toBeNull();
    expect(shutdown.request("reboot", "2")).toBeNull();
    expect(shutdown.request("poweroff", "3")).toBeNull();
    expect(shutdown.request("reboot", "4")).toContain("a poweroff is under way");
    await until(() => said.at(-1) === "last/poweroff/true");
    sys.done();
  });
});

const of_steps = `
import { readFileSync, writeFileSync } from "node:fs";
import { fakeSystem } from ${JSON.stringify(join(import.meta.dir, "../../sys/fake.ts"))};
import { parseMountInfo, toTakeDown } from ${JSON.stringify(join(import.meta.dir, "mounts.ts"))};
import { steps } from ${JSON.stringify(join(import.meta.dir, "steps.ts"))};
sys.mount.mount({ source: "run", target: "/run", type: "tmpfs" });
const step = (wanted) => steps.find(({ name }) => name === wanted);
`;

describe("steps", () => {
  const named = (name: string) => steps.find((each) => each.name === name) as Step;

  test("stand in this order", () => {
    expect(steps.map(({ name }) => name)).toEqual(["services", "console", "processes", "sync", "devices", "swap", "file systems"]);
  });

  test("services: each ends before those that it comes after, the console stays", async () => {
    const ended: string[] = [];
    const after: Record<string, string[]> = {
      console: [],
      memory: ["console"],
      broker: ["memory"],
      tier: ["broker", "memory"],
      other: ["memory"],
    };
    const stopped = await stopInOrder(
      {
        stop: async (name) => {
          await Bun.sleep(name === "other" ? 30 : 2);
          ended.push(name);
        },
        stopOrder: () => Object.keys(after).reverse(),
        after: (name) => after[name] ?? [],
      },
      (name) => name !== "console",
    );
    expect(stopped).toBe("4 stopped");
    expect(ended.filter((name) => name !== "other")).toEqual(["tier", "broker", "memory"]);
    expect(ended.indexOf("other")).toBeLessThan(ended.indexOf("memory"));
  });

  test("processes: TERM, and KILL for those that do not obey", async () => {
    const obedient = fakeSystem([{ call: "process.kill", args: [-1, 15] }]);
    const left: number[] = [];
    let count = 3;
    expect(await endProcesses(obedient, () => count--)).toBe("3 ended");
    const stubborn = fakeSystem([
      { call: "process.kill", args: [-1, 15] },
      { call: "process.kill", args: [-1, 9], does: () => void left.pop() },
    ]);
    left.push(2);
    expect(await endProcesses(stubborn, () => left[0] ?? 0)).toBe("2 ended, 2 of them by KILL, 0 did not end");
    stubborn.done();
    expect(await endProcesses(fakeSystem([]), () => 0)).toBe("none were left");
  });

  test("devices: all works are done, also when one fails", async () => {
    const done: string[] = [];
    const works = [
      { what: "a", work: () => Promise.reject(new Error("scripted")) },
      { what: "b", work: () => void done.push("b") },
    ];
    expect(await named("devices").run(way(fakeSystem([]), { works }))).toBe("1 of 2 done");
    expect(done).toEqual(["b"]);
  });

  test("swap: every area is taken out of use", async () => {
    const value = await valueInNamespaces(
      `
      writeFileSync("/run/swaps", "Filename\\tType\\tSize\\n/dev/vda5   partition\\t1\\t0\\t-2\\n/dev/zram0 partition\\t1\\t0\\t-3\\n");
      sys.mount.mount({ source: "/run/swaps", target: "/proc/swaps", flags: ["bind"], type: "none" });
      const fake = fakeSystem(["/dev/vda5", "/dev/zram0"].map((path) => ({ call: "mount.swapOffAside", args: [path], does: async () => {} })));
      const said = await step("swap").run({ sys: fake, mode: "machine", disks_answer: true, works: [], log: () => {} });
      try { fake.done(); console.log(JSON.stringify(said)); } catch (error) { console.log(JSON.stringify(error.message)); }
      `,
      { imports: of_steps },
    );
    expect(value).toBe("0 areas out of use, 2 in use"); // the fake leaves them
  });

  test("file systems: unmounted; one in use is made read-only and let go", async () => {
    const value = await valueInNamespaces(
      `
      const targets = toTakeDown(parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")));
      const [in_use, ...others] = [...targets, { target: "/nothing", type: "none" }];
      const first = [
        { call: "mount.unmount", args: [in_use.target], fails: "EBUSY" },
        { call: "mount.mount", args: [{ source: "none", target: in_use.target, type: in_use.type, flags: ["remount", "ro"] }] },
        { call: "mount.unmount", args: [in_use.target, ["detach"]] },
      ];
      const fake = fakeSystem([...first, ...others.slice(0, -1).map(({ target }) => ({ call: "mount.unmount", args: [target] }))]);
      const said = await step("file systems").run({ sys: fake, mode: "machine", disks_answer: true, works: [], log: () => {} });
      let left = "nothing";
      try { fake.done(); } catch (error) { left = error.message; }
      console.log(JSON.stringify({ as_it_should: said === (targets.length - 1) + " unmounted, 1 in use", left }));
      `,
      { imports: `sys.mount.mount({ source: "/usr", target: "/mnt", flags: ["bind"], type: "none" });\n${of_steps}` },
    );
    expect(value).toEqual({ as_it_should: true, left: "nothing" });
  });

  test("sync: disks that do not answer are not touched afterwards", async () => {
    const mounted = () => ["/var/lib/aios", "/mnt/stick"].map((target) => ({ target, type: "ext4", source: "/dev/vda4" }));
    const first: Scripted = { call: "mount.syncAside", args: ["/var/lib/aios"], does: async () => {} };
    const sys = fakeSystem([first, { call: "mount.syncAside", args: ["/mnt/stick"], does: () => new Promise<void>(() => {}) }]);
    const down = way(sys, { mode: "machine" });
    void syncMounted(down, mounted);
    await Bun.sleep(20);
    expect(await named("devices").run({ ...down, works: [{ what: "the seed", work: () => expect.unreachable() }] })).toContain(
      "do not answer",
    );
    expect(await named("swap").run(down)).toContain("do not answer");
    expect(await named("file systems").run(down)).toContain("do not answer");
    const said: string[] = [];
    const broken: Scripted = { call: "mount.syncAside", args: ["/mnt/stick"], does: () => Promise.reject(new Error("EIO")) };
    const answering = way(fakeSystem([first, broken]), { mode: "machine", log: (message) => void said.push(message) });
    expect(await syncMounted(answering, mounted)).toBe("2 file systems written");
    expect([answering.disks_answer, said]).toEqual([true, ["EIO"]]);
  });
});

test("swap: each area is taken out of use, and one that stays is told", async () => {
  const areas = ["/var/lib/aios/swap", "/dev/vdb"];
  const sys = fakeSystem([
    { call: "mount.swapOffAside", args: ["/var/lib/aios/swap"], does: async () => void areas.shift() },
    { call: "mount.swapOffAside", args: ["/dev/vdb"], does: async () => {} },
  ]);
  const told: string[] = [];
  expect(await swapOff({ sys, log: (message) => told.push(message) }, () => [...areas])).toBe("1 areas out of use, 1 in use");
  expect(told.join()).toContain('swapoff "/dev/vdb" failed');
  sys.done();
});

test("mounts: what holds data, the last mounted first; never the root", () => {
  const text = [
    "21 1 254:0 / / ro,relatime - erofs /dev/vda2 ro",
    "22 21 0:5 / /proc rw - proc proc rw",
    "23 21 254:4 / /var/lib/aios rw,noatime shared:1 - ext4 /dev/vda4 rw",
    "24 23 254:5 / /var/lib/aios/a\\040b rw - vfat /dev/vdb1 rw",
    "",
  ].join("\n");
  expect(toTakeDown(parseMountInfo(text)).map(({ target }) => target)).toEqual(["/var/lib/aios/a b", "/var/lib/aios"]);
  expect(parseSwaps("Filename\tType\tSize\n/dev/vda5   partition\t1\t0\t-2\n")).toEqual(["/dev/vda5"]);
});
