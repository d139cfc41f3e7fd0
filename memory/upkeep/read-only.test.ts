/**
 * A disk whose file system makes itself read-only under a running memory (ext4 with `errors=remount-ro`). An ordinary
 * `remount,ro` is refused by the kernel as long as memory has its file open for writing.
 */

import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { diskFolder } from "../testing/folder.ts";
import { largeNote } from "../testing/records.ts";
import { startMemory } from "../testing/service.ts";
import { smallDisk } from "../testing/small-disk.ts";
import { checkedOn } from "./testing/checked-on.ts";
import { RetryingWriter } from "./testing/retrying-writer.ts";
import { Ledger } from "./testing/streams.ts";

setDefaultTimeout(300_000);

test("a disk that becomes read-only: said, reading goes on, nothing acknowledged is lost, and it is written again when it is mended", async () => {
  const disk = smallDisk("memory-read-only", 48 * 1024 * 1024);
  const ledger_path = join(diskFolder("memory-read-only-ledger"), "ledger");
  const service = await startMemory(disk.folder, disk.wrap);
  const pid = service.child.pid;
  const writer = new RetryingWriter(await service.ask("reactive"), new Ledger(ledger_path));
  await writer.write(() => writer.acknowledged >= 200);
  const remount = Bun.spawnSync(["nsenter", "--mount", "--target", String(pid), "mount", "-o", "remount,ro", disk.folder]);
  expect(remount.stderr.toString()).toContain("busy");
  await writer.write(() => writer.acknowledged >= 300);

  disk.fail(pid);
  await writer.write(() => writer.refused("keep it and try again"));
  const acknowledged = writer.acknowledged;
  const broker = await service.ask("broker");
  expect(await broker.call("recall", { ids: [largeNote(299).id] })).toMatchObject([{ body: largeNote(299).body }]);
  const { found } = await broker.call("search", { query: largeNote(3).text, mode: "words", filter: {}, limit: 3 });
  expect(found.map(({ memory }) => memory.id)).toContain(largeNote(3).id);
  expect(await broker.call("counts", {})).toMatchObject({ persistent: false });
  expect(service.child.exitCode).toBeNull();

  await service.kill();
  disk.mend();
  const again = await startMemory(disk.folder, disk.wrap);
  const more = new RetryingWriter(await again.ask("reactive"), new Ledger(ledger_path));
  expect(more.acknowledged).toBe(acknowledged);
  await more.write(() => more.acknowledged >= acknowledged + 50);
  await again.kill();
  expect(await checkedOn(disk, ledger_path)).toEqual({ degradation: null, faults: [], missing: [] });
});

const remount = (pid: number, how: "ro" | "rw", folder: string): void => {
  const argv = ["nsenter", "--mount", "--target", String(pid), "mount", "-o", `remount,bind,${how}`, folder];
  const { exitCode, stderr } = Bun.spawnSync(argv);
  if (exitCode !== 0) throw new Error(`mounting "${folder}" anew failed: ${stderr}`);
};

test("a disk that is read-only at the start: what is on it can be read, what is new comes to it when it can be written, without a restart", async () => {
  const data = diskFolder("memory-born-read-only");
  const first = await startMemory(data);
  const old = Array.from({ length: 50 }, (_, n) => largeNote(n));
  expect(await (await first.ask("reactive")).call("append", { memories: old })).toEqual({ written: 50 });
  // as after a power cut: what was written last is in the log of the database
  await first.kill();

  const script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
  const second = await startMemory(data, ["unshare", "--mount", "sh", "-c", script, data]);
  const broker = await second.ask("broker");
  const reactive = await second.ask("reactive");
  expect(await broker.call("recall", { ids: [largeNote(49).id] })).toMatchObject([{ body: largeNote(49).body }]);
  expect(await reactive.call("append", { memories: [largeNote(100)] })).toEqual({ written: 1 });
  expect(await broker.call("counts", {})).toMatchObject({ persistent: false });
  await second.init.until(
    "health that says so",
    () => second.init.healths.at(-1)?.detail.includes("what is on the disk can be read") === true,
  );

  remount(second.child.pid, "rw", data);
  await second.init.until("memory to be on the disk", () => second.init.healths.at(-1)?.facts["persistent"] === true, 60_000);
  expect(second.init.healths.at(-1)).toMatchObject({ status: "ok" });
  expect(await reactive.call("append", { memories: [largeNote(101)] })).toEqual({ written: 1 });
  await second.kill();

  const third = await startMemory(data);
  const ids = [0, 49, 100, 101].map((n) => largeNote(n).id);
  const recalled = await (await third.ask("broker")).call("recall", { ids });
  expect(recalled.map(({ id }) => id)).toEqual(ids);
  await third.kill();
  expect(readdirSync(join(data, "memory")).filter((name) => name.startsWith("replaced-"))).toHaveLength(1);
});
