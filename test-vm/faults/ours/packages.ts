/** Our system with a service out of the userland, and a repository that it gets packages from. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { TestKey } from "../../../tools/catalog/pkg/testing/repository.ts";
import { newFolder } from "../../places.ts";
import type { Aiosctl } from "../../scenarios/aiosctl.ts";
import { serviceStatus } from "../../scenarios/expect.ts";
import type { Check } from "../fault.ts";
import { makeRepository, type PackagesGround, talker } from "../repository.ts";
import { type Ours, startOurs } from "./system.ts";
import type { Watched } from "./watch.ts";

/** Where the repository is, as the system sees it. */
const inside = "/var/lib/aios/srv/repository";

type Packages = PackagesGround["packages"];

export async function startWithPackages(pace: number): Promise<Ours & PackagesGround> {
  // from memory the base of the userland cannot be mounted: this disk is a real one
  const data = newFolder("data");
  const { key, offer } = makeRepository(join(data, "srv/repository"));
  const ours = await startOurs(pace, { config: sourceConfig(key), data });
  await setUpPackages(ours.aiosctl);
  return { ...ours, packages: packagesOf(ours, offer) };
}

/** Lines of aios.yaml. */
export function sourceConfig({ armoured }: TestKey): string {
  const signed_by = armoured.trimEnd().replaceAll("\n", "\n        ");
  const source = `uri: file:${inside}\n      suite: stable\n      components: [main]\n      signed_by: |\n        ${signed_by}\n`;
  return `packages:\n  sources:\n    - ${source}`;
}

/** The package, its service, and the grant to update it. The repository is there already. */
export async function setUpPackages(aiosctl: Aiosctl): Promise<void> {
  await aiosctl.done("pkg.install", { packages: [{ name: talker.package }] });
  await aiosctl.done("service.define", { name: talker.service, argv: [talker.program], root: "userland" });
  await aiosctl.done("sec.grant", {
    ...{ principal: "tier:tactical", tools: ["pkg.update", "pkg.rollback"], risk: "compensable", expires_in_s: 86_400 },
    resources: [
      { kind: "system", id: "userland" },
      { kind: "package", id: "*" },
    ],
    reason: "what is signed may be updated, and taken back, at night",
  });
}

const Listed = z.object({ packages: z.array(z.object({ name: z.string(), version: z.string() })) });
const Told = z.object({ outdated_services: z.array(z.unknown()) });

/** What the system itself is asked for. */
export function askedOf({ aiosctl, container }: Watched): Pick<Packages, "version" | "runs" | "update"> {
  return {
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
  };
}

function packagesOf(ours: Ours, offer: Packages["offer"]): Packages {
  const advisories = join(ours.disk, "work/advisories.json");
  return {
    ...askedOf(ours),
    offer,
    advise(mended) {
      mkdirSync(join(ours.disk, "work"), { recursive: true });
      writeFileSync(advisories, advisory(mended), { mode: 0o644 });
    },
    withdraw: () => rmSync(advisories, { force: true }),
    halve: () => lostGeneration(join(ours.disk, "userland")),
  };
}

/** In the format of OSV (ossf.github.io/osv-schema). */
export function advisory(mended: string): string {
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
