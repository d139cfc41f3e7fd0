/** Machines that stand still or panic: running again by themselves. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { console_only } from "../without-models.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };

let machine: Machine;

beforeAll(async () => {
  machine = await startMachine({ boot: "direct", config: `${console_only}watchdog: { timeout_s: 10 }\n` });
  await machine.ready();
}, 900_000);

afterAll(() => machine?.kill());

test("the watchdog resets a machine whose PID 1 stands still", async () => {
  const after = machine.serial().length;
  // the freezer stops what no signal can stop from inside
  await machine.sh(
    "mkdir -p /cg; mount -t cgroup2 none /cg 2>/dev/null; cat /proc/1/cgroup > /work/where; echo 1 > /cg/$(cut -d : -f 3 /work/where)/cgroup.freeze",
  );
  await waitFor("the watchdog", () => machine.qmp.count("WATCHDOG") > 0, patient);
  machine.wasReset();
  await machine.ready({ after });
}, 900_000);

test("a kernel that panics restarts the machine", async () => {
  const resets = machine.qmp.count("RESET");
  const after = machine.serial().length;
  // out of memory is made a panic, and then there is none
  const eat = "echo 0 > /cg/work/greedy/cgroup.procs; exec tail /dev/zero";
  await machine.sh("mkdir -p /cg; mount -t cgroup2 none /cg 2>/dev/null; echo 2 > /proc/sys/vm/panic_on_oom");
  await machine.sh(`mkdir -p /cg/work/greedy; echo 20M > /cg/work/greedy/memory.max; (sh -c '${eat}' &)`);
  await waitFor("the panic", () => machine.serial().slice(after).includes("Kernel panic"), patient);
  await waitFor("the restart", () => machine.qmp.count("RESET") > resets, patient);
  // by itself; without that it would be the watchdog that does it
  expect(machine.serial().slice(after)).toContain("Rebooting in 10 seconds");
  machine.wasReset();
  await machine.ready({ after });
}, 900_000);
