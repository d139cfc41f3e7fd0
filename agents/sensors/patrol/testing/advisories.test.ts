/** Advisories as the runbook has them fetched, and held against packages by the real sec.scan. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testPlaces } from "../../../../tools/testing/context.ts";
import type { AskTool } from "../../../shared/ask-tool.ts";
import { AdvisoryPatrol, advisories_path } from "../packages.ts";
import { realTools } from "./real-tools.ts";

const tests = testPlaces();
const at = (name: string): string => join(tests.work, name);
const day_ms = 86_400_000;
const userland = at("userland");
const file = at("advisories.json");
let archive = new Uint8Array();
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: ({ url }) => (url.endsWith("all.zip") ? new Response(archive) : new Response("", { status: 404 })),
});
afterAll(() => {
  void server.stop(true);
  tests.remove();
});

/** This machine's own release and one of its packages: what the service finds in its userland. */
const release = /^VERSION_ID="?([0-9]+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
const one = (id: string, name: string, events: readonly object[], more: object = {}) => ({
  ...{ id, details: "x".repeat(1000), ...more },
  affected: [
    {
      package: { ecosystem: `Debian:${release}`, name, purl: `pkg:deb/debian/${name}` },
      ranges: [{ type: "ECOSYSTEM", events }],
      versions: ["1"],
    },
  ],
});
const mended = [{ introduced: "0" }, { fixed: "99:1" }];
const told = [
  one("DSA-1", "dpkg", mended, { summary: "of the userland" }),
  one("DSA-2", "of-the-image", mended),
  one("DSA-3", "dpkg", [{ introduced: "0" }]),
  one("DSA-4", "of-nobody-here", mended),
  one("DSA-5", "dpkg", mended, { withdrawn: "2026-01-01T00:00:00Z" }),
  { id: "DSA-6", affected: [{ package: { ecosystem: "Debian:7", name: "dpkg" }, ranges: [{ type: "ECOSYSTEM", events: mended }] }] },
  { id: "DSA-7" },
];

beforeAll(() => {
  for (const each of told) writeFileSync(at(`${each.id}.json`), JSON.stringify(each));
  const made = Bun.spawnSync(["/usr/bin/python3", "-m", "zipfile", "-c", at("all.zip"), ...told.map(({ id }) => at(`${id}.json`))]);
  expect(made.stderr.toString()).toBe("");
  archive = readFileSync(at("all.zip"));
  const sbom = { packages: [{ name: "zod" }, { name: "x", sourceInfo: "built from the Debian source package of-the-image 1-2" }] };
  writeFileSync(at("sbom.json"), JSON.stringify(sbom));
  mkdirSync(join(userland, "var/lib/dpkg"), { recursive: true });
  writeFileSync(
    join(userland, "var/lib/dpkg/status"),
    "Package: dpkg\nStatus: install ok installed\nVersion: 1.22\n\nPackage: of-nobody-here\nStatus: install ok installed\nVersion: 1\n",
  );
});

/** The program of the service that the runbook defines, with the test's places for the system's. */
async function fetched(path: string): Promise<{ readonly status: number; readonly said: string }> {
  const page = readFileSync(join(import.meta.dir, "../../../../knowledge/runbooks/fetch-advisories.md"), "utf8");
  expect(/`service\.define (.*)`/.exec(page)?.[1]).not.toContain("'"); // which ends the words of a shell
  const { argv } = JSON.parse(/`service\.define (\{.*\})`/.exec(page)?.[1] ?? "null") as { readonly argv: readonly string[] };
  expect(argv.slice(4)).toEqual(["/srv/sbom.spdx.json", advisories_path, "/var/lib/aios/services/advisories"]);
  const child = Bun.spawn([...argv.slice(0, 3), `http://127.0.0.1:${server.port}/${path}`, at("sbom.json"), file, tests.work], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error, status] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { status, said: (out + error).trim().split("\n").at(-1) ?? "" };
}

/** The real tools, in a system whose userland is that of the test. */
const real = realTools(() => tests.context());
const asked: string[] = [];
const ask = (async (tool: string, args: Readonly<Record<string, unknown>>, why: string) => {
  asked.push(tool);
  if (tool === "pkg.history") return { current: 1, generations: [{ number: 1, principal: "person:anna" }], outdated_services: [] };
  if (tool === "pkg.list") return { total: 2 };
  if (tool === "fs.stat") return await real("fs.stat", { ...args, path: file }, why);
  expect(args).toMatchObject({ advisories: advisories_path, package_roots: ["/run/aios/userland/current"] });
  const { findings, next_offset } = await real("sec.scan", { ...args, advisories: file, package_roots: [userland], limit: 1 }, why);
  return { findings: findings.map((each) => ({ ...each, where: each.where.replace(userland, "/run/aios/userland/1") })), next_offset };
}) as AskTool;

test("where nobody has fetched any, the patrol says so and what to do, and asks nothing else", async () => {
  const patrol = new AdvisoryPatrol();
  expect(patrol.says).toBeNull();
  expect(await patrol.look(ask)).toBeNull();
  expect(patrol.says).toBe(
    `no known weaknesses are held against the packages: ${advisories_path} is not there; the runbook fetch-advisories says how they are fetched each day`,
  );
  expect(asked.splice(0)).toEqual(["fs.stat"]);
  const away = (() => Promise.reject(new Error("asking fs.stat failed: the broker is away"))) as AskTool;
  await expect(patrol.look(away)).rejects.toThrow("the broker is away");
});

test("fetched by the runbook's service: what is installed, in its release, and mended; each package that is weak is told", async () => {
  expect(await fetched("all.zip")).toEqual({ status: 0, said: "2 advisories" });
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(["DSA-1", "DSA-2"]);
  expect(lines.join("").length).toBeLessThan(800);
  const patrol = new AdvisoryPatrol();
  expect(await patrol.look(ask)).toEqual([
    { figure: "package.vulnerable", subject: "dpkg", value: 1, untrusted: "DSA-1: dpkg 1.22 is affected: of the userland" },
  ]);
  expect(patrol.says).toBe("known weaknesses are held against the packages as of 0 days ago");
  expect(asked.splice(0)).toEqual(["fs.stat", "pkg.history", "pkg.list", "sec.scan"]);
});

test("one that cannot be fetched leaves the file as it was; one that is days old is said", async () => {
  const before = readFileSync(file, "utf8");
  expect(await fetched("nowhere")).toEqual({ status: 1, said: "urllib.error.HTTPError: HTTP Error 404: Not Found" });
  const whole = archive;
  archive = whole.slice(0, whole.length / 2);
  expect((await fetched("all.zip")).said).toContain("BadZipFile");
  archive = whole;
  expect(readFileSync(file, "utf8")).toBe(before);
  const old = (Date.now() - 4.5 * day_ms) / 1000;
  utimesSync(file, old, old);
  const patrol = new AdvisoryPatrol();
  await patrol.look(ask);
  expect(patrol.says).toStartWith("known weaknesses are held against the packages as of 4 days ago; the runbook fetch-advisories says");
});

test("more findings than one answer holds: all are asked for", async () => {
  const both = [one("DSA-1", "dpkg", mended), one("DSA-4", "of-nobody-here", mended)];
  writeFileSync(file, both.map((each) => JSON.stringify(each)).join("\n"));
  asked.splice(0);
  const found = await new AdvisoryPatrol().look(ask);
  expect(found?.map(({ subject }) => subject).sort()).toEqual(["dpkg", "of-nobody-here"]);
  expect(asked.filter((tool) => tool === "sec.scan")).toHaveLength(2);
});

test("a file in which there is no advisory is a fault: somebody meant it to be there", async () => {
  writeFileSync(file, "");
  await expect(new AdvisoryPatrol().look(ask)).rejects.toThrow("there is no advisory in it");
});
