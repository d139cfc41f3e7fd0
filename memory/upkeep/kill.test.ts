/**
 * SIGKILL at random moments, while everything that memory takes is sent to it: whatever was acknowledged is there
 * afterwards, the file is whole, and the index agrees with the rows. 8 times; 500 with AIOS_LONG=1. In every fourth life the
 * sentence model makes vectors, and in some of these its process is killed first.
 */

import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { rpc_error } from "../../contracts/rpc.ts";
import { openReadOnly } from "../../wire/database.ts";
import { loadNative } from "../../wire/native.ts";
import { RpcError } from "../../wire/peer.ts";
import { Keeper } from "../keeper.ts";
import { diskFolder } from "../testing/folder.ts";
import { type MemoryService, spawnMemory, startMemory } from "../testing/service.ts";
import { verifyBackup } from "./backup/verify.ts";
import { backupIn, backupsIn } from "./folders.ts";
import { knowledgeStream, templatesStream, workStream } from "./testing/part-streams.ts";
import { decisions, events, Ledger, links, memories, patient_ms, type Stream } from "./testing/streams.ts";

const rounds = process.env["AIOS_LONG"] === "1" ? 500 : 8;
/** After each kill what it acknowledged is looked for; after so many, and after the last, what all before it acknowledged too. */
const all_checked_every = 10;
const streams: readonly Stream[] = [events, decisions, memories, links, workStream(), knowledgeStream(), templatesStream()];
/** `bun models/build.ts` makes it; `make check` does so first. */
const model_file = join(import.meta.dir, "../../build/models/all-minilm-l6-v2.gguf");
const with_model_every = 4;
/** Stands among the streams for the first vector of a life. */
const vector = "vector";
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

function check(folder: string, ledgers: ReadonlyMap<Stream, Ledger>, all: boolean): void {
  const keeper = new Keeper(folder);
  const db = openReadOnly(join(folder, "memory.db"));
  expect(keeper.degradation).toBeNull();
  expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(keeper.parts.longterm.check()).toEqual([]);
  expect([...keeper.parts.cold.damaged.values()]).toEqual([]);
  for (const [stream, ledger] of ledgers) {
    const fresh = ledger.fresh();
    expect((all ? ledger.lines() : fresh).filter((line) => !stream.holds(line, keeper.parts, db))).toEqual([]);
  }
  db.close();
  keeper.close();
  if (!existsSync(backupsIn(folder))) return;
  for (const name of readdirSync(backupsIn(folder)).filter((one) => !one.startsWith("."))) {
    expect(verifyBackup(backupIn(folder, name), name).faults).toEqual([]);
    rmSync(backupIn(folder, name), { recursive: true });
  }
}

test(`killed ${rounds} times: nothing acknowledged is lost, the file is whole, the index agrees`, async () => {
  const data = diskFolder("memory-kill");
  const outside = diskFolder("memory-kill-ledger");
  const folder = join(data, "memory");
  const ledgers = new Map(streams.map((stream) => [stream, new Ledger(join(outside, stream.name))]));
  const model = existsSync(model_file) ? join(outside, "model.gguf") : null;
  if (model !== null) symlinkSync(model_file, model);
  let vectors = 0;
  const numbers = new Map(streams.map((stream) => [stream, 0]));
  const next = (stream: Stream) => () => {
    const number = numbers.get(stream) ?? 0;
    numbers.set(stream, number + 1);
    return number;
  };
  for (let round = 1; round <= rounds; round += 1) {
    if (round % 5 === 0) await killStarting(data);
    const embeds = model !== null && round % with_model_every === 0;
    const service = await startMemory(data, [], embeds ? model : null);
    // only once each stream was acknowledged something in this round, however slow the machine is
    const waited_for = new Set<Stream | typeof vector>(embeds ? [...streams, vector] : streams);
    const seen = (one: Stream | typeof vector) => () => {
      if (!waited_for.delete(one) || waited_for.size > 0) return;
      if (embeds && round % (2 * with_model_every) === 0) for (const pid of processesOf(model)) process.kill(pid, "SIGKILL");
      setTimeout(() => service.child.kill("SIGKILL"), Math.random() * life_ms_max);
    };
    void work(service, round);
    const made = embeds ? vectorsMade(service, vectors, seen(vector)) : Promise.resolve(vectors);
    await Promise.all([...ledgers].map(([stream, ledger]) => write(service, stream, ledger, next(stream), seen(stream))));
    vectors = await made;
    await service.child.exited;
    // those of the sentence model end with their service, also where nobody ends them
    while (model !== null && processesOf(model).length > 0) await Bun.sleep(20);
    await service.kill();
    check(folder, ledgers, round % all_checked_every === 0 || round === rounds);
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

/** Asks until there are more vectors than there were. @returns how many there were at last */
async function vectorsMade(service: MemoryService, before: number, onMade: () => void): Promise<number> {
  const peer = await service.ask("broker");
  let vectors = before;
  try {
    for (;;) {
      ({ vectors } = await peer.call("stats", {}, patient_ms));
      if (vectors > before) onMade();
      await Bun.sleep(20);
    }
  } catch (error) {
    if (error instanceof RpcError && error.code === rpc_error.unavailable && peer.closed) return vectors;
    throw error;
  }
}

/** Processes that compute with this model. */
function processesOf(model: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  return pids.filter((pid) => /embed\/testing\/child\.ts$/.test(commandOf(pid)[1] ?? "") && commandOf(pid)[2] === model).map(Number);
}

function commandOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
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
  const lines = ledgers.get(events)?.lines() ?? [];
  const id = lines[rounds] ?? "";
  db.prepare("DELETE FROM events WHERE id = ?").run(id);
  expect(lines.filter((line) => !events.holds(line, keeper.parts, db))).toEqual([id]);
  db.close();
  keeper.close();
}
