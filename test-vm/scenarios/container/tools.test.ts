/** The tools on a running system, in a container: changes that survive a reboot, and are taken back. */

import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../../image/places.ts";
import { listing_file, listingOf } from "../../../tools/listing.ts";
import { testCatalog } from "../../../tools/testing/catalog.ts";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { within } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { readyAgain, serviceStatus } from "../expect.ts";
import { askForApproval, keepRule, lockOut, makeChanges, stillThere, takeBack } from "../tools-story.ts";
import { without_models } from "../without-models.ts";

const started: Container[] = [];

async function boot(data: string): Promise<{ readonly container: Container; readonly aiosctl: Aiosctl }> {
  const container = await startContainer({ config: without_models, data });
  started.push(container);
  await container.ready("all");
  return { container, aiosctl: new Aiosctl(container.console_socket) };
}

afterEach(async () => {
  for (const container of started.splice(0)) await container.kill();
});

test("what the root tells of its tools is what they say of themselves", () => {
  const listed: unknown = JSON.parse(readFileSync(join(build, "root", listing_file), "utf8"));
  expect(listed).toEqual(listingOf(testCatalog()));
});

test("an operator changes the system, reboots it, and takes everything back", async () => {
  const data = newFolder("data");
  const first = await boot(data);
  const { structuredContent } = await first.aiosctl.done("sys.hostname", {});
  const begin_ms = await makeChanges(first.aiosctl);
  await lockOut(first.aiosctl, () => askForApproval(first.aiosctl));
  await keepRule(first.aiosctl);
  await first.container.console.call("reboot", { reason: "to see what stays" });
  await within("the reboot", 120_000, first.container.ended);

  const second = await boot(data);
  await stillThere(second.aiosctl);
  await takeBack(second.aiosctl, begin_ms, String(structuredContent?.["hostname"]));
});

test("a broker that is killed while it works loses nothing and keeps no half", async () => {
  const { container, aiosctl } = await boot(newFolder("data"));
  await aiosctl.done("fs.mkdir", { path: "/var/lib/aios/work", exist_ok: true });
  const before = await serviceStatus(container.console, "broker");
  const writing = Array.from({ length: 6 }, (_, n) =>
    aiosctl
      .call("fs.write", { path: `/var/lib/aios/work/${n}`, content: `${n}`.repeat(1000), how: "write" }, "--key", `write-${n}`)
      .catch(() => null),
  );
  await Bun.sleep(30);
  process.kill(container.hostPid(before.pid ?? 0), "SIGKILL");
  await Promise.all(writing);
  await readyAgain(container.console, "broker", before.pid);
  for (let n = 0; n < 6; n += 1) {
    const { _meta } = await aiosctl.call(
      "fs.write",
      { path: `/var/lib/aios/work/${n}`, content: `${n}`.repeat(1000), how: "write" },
      "--key",
      `write-${n}`,
    );
    const there = (await aiosctl.call("fs.stat", { path: `/var/lib/aios/work/${n}` }))._meta.status === "done";
    expect({ n, status: _meta.status, there }).toEqual({ n, status: _meta.status, there: _meta.status === "done" });
  }
  expect(await aiosctl.verify()).toMatchObject({ whole: true });
});
