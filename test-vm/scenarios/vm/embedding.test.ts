/** The sentence model on a machine, where the cgroups have limits. */

import { afterAll, expect, test } from "bun:test";
import type { ServiceStatus } from "../../../contracts/service.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { allReady, serviceStatus } from "../expect.ts";

const patient = { limit_ms: 120_000, every_ms: 500 };
const machines: Machine[] = [];
afterAll(async () => {
  for (const machine of machines) await machine.kill();
});

async function booted(memory_mib: number): Promise<Machine> {
  const machine = await startMachine({ boot: "direct", memory_mib });
  machines.push(machine);
  await machine.ready();
  await allReady(machine.console, patient);
  return machine;
}

function memoryWhere(machine: Machine, what: string, fits: (status: ServiceStatus) => boolean): Promise<ServiceStatus> {
  const ask = async (): Promise<ServiceStatus | null> => {
    const status = await serviceStatus(machine.console, "memory");
    return fits(status) ? status : null;
  };
  return waitFor(what, ask, patient);
}

test("1 GiB: the model is loaded within the limits of memory's cgroup", async () => {
  const machine = await booted(1024);
  const { health } = await memoryWhere(machine, "the model", (status) => status.health?.facts["embed_loaded"] === true);
  expect(health?.facts["embed_model"]).toMatch(/^all-minilm-l6-v2@[0-9a-f]{12}$/);
  expect(health?.facts["embed_restarts"]).toBe(0);
  await machine.kill();
}, 300_000);
