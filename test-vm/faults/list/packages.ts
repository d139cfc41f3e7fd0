/** Packages: an update that breaks a service, a generation that is not whole, a weakness that is known. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { serviceStatus } from "../../scenarios/expect.ts";
import type { Fault } from "../fault.ts";
import { type PackagesGround, talker } from "../ours/packages.ts";

const Listed = z.object({ packages: z.array(z.object({ name: z.string(), version: z.string() })) });
const Told = z.object({ outdated_services: z.array(z.unknown()) });

async function version({ aiosctl }: PackagesGround): Promise<string> {
  const { structuredContent } = await aiosctl.done("pkg.list", { contains: talker.package });
  return Listed.parse(structuredContent).packages[0]?.version ?? "none";
}

async function runs({ container }: PackagesGround): Promise<boolean> {
  return (await serviceStatus(container.console, talker.service)).state === "ready";
}

/** It runs in the packages that count. */
async function isCurrent({ aiosctl }: PackagesGround): Promise<boolean> {
  return Told.parse((await aiosctl.done("pkg.history", { limit: 1 })).structuredContent).outdated_services.length === 0;
}

function advisory(affects: string, mended: string): string {
  const ranges = [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: mended }] }];
  return JSON.stringify({
    id: `TEST-${affects}`,
    summary: "it listens to anybody",
    affected: [{ package: { ecosystem: "Debian", name: talker.package }, ranges }],
  });
}

const advisories = ({ disk }: PackagesGround): string => join(disk, "work/advisories.json");

/** What the update itself brings. */
const traces = [/^file\/srv\/repository/];

export const package_faults: readonly Fault<PackagesGround>[] = [
  {
    name: "package-update-breaks",
    family: "packages",
    what: "after an update of its package a service ends at once, again and again",
    noticed: { alarms: ["service-crash-loop", "service-down"], subject: talker.service, rules: ["service-dead"] },
    traces,
    async inject(ground) {
      const before = await version(ground);
      const bad = ground.offer("ends");
      await ground.aiosctl.done("pkg.update", {});
      await ground.aiosctl.call("service.restart", { name: talker.service });
      return async () => (await runs(ground)) && (await version(ground)) === before && before !== bad && (await isCurrent(ground));
    },
    clean: (ground) => void ground.offer("runs"),
  },
  {
    name: "generation-half-made",
    family: "packages",
    what: "the generation of packages that is to count is not there, as after a disk that lost what was written last",
    noticed: { alarms: ["userland-broken"] },
    inject({ disk }) {
      const current = join(disk, "userland/current");
      const lost = 900_000_000;
      writeFileSync(current, `${lost}\n`);
      return () => {
        const folder = join(disk, "userland/generations", readFileSync(current, "utf8").trim());
        return existsSync(join(folder, "record.json")) && existsSync(join(folder, "layer"));
      };
    },
  },
  {
    name: "package-vulnerable",
    family: "packages",
    what: "an advisory says that the installed version of a package is weak, and there is a newer one",
    noticed: { alarms: ["package-vulnerable"], subject: talker.package },
    traces,
    async inject(ground) {
      const before = await version(ground);
      const mended = ground.offer("runs");
      mkdirSync(join(ground.disk, "work"), { recursive: true });
      writeFileSync(advisories(ground), advisory(before, mended), { mode: 0o644 });
      return async () => (await version(ground)) === mended && (await runs(ground)) && (await isCurrent(ground));
    },
    clean: (ground) => rmSync(advisories(ground), { force: true }),
  },
];
