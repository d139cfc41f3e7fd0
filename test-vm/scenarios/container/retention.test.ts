/**
 * A rule of retention, as a person sets it: shown, approved, done while the system runs and though memory is killed in the middle.
 * What it is about goes, and nothing else.
 */

import { afterEach, expect, test } from "bun:test";
import { chownSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Memory } from "../../../contracts/memory/record.ts";
import { uids } from "../../../init/supervise/table.ts";
import { Keeper } from "../../../memory/keeper.ts";
import { keep_newest } from "../../../memory/retention/choose.ts";
import { boot, exitedEvent, noteMemory } from "../../../memory/testing/records.ts";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { readyAgain, serviceStatus } from "../expect.ts";
import { without_models } from "../without-models.ts";

const started: Container[] = [];
afterEach(async () => {
  for (const container of started.splice(0)) await container.kill();
});

/** Notes and events of years ago. */
const old = 6000;
const fresh = (n: number): Memory => ({ ...noteMemory(n, null), id: `${boot}-fresh-${n}`, time_ms: Date.now(), kind: "lesson" });
const patient = { limit_ms: 300_000, every_ms: 200 } as const;

/** What the system finds when it starts. */
function fill(data: string): void {
  const folder = join(data, "memory");
  const keeper = new Keeper(folder);
  keeper.write(({ longterm, store }) => {
    for (let n = 0; n < old; n += 1) {
      longterm.put(noteMemory(n, null));
      store.addEvent(exitedEvent(n));
    }
    for (let n = 0; n < keep_newest; n += 1) longterm.put(fresh(n));
    longterm.pin(noteMemory(7, null).id, true);
  });
  keeper.close();
  const uid = uids.get("memory") ?? 0;
  for (const path of [folder, ...readdirSync(folder).map((name) => join(folder, name))]) chownSync(path, uid, uid);
}

test("notes of years ago go by a rule that a person set and approved, killed in the middle; all else stays", async () => {
  const data = newFolder("data");
  fill(data);
  const container = await startContainer({ data, config: without_models });
  started.push(container);
  await container.ready("all");
  const aiosctl = new Aiosctl(container.console_socket);
  const said = async (...argv: string[]): Promise<string> => {
    const { status, out, err } = await aiosctl.run(...argv);
    expect(status, `${argv.join(" ")}: ${out} ${err}`).toBe(0);
    return out;
  };
  const deleted = async (): Promise<number> => {
    const { structuredContent } = await aiosctl.call("memory.retention", { tombstones: 0 });
    return Number(structuredContent?.["deleted"] ?? 0);
  };

  const rule = { set: { older_than_days: 365, kinds: ["note"] } };
  const asked = await aiosctl.call("memory.retain", rule);
  expect(asked._meta.status).toBe("waiting");
  expect(await deleted()).toBe(0);
  await said("approve", asked._meta.call, "--why", "nobody needs them");
  await waitFor("something to be deleted", async () => (await deleted()) > 0, patient);
  const memory = await serviceStatus(container.console, "memory");
  process.kill(container.hostPid(memory.pid ?? 0), "SIGKILL");
  await readyAgain(container.console, "memory", memory.pid);
  await waitFor("all of them to be gone", async () => (await deleted()) === old - 1, patient);

  const shown = await said("memory", "retention");
  expect(shown).toContain("365 days");
  expect(shown).toContain(String(old - 1));
  const told = async (): Promise<boolean> => (await said("memory", "search", "deleted by rule of retention")).includes("by rule 1 of");
  await waitFor("it to be told", told, patient);
  expect(await said("memory", "timeline", "--around", exitedEvent(9).id)).toContain("were deleted here by rule 1");
  expect(await container.poweroff()).toBe("SIGINT");

  const keeper = new Keeper(join(data, "memory"));
  const { longterm } = keeper.parts;
  expect(longterm.check()).toEqual([]);
  const each = Array.from({ length: old }, (_, n) => n);
  expect(each.filter((n) => longterm.holds(noteMemory(n, null).id))).toEqual([7]);
  expect(each.filter((n) => keeper.store.event(exitedEvent(n).id) === null)).toEqual([]);
  expect(Array.from({ length: keep_newest }, (_, n) => n).filter((n) => !longterm.holds(fresh(n).id))).toEqual([]);
  keeper.close();
});
