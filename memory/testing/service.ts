/** The real memory service as a process of its own, with a PID 1 that answers, for tests. */

import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { memory_methods, memory_notifications } from "../../contracts/memory.ts";
import { callerSocket, callerSocketFolder } from "../../contracts/paths.ts";
import { type CoreService, core_services } from "../../contracts/service.ts";
import type { Peer } from "../../wire/peer.ts";
import { type FakeInit, startFakeInit } from "../../wire/testing/fake-init.ts";
import { connectUnix, silent } from "../../wire/unix.ts";

export type MemoryPeer = Peer<Record<never, never>, typeof memory_notifications, typeof memory_methods, Record<never, never>>;

export interface MemoryService {
  readonly init: FakeInit;
  readonly child: Subprocess;
  ask(caller: CoreService): Promise<MemoryPeer>;
  /** With all that it has started, as PID 1 does by its cgroup. @returns when it has ended and its sockets are gone */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** On a busy machine. */
const start_limit_ms = 300_000;
const started = new Set<Subprocess>();
process.on("exit", () => {
  for (const child of started) killGroup(child.pid);
});

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nobody of it is left
  }
}

/**
 * @param data the data folder: memory's is `memory` in it
 * @param wrap what the command is started by
 * @param model the file of the sentence model
 */
export function spawnMemory(data: string, wrap: readonly string[] = [], model: string | null = null): MemoryService {
  const run = mkdtempSync(join(tmpdir(), "memory-run-"));
  for (const caller of core_services) mkdirSync(callerSocketFolder("memory", caller, run), { recursive: true });
  const init = startFakeInit(run, "memory");
  const command = [...wrap, process.execPath, join(import.meta.dir, "start.ts"), run, data, ...(model === null ? [] : [model])];
  const child = Bun.spawn(command, { stdout: "ignore", stderr: "ignore", detached: true });
  started.add(child);
  return {
    init,
    child,
    ask: (caller) =>
      connectUnix(callerSocket("memory", caller, run), {
        ...silent,
        hears: { notifications: memory_notifications, listeners: { event: () => {}, decision: () => {} } },
        calls: memory_methods,
        tells: {},
      }),
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      await child.exited;
      killGroup(child.pid);
      started.delete(child);
      init.close();
    },
  };
}

export async function startMemory(data: string, wrap: readonly string[] = [], model: string | null = null): Promise<MemoryService> {
  const service = spawnMemory(data, wrap, model);
  await service.init.until("memory to be ready", () => service.init.ready.length > 0, start_limit_ms);
  return service;
}
