import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { memory_methods, memory_notifications } from "../contracts/memory.ts";
import { callerSocket, callerSocketFolder } from "../contracts/paths.ts";
import { rpc_error } from "../contracts/rpc.ts";
import { RpcError } from "../wire/peer.ts";
import { type FakeInit, startFakeInit } from "../wire/testing/fake-init.ts";
import { connectUnix, silent } from "../wire/unix.ts";
import { openDatabase } from "./store/open.ts";
import { Store } from "./store/store.ts";
import { diskFolder } from "./testing/folder.ts";
import { decisionOn, exitedEvent } from "./testing/records.ts";
import { spawnMemory } from "./testing/service.ts";

const started: Subprocess[] = [];
afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
});

interface Running {
  readonly init: FakeInit;
  readonly run: string;
  readonly data: string;
  readonly child: Subprocess;
}

/** @param options.readonly the data folder is on a read-only mount for it */
async function start(options: { data?: string; readonly?: boolean } = {}): Promise<Running> {
  const run = mkdtempSync(join(tmpdir(), "memory-run-"));
  const data = options.data ?? diskFolder("memory-data");
  for (const caller of ["reactive", "console"]) mkdirSync(callerSocketFolder("memory", caller, run), { recursive: true });
  const init = startFakeInit(run, "memory");
  const command = [process.execPath, join(import.meta.dir, "testing", "start.ts"), run, data];
  if (options.readonly === true) {
    const script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
    command.unshift("unshare", "--mount", "sh", "-c", script, data);
  }
  const child = Bun.spawn(command, { stdout: "ignore", stderr: "inherit" });
  started.push(child);
  await init.until("memory to be ready", () => init.ready.length > 0);
  return { init, run, data, child };
}

const ask = (run: string, caller: string, events: string[] = []) =>
  connectUnix(callerSocket("memory", caller, run), {
    ...silent,
    hears: {
      notifications: memory_notifications,
      listeners: { event: ({ id }) => void events.push(id), decision: ({ id }) => void events.push(id) },
    },
    calls: memory_methods,
    tells: {},
  });

test("events of PID 1 and decisions of reactive are durable, listed, told to subscribers and explained", async () => {
  const { init, run } = await start();
  const told: string[] = [];
  const console_peer = await ask(run, "console", told);
  await console_peer.call("subscribe", {});
  await init.until("the subscription", () => init.calls.some((call) => call.method === "events.subscribe"));
  init.emit(exitedEvent(1));
  init.emit(exitedEvent(1));
  const reactive = await ask(run, "reactive");
  expect(statSync(callerSocket("memory", "reactive", run)).mode & 0o777).toBe(0o660);
  const decision = decisionOn(exitedEvent(1), 1);
  expect(await reactive.call("decisions.append", { decisions: [decision] })).toEqual({ written: 1 });
  expect(await reactive.call("events.append", { events: [exitedEvent(1), exitedEvent(2)] })).toEqual({ written: 1 });
  expect(await console_peer.call("decisions.list", { limit: 5 })).toEqual([decision]);
  expect((await console_peer.call("why", { id: decision.id }))?.around).toHaveLength(2);
  expect(told.toSorted()).toEqual([exitedEvent(1).id, exitedEvent(2).id, decision.id].toSorted());
  await init.until("a heartbeat that knows of it", () => init.healths.at(-1)?.facts["events"] === 2);
  expect(init.healths.at(-1)).toMatchObject({ status: "ok", facts: { events: 2, decisions: 1, persistent: true } });
});

test("a caller may do what the contract grants it, and no more", async () => {
  const { run } = await start();
  const reactive = await ask(run, "reactive");
  const refusal = await reactive.call("why", { id: "x" }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(RpcError);
  expect(refusal).toMatchObject({ code: rpc_error.not_permitted });
});

test("TERM ends it with what it was told on the disk", async () => {
  const { run, data, child } = await start();
  const reactive = await ask(run, "reactive");
  await reactive.call("events.append", { events: [exitedEvent(7)] });
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(new Store(openDatabase(join(data, "memory")).db).events).toBe(1);
});

test("a data folder that it may not write: it stays up, answers from RAM and says so", async () => {
  const data = diskFolder("memory-readonly");
  mkdirSync(join(data, "memory"));
  openDatabase(join(data, "memory")).db.close();
  const { init, run } = await start({ data, readonly: true });
  const reactive = await ask(run, "reactive");
  expect(await reactive.call("events.append", { events: [exitedEvent(1)] })).toEqual({ written: 1 });
  expect(await reactive.call("counts", {})).toMatchObject({ events: 1, persistent: false });
  await init.until("a heartbeat", () => init.healths.length > 0);
  expect(init.healths.at(-1)).toMatchObject({ status: "degraded", facts: { persistent: false } });
  expect(init.healths.at(-1)?.detail).toContain("what is new is in RAM only");
});

test("killed at random while it writes: what was acknowledged is there, and the file is whole", async () => {
  const data = diskFolder("memory-kill");
  const acknowledged = new Set<string>();
  let sequence = 0;
  for (let round = 0; round < 8; round += 1) {
    const { run, child, init } = await start({ data });
    const peers = await Promise.all([ask(run, "reactive"), ask(run, "reactive")]);
    // only once something was acknowledged in this round, however slow the machine is
    const enough = acknowledged.size + 20;
    let dying = false;
    const write = async (peer: (typeof peers)[number]): Promise<void> => {
      for (;;) {
        const events = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () => exitedEvent(sequence++));
        try {
          await peer.call("events.append", { events });
        } catch {
          return;
        }
        for (const event of events) acknowledged.add(event.id);
        if (dying || acknowledged.size < enough) continue;
        dying = true;
        setTimeout(() => child.kill("SIGKILL"), Math.random() * 120);
      }
    };
    await Promise.all(peers.map(write));
    await child.exited;
    init.close();
  }
  const open = openDatabase(join(data, "memory"));
  expect(open.degradation).toBeNull();
  expect(open.db.pragma("integrity_check", { simple: true })).toBe("ok");
  const store = new Store(open.db);
  const lost = [...acknowledged].filter((id) => store.event(id) === null);
  expect(lost).toEqual([]);
  expect(acknowledged.size).toBeGreaterThan(100);
}, 600_000);

test("a PID 1 that is busy for long while the service starts does not end it", async () => {
  const service = spawnMemory(diskFolder("memory-data"));
  let answered = false;
  Object.assign(service.init.answers, {
    "events.subscribe": async () => {
      await Bun.sleep(6000); // more than a call usually waits
      answered = true;
      return {};
    },
  });
  await service.init.until("the answer", () => answered, 60_000);
  const before = service.init.healths.length;
  await service.init.until("its next heartbeats", () => service.init.healths.length > before + 1, 60_000);
  expect(service.child.exitCode).toBeNull();
  await service.kill();
}, 180_000);
