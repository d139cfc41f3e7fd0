/** Packages on a running system, in a container: a service out of the userland, updated, kept over a reboot, taken back. */

import { afterEach, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeDeb, makeKey, type TestKey, writeRepository } from "../../../tools/catalog/pkg/testing/repository.ts";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { waitFor, within } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { readyAgain, serviceStatus } from "../expect.ts";
import { realPackages } from "../real-packages.ts";
import { without_models } from "../without-models.ts";

const started: Container[] = [];
const key = makeKey("container");

afterEach(async () => {
  for (const container of started.splice(0)) await container.kill();
});

async function boot(data: string, signed_by: TestKey): Promise<{ readonly container: Container; readonly aiosctl: Aiosctl }> {
  const indented = signed_by.armoured.trimEnd().replaceAll("\n", "\n        ");
  const source = `uri: file:/var/lib/aios/srv/repository\n      suite: stable\n      components: [main]\n      signed_by: |\n        ${indented}\n`;
  const container = await startContainer({ data, config: `${without_models}packages:\n  sources:\n    - ${source}` });
  started.push(container);
  await container.ready("all");
  return { container, aiosctl: new Aiosctl(container.console_socket) };
}

/** @returns the data folder, with a repository of these versions in it */
function offer(data: string, versions: readonly string[]): void {
  const folder = join(data, "srv/repository");
  mkdirSync(folder, { recursive: true });
  const debs = versions.map((version) =>
    makeDeb(join(data, "debs"), {
      ...{ name: "aios-talker", version },
      files: { "usr/bin/aios-talker": `#!/bin/sh\nwhile sleep 0.2; do echo "this is ${version}, $(id -u)"; done\n` },
    }),
  );
  writeRepository(folder, debs, { key });
}

async function says(aiosctl: Aiosctl, text: string): Promise<void> {
  const said = async (): Promise<boolean> =>
    JSON.stringify((await aiosctl.call("service.logs", { name: "talker", lines: 5 })).structuredContent ?? {}).includes(text);
  await waitFor(`the service to say "${text}"`, said, { limit_ms: 120_000, every_ms: 200 });
}

test("a service out of the userland: installed, updated, kept over a reboot, taken back", async () => {
  const data = newFolder("packages");
  offer(data, ["1.0"]);
  const first = await boot(data, key);
  const begin_ms = Number((await first.aiosctl.done("sys.time", {})).structuredContent?.["now_ms"]);
  const installed = await first.aiosctl.done("pkg.install", { packages: [{ name: "aios-talker" }] });
  process.stderr.write(`the first pkg.install, with the base: ${Math.round(installed._meta.took_ms)} ms\n`);
  expect(installed.structuredContent).toMatchObject({
    ...{ generation: 1, before: 0, outdated_services: [] },
    changes: [{ name: "aios-talker", before: null, after: "1.0" }],
  });
  await first.aiosctl.done("service.define", { name: "talker", argv: ["/usr/bin/aios-talker"], root: "userland" });
  await says(first.aiosctl, "this is 1.0, 2");
  const spawned = await first.aiosctl.done("process.spawn", { argv: ["/usr/bin/dpkg-query", "-W", "aios-talker"], root: "userland" });
  expect(spawned.structuredContent).toMatchObject({ status: 0, stdout: "aios-talker\t1.0\n" });

  offer(data, ["1.0", "2.0"]);
  const planned = await first.aiosctl.call("pkg.update", {}, "--dry-run");
  expect(JSON.stringify(planned.structuredContent)).toContain("aios-talker 1.0 becomes 2.0");
  const updated = await first.aiosctl.done("pkg.update", {});
  process.stderr.write(`pkg.update: ${Math.round(updated._meta.took_ms)} ms\n`);
  expect(updated.structuredContent).toMatchObject({ generation: 2, outdated_services: [{ service: "talker", generation: 1 }] });
  const nothing = await first.aiosctl.call("pkg.install", { packages: [{ name: "aios-talker" }] }, "--dry-run");
  expect(nothing.structuredContent).toMatchObject({ changes: [], final: [] }); // a person is not asked to approve a source's name
  await first.aiosctl.done("service.restart", { name: "talker" });
  await says(first.aiosctl, "this is 2.0");
  expect((await first.aiosctl.done("pkg.history", {})).structuredContent).toMatchObject({ current: 2, outdated_services: [] });
  await first.container.console.call("reboot", { reason: "to see what stays" });
  await within("the reboot", 120_000, first.container.ended);

  const second = await boot(data, key);
  await says(second.aiosctl, "this is 2.0");
  const outcomes = await second.aiosctl.undo("--since", new Date(begin_ms).toISOString());
  expect(outcomes.map(({ tool, status }) => `${tool} ${status}`).filter((one) => !one.endsWith(" done"))).toEqual([]);
  expect((await second.aiosctl.done("pkg.history", {})).structuredContent).toMatchObject({ current: 0 });
  expect((await second.aiosctl.call("pkg.files", { name: "aios-talker" }))._meta.status).toBe("failed");
  expect(await second.aiosctl.verify()).toMatchObject({ whole: true, faults: [] });
}, 300_000);

const web_config = `
server.port = 8080
server.document-root = "/srv/web"
index-file.names = ("index.html")
`;

/** Its answer with the head, by loopback in there. */
async function asked(container: Container): Promise<string> {
  const ask = async (): Promise<string | null> => {
    const { status, out } = await container.sh(["curl", "--silent", "--include", "--max-time", "5", "http://127.0.0.1:8080/"]);
    return status === 0 ? out : null;
  };
  return await waitFor("the web server", ask, { limit_ms: 30_000, every_ms: 200 });
}

test("a web server as Debian has it, with its maintainer scripts: installed, set up, updated, taken back", async () => {
  const packages = await realPackages("lighttpd");
  const data = newFolder("packages");
  const repository = join(data, "srv/repository");
  mkdirSync(repository, { recursive: true });
  writeRepository(repository, [packages.older.deb, ...packages.others], { key });
  const { container, aiosctl } = await boot(data, key);
  const begin_ms = Number((await aiosctl.done("sys.time", {})).structuredContent?.["now_ms"]);
  await aiosctl.done("pkg.install", { packages: [{ name: "lighttpd" }] });
  const enabled = await aiosctl.done("process.spawn", { argv: ["/usr/bin/ls", "/etc/lighttpd/conf-enabled"], root: "userland" });
  expect(enabled.structuredContent).toMatchObject({ status: 0, stdout: expect.stringContaining("99-unconfigured.conf") }); // its script, in Perl
  await aiosctl.done("fs.mkdir", { path: "/srv/web" });
  await aiosctl.done("fs.write", { path: "/srv/web/lighttpd.conf", content: web_config, how: "write" });
  await aiosctl.done("fs.write", { path: "/srv/web/index.html", content: "<p>served</p>\n", how: "write" });
  const argv = ["/usr/sbin/lighttpd", "-D", "-f", "/srv/web/lighttpd.conf"];
  await aiosctl.done("service.define", { name: "web", argv, root: "userland", network: true });
  const version = (text: string): RegExp => new RegExp(`^server: lighttpd/${text.replace(/-[^-]*$/, "").replaceAll(".", "\\.")}\r$`, "im");
  expect(await asked(container)).toMatch(version(packages.older.version));
  expect(await asked(container)).toEndWith("<p>served</p>\n");

  writeRepository(repository, [packages.older.deb, packages.newer.deb, ...packages.others], { key });
  await aiosctl.done("pkg.update", {});
  await aiosctl.done("service.restart", { name: "web" });
  const { pid } = await serviceStatus(container.console, "web");
  expect(pid).not.toBeNull();
  expect(await asked(container)).toMatch(version(packages.newer.version));
  const outcomes = await aiosctl.undo("--since", new Date(begin_ms).toISOString());
  expect(outcomes.map(({ tool, status }) => `${tool} ${status}`).filter((one) => !one.endsWith(" done"))).toEqual([]);
  expect((await aiosctl.call("pkg.files", { name: "lighttpd" }))._meta.status).toBe("failed");
  expect((await aiosctl.call("fs.stat", { path: "/srv/web" }))._meta.status).toBe("failed");
}, 300_000);

test("a broker that is killed while it installs leaves the generation that was current", async () => {
  const data = newFolder("packages");
  offer(data, ["1.0"]);
  const { container, aiosctl } = await boot(data, key);
  await aiosctl.done("pkg.install", { packages: [{ name: "aios-talker" }] });
  offer(data, ["1.0", "2.0"]);
  let version = "1.0";
  for (const wait_ms of [200, 500, 900]) {
    const before = await serviceStatus(container.console, "broker");
    const updating = aiosctl.call("pkg.update", {}).catch(() => null);
    await Bun.sleep(wait_ms);
    process.kill(container.hostPid(before.pid ?? 0), "SIGKILL");
    await updating;
    await readyAgain(container.console, "broker", before.pid);
    const [newest] = (await aiosctl.audit("--tool", "pkg.update")).filter(({ kind }) => kind === "outcome");
    const { structuredContent } = await aiosctl.done("pkg.list", { contains: "aios-talker" });
    if (newest?.status === "done") version = "2.0";
    expect(structuredContent?.["packages"]).toMatchObject([{ name: "aios-talker", version }]);
    expect(await aiosctl.verify()).toMatchObject({ whole: true });
  }
}, 300_000);
