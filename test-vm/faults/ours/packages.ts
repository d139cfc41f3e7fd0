/** Our system with a service out of the userland, and a repository that it gets packages from. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { newFolder } from "../../places.ts";
import { serviceStatus } from "../../scenarios/expect.ts";
import type { Check } from "../fault.ts";
import { makeRepository, type PackagesGround, talker } from "../repository.ts";
import { type Ours, startOurs } from "./system.ts";

const inside = "/var/lib/aios/srv/repository";

export async function startWithPackages(pace: number): Promise<Ours & PackagesGround> {
  // from memory the base of the userland cannot be mounted: this disk is a real one
  const data = newFolder("data");
  const { key, offer } = makeRepository(join(data, "srv/repository"));
  const signed_by = key.armoured.trimEnd().replaceAll("\n", "\n        ");
  const source = `uri: file:${inside}\n      suite: stable\n      components: [main]\n      signed_by: |\n        ${signed_by}\n`;
  const ours = await startOurs(pace, { config: `packages:\n  sources:\n    - ${source}`, data });
  await ours.aiosctl.done("pkg.install", { packages: [{ name: talker.package }] });
  await ours.aiosctl.done("service.define", { name: talker.service, argv: [talker.program], root: "userland" });
  await ours.aiosctl.done("sec.grant", {
    ...{ principal: "tier:tactical", tools: ["pkg.update", "pkg.rollback"], risk: "compensable", expires_in_s: 86_400 },
    resources: [
      { kind: "system", id: "userland" },
      { kind: "package", id: "*" },
    ],
    reason: "what is signed may be updated, and taken back, at night",
  });
  return { ...ours, packages: packagesOf(ours, offer) };
}

const Listed = z.object({ packages: z.array(z.object({ name: z.string(), version: z.string() })) });
const Told = z.object({ outdated_services: z.array(z.unknown()) });

function packagesOf({ aiosctl, container, disk }: Ours, offer: PackagesGround["packages"]["offer"]): PackagesGround["packages"] {
  const advisories = join(disk, "work/advisories.json");
  return {
    offer,
    async version() {
      const { structuredContent } = await aiosctl.done("pkg.list", { contains: talker.package });
      return Listed.parse(structuredContent).packages[0]?.version ?? "none";
    },
    async runs() {
      if ((await serviceStatus(container.console, talker.service)).state !== "ready") return false;
      return Told.parse((await aiosctl.done("pkg.history", { limit: 1 })).structuredContent).outdated_services.length === 0;
    },
    async update() {
      await aiosctl.done("pkg.update", {});
      await aiosctl.call("service.restart", { name: talker.service });
    },
    advise(mended) {
      mkdirSync(join(disk, "work"), { recursive: true });
      writeFileSync(advisories, advisory(mended), { mode: 0o644 });
    },
    withdraw: () => rmSync(advisories, { force: true }),
    halve: () => lostGeneration(join(disk, "userland")),
  };
}

/** In the format of OSV (ossf.github.io/osv-schema). */
function advisory(mended: string): string {
  const ranges = [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: mended }] }];
  return JSON.stringify({
    id: `TEST-${mended}`,
    summary: "it listens to anybody",
    affected: [{ package: { ecosystem: "Debian", name: talker.package }, ranges }],
  });
}

/** The generation that is to count is not there, as after a disk that lost what was written last. */
function lostGeneration(userland: string): Check {
  const current = join(userland, "current");
  writeFileSync(current, "900000000\n");
  return () => {
    const folder = join(userland, "generations", readFileSync(current, "utf8").trim());
    return existsSync(join(folder, "record.json")) && existsSync(join(folder, "layer"));
  };
}
