/** A whole world for one test: PID 1, memory and broker that are not real, and a real console between them and a real socket. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeBroker, startFakeBroker } from "./fake-broker.ts";
import { type FakeSystem, startFakeSystem } from "./fake-init.ts";
import { type FakeMemory, startFakeMemory } from "./fake-memory.ts";
import { decision, events } from "./records.ts";

export interface World {
  readonly system: FakeSystem;
  readonly memory: FakeMemory | null;
  readonly broker: FakeBroker | null;
  readonly socket: string;
  /** The run directory. */
  readonly folder: string;
  readonly console_pid: number;
  readonly console_alive: () => boolean;
  get(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown): Promise<Response>;
  close(): Promise<void>;
}

export async function startWorld({ memory: with_memory = true, broker: with_broker = true } = {}): Promise<World> {
  const base = mkdtempSync(join(tmpdir(), "console-"));
  const folder = join(base, "run");
  const socket = join(folder, "http", "sock");
  const system = startFakeSystem(folder, socket);
  const memory = with_memory ? startFakeMemory(folder, events, [decision]) : null;
  const broker = with_broker ? startFakeBroker(folder) : null;
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "start.ts"), folder, socket], { stdout: "ignore", stderr: "inherit" });
  await system.init.until("the console to be ready", () => system.init.ready.length > 0);
  if (memory !== null) await system.init.until("the console to find memory", () => memory.subscribers.size > 0);
  if (broker !== null) await system.init.until("the console to find the broker", () => broker.connections > 0);
  const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`http://aios${path}`, { ...init, unix: socket });
  return {
    system,
    memory,
    broker,
    socket,
    folder,
    console_pid: child.pid,
    console_alive: () => child.exitCode === null && child.signalCode === null,
    get,
    post: (path, body) => get(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    async close() {
      child.kill("SIGKILL");
      await child.exited;
      system.init.close();
      memory?.close();
      broker?.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}
