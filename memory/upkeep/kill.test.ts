/**
 * SIGKILL at random moments, while everything that memory takes is sent to it: whatever was acknowledged is there
 * afterwards, the file is whole, and the index agrees with the rows. 20 times; 500 with AIOS_LONG=1.
 */

import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { rpc_error } from "../../contracts/rpc.ts";
import { loadNative } from "../../wire/native.ts";
import { RpcError } from "../../wire/peer.ts";
import { Keeper } from "../keeper.ts";
import { diskFolder } from "../testing/folder.ts";
import { type MemoryService, spawnMemory, startMemory } from "../testing/service.ts";
import { openReadOnly } from "./backup/database.ts";
import { verifyBackup } from "./backup/verify.ts";
import { backupIn, backupsIn } from "./folders.ts";
import { decisions, events, Ledger, links, memories, type Stream } from "./testing/streams.ts";

const rounds = process.env["AIOS_LONG"] === "1" ? 500 : 20;
/** Files are looked through after so many kills, and after the last. */
const checked_every = 10;
const streams: readonly Stream[] = [events, decisions, memories, links];
const life_ms_max = 150;
const start_ms_max = 500;

/** Sends until the service is gone; its last change may be there or not. */
async function write(service: MemoryService, stream: Stream, ledger: Ledger, next: () => number, onSent: () => void): Promise<void> {
  const peer = await service.ask(stream.caller);
  for (;;) {
    try {
      ledger.note(await stream.send(peer, next()));
    } catch (error) {
      // only the end of the service may stop it
      if (error instanceof RpcError && error.code === rpc_error.unavailable && peer.closed) return;
      throw error;
    }
    onSent();
  }
}

function check(folder: string, ledgers: ReadonlyMap<Stream, Ledger>): void {
  const keeper = new Keeper(folder);
  const db = openReadOnly(join(folder, "memory.db"));
  expect(keeper.degradation).toBeNull();
  expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(keeper.parts.longterm.check()).toEqual([]);
  expect([...keeper.parts.cold.damaged.values()]).toEqual([]);
  for (const [stream, ledger] of ledgers) expect(lost(stream, ledger, keeper, db)).toEqual([]);
  db.close();
  keeper.close();
  if (!existsSync(backupsIn(folder))) return;
  for (const name of readdirSync(backupsIn(folder)).filter((one) => !one.startsWith("."))) {
    expect(verifyBackup(backupIn(folder, name), name).faults).toEqual([]);
    rmSync(backupIn(folder, name), { recursive: true });
  }
}

function lost(stream: Stream, ledger: Ledger, keeper: Keeper, db: Sqlite.Database): string[] {
  return ledger.lines().filter((line) => !stream.holds(line, keeper.parts, db));
}

test(`killed ${rounds} times: nothing acknowledged is lost, the file is whole, the index agrees`, async () => {
  const data = diskFolder("memory-kill");
  const outside = diskFolder("memory-kill-ledger");
  const folder = join(data, "memory");
  const ledgers = new Map(streams.map((stream) => [stream, new Ledger(join(outside, stream.name))]));
  const numbers = new Map(streams.map((stream) => [stream, 0]));
  const next = (stream: Stream) => () => {
    const number = numbers.get(stream) ?? 0;
    numbers.set(stream, number + 1);
    return number;
  };
  for (let round = 1; round <= rounds; round += 1) {
    if (round % 5 === 0) await killStarting(data);
    const service = await startMemory(data);
    // only once each stream was acknowledged something in this round, however slow the machine is
    const waited_for = new Set(streams);
    const sent = (stream: Stream) => () => {
      if (!waited_for.delete(stream) || waited_for.size > 0) return;
      setTimeout(() => service.child.kill("SIGKILL"), Math.random() * life_ms_max);
    };
    void work(service, round);
    await Promise.all([...ledgers].map(([stream, ledger]) => write(service, stream, ledger, next(stream), sent(stream))));
    await service.kill();
    if (round % checked_every === 0 || round === rounds) check(folder, ledgers);
  }
  for (const ledger of ledgers.values()) expect(ledger.lines().length).toBeGreaterThanOrEqual(rounds);
  loseOne(folder, ledgers);
}, 3_600_000);

/** Long work goes on meanwhile: what is there becomes cold, and every few rounds a backup is made. */
async function work(service: MemoryService, round: number): Promise<void> {
  try {
    const broker = await service.ask("broker");
    if (round % 4 === 0) await broker.call("backup.make", { name: `r${round}` });
    for (;;) await broker.call("segments.move", { older_than_days: 0, limit: 500 });
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
  }
}

async function killStarting(data: string): Promise<void> {
  const service = spawnMemory(data);
  await Bun.sleep(Math.random() * start_ms_max);
  await service.kill();
}

/** The check is able to find a loss. */
function loseOne(folder: string, ledgers: ReadonlyMap<Stream, Ledger>): void {
  const keeper = new Keeper(folder);
  const db = new (loadNative("better-sqlite3") as typeof Sqlite)(join(folder, "memory.db"));
  const ledger = ledgers.get(events) ?? new Ledger("");
  const id = ledger.lines()[rounds] ?? "";
  db.prepare("DELETE FROM events WHERE id = ?").run(id);
  expect(lost(events, ledger, keeper, db)).toEqual([id]);
  db.close();
  keeper.close();
}
