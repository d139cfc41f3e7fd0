import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, cpSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { rpc_error } from "../../../contracts/rpc.ts";
import { Keeper } from "../../keeper.ts";
import { diskFolder } from "../../testing/folder.ts";
import { exitedEvent } from "../../testing/records.ts";
import { startMemory } from "../../testing/service.ts";
import { pendingIn, stagingIn } from "../folders.ts";
import { sha256Of } from "./files.ts";
import { makeBackup } from "./make.ts";
import { decideRestore, finishRestore, stage } from "./restore.ts";
import { verifyBackup } from "./verify.ts";

// helpers are processes of their own: on a busy machine they take their time
setDefaultTimeout(60_000);

const long_ms = 60_000;

/** A memory with `count` events and a backup of it named `first`; then ten more events. */
async function withBackup(count = 50): Promise<string> {
  const folder = join(diskFolder("memory-backup"), "memory");
  const keeper = new Keeper(folder);
  keeper.write(({ store }) => Array.from({ length: count }, (_, n) => store.addEvent(exitedEvent(n))));
  await makeBackup({ do: "backup", folder, name: "first", time_ms: 1000 });
  keeper.write(({ store }) => Array.from({ length: 10 }, (_, n) => store.addEvent(exitedEvent(1000 + n))));
  keeper.close();
  return folder;
}

function eventsIn(folder: string): number {
  const keeper = new Keeper(folder);
  expect(keeper.degradation).toBeNull();
  const { events } = keeper.store;
  keeper.close();
  return events;
}

test("while the service is written to: a backup holds what was acknowledged before it, is verified, and can be put back", async () => {
  const data = diskFolder("memory-backup");
  const service = await startMemory(data);
  const [reactive, broker] = await Promise.all([service.ask("reactive"), service.ask("broker")]);
  let sequence = 0;
  const append = async (): Promise<void> => {
    const events = Array.from({ length: 20 }, () => exitedEvent(sequence++));
    await reactive.call("events.append", { events });
  };
  for (let n = 0; n < 20; n += 1) await append();
  const before = sequence;
  let over = false;
  const writing = (async () => {
    while (!over) await append();
  })();
  const { backup } = await broker.call("backup.make", { name: "nightly" }, long_ms);
  over = true;
  await writing;
  expect(sequence).toBeGreaterThan(before);
  expect(backup.rows["events"]).toBeGreaterThanOrEqual(before);
  expect((await broker.call("backup.list", {})).backups).toEqual([backup]);
  expect(await broker.call("backup.verify", { name: "nightly" }, long_ms)).toMatchObject({ backup, faults: [] });
  const again = await broker.call("backup.make", { name: "nightly" }, long_ms).catch((error: unknown) => error);
  expect(String(again)).toContain("choose another name");

  const restored = await broker.call("backup.restore", { name: "nightly" }, long_ms);
  expect(await broker.call("counts", {})).toMatchObject({ events: backup.rows["events"], persistent: true });
  expect(await reactive.call("events.append", { events: [exitedEvent(900_000)] })).toEqual({ written: 1 });
  expect(eventsIn(join(data, "memory", restored.set_aside))).toBe(sequence);
  await service.kill("SIGTERM");
}, 600_000);

test("one long job at a time; a name is no path", async () => {
  const service = await startMemory(diskFolder("memory-backup"));
  const broker = await service.ask("broker");
  const both = await Promise.allSettled([
    broker.call("backup.make", { name: "a" }, long_ms),
    broker.call("backup.make", { name: "b" }, long_ms),
  ]);
  expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(both[1]).toMatchObject({ reason: { code: rpc_error.conflict } });
  for (const name of ["../x", "/etc/x", ".hidden", "a/b", ""]) {
    expect(await broker.call("backup.make", { name }).catch((error: unknown) => error)).toMatchObject({ code: rpc_error.invalid_params });
  }
  await service.kill();
}, 600_000);

const changes: readonly [string, string, (backup: string) => void][] = [
  ["a page of the database overwritten", "SHA-256 differs", (backup) => damage(join(backup, "memory.db"))],
  [
    "a database of another memory put in its place",
    "SHA-256 differs",
    (backup) => writeFileSync(join(backup, "memory.db"), "x".repeat(8192)),
  ],
  ["a manifest that is no manifest", "reading the manifest", (backup) => writeFileSync(join(backup, "manifest.json"), "{}")],
];
test.each(changes)("%s: verify says so, and restore touches nothing", async (_, said, change) => {
  const folder = await withBackup();
  change(join(folder, "backups", "first"));
  expect(verifyBackup(join(folder, "backups", "first"), "first").faults.join()).toContain(said);
  expect(() => stage({ do: "stage", folder, name: "first" })).toThrow("is not whole");
  expect(existsSync(stagingIn(folder))).toBe(false);
  expect(eventsIn(folder)).toBe(60);
});

test("a backup by a later version is refused before anything is touched", async () => {
  const folder = await withBackup();
  const path = join(folder, "backups", "first", "memory.db");
  const bytes = readFileSync(path);
  bytes.writeUInt32BE(99, 60); // sqlite.org/fileformat.html: user_version
  writeFileSync(path, bytes);
  const manifest_path = join(folder, "backups", "first", "manifest.json");
  const manifest = readFileSync(manifest_path, "utf8");
  writeFileSync(manifest_path, manifest.replace(/"sha256": "[0-9a-f]+"/, `"sha256": "${sha256Of(path)}"`));
  expect(verifyBackup(join(folder, "backups", "first"), "first").faults.join()).toContain("its schema is 99");
  expect(() => stage({ do: "stage", folder, name: "first" })).toThrow("boot the version that wrote it");
  expect(eventsIn(folder)).toBe(60);
});

test("a restore that ends at any moment leaves the old memory or the new one, whole", async () => {
  const made = await withBackup();
  const copyOf = (): string => {
    const folder = join(diskFolder("memory-restore"), "memory");
    cpSync(made, folder, { recursive: true });
    return folder;
  };
  const killed_before = copyOf();
  stage({ do: "stage", folder: killed_before, name: "first" });
  expect(eventsIn(killed_before)).toBe(60);

  // every prefix of the steps after the decision, each followed by a start
  for (let steps = 0; ; steps += 1) {
    const folder = copyOf();
    stage({ do: "stage", folder, name: "first" });
    decideRestore(folder, { name: "first", set_aside: "replaced-test" });
    const child = Bun.spawnSync([process.execPath, join(import.meta.dir, "..", "testing", "killed-restore.ts"), folder, String(steps)], {
      stderr: "inherit",
    });
    expect(eventsIn(folder)).toBe(50);
    expect(existsSync(pendingIn(folder))).toBe(false);
    expect(eventsIn(join(folder, "replaced-test"))).toBe(60);
    if (child.signalCode === undefined) {
      expect(steps).toBeGreaterThan(6);
      break;
    }
    expect(child.signalCode).toBe("SIGKILL");
  }
  expect(finishRestore(made)).toBeNull();
}, 600_000);

test("a backup that was not finished is not listed, and its name can be used", async () => {
  const folder = await withBackup();
  cpSync(join(folder, "backups", "first"), join(folder, "backups", ".second"), { recursive: true });
  await makeBackup({ do: "backup", folder, name: "second", time_ms: 2000 });
  expect(readdirSync(join(folder, "backups")).sort()).toEqual(["first", "second"]);
  expect(verifyBackup(join(folder, "backups", "second"), "second")).toMatchObject({ faults: [], backup: { rows: { events: 60 } } });
});

function damage(path: string): void {
  const fd = openSync(path, "r+");
  const page = Math.floor(fstatSync(fd).size / 4096 / 2);
  writeSync(fd, Buffer.alloc(100, 0x5a), 0, 100, page * 4096 + 50);
  closeSync(fd);
}
