/** The conventional system with a service out of a package, a repository, and unattended-upgrades more often than anybody runs it. */

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../../wait.ts";
import { makeRepository, type PackagesGround, talker } from "../repository.ts";
import type { Arm } from "../trial.ts";
import { ask, type Careful, startCareful } from "./system.ts";

const files = join(import.meta.dir, "packages");

export async function startCarefulWithPackages(pace: number): Promise<Arm<PackagesGround>> {
  const careful = await startCareful(pace);
  const { ground, root } = careful;
  const { key, offer } = makeRepository(join(root, "srv/repository"));
  rmSync(join(root, "etc/apt/sources.list.d"), { recursive: true, force: true }); // none of them can be reached from here
  cpSync(files, root, { recursive: true });
  for (const timer of ["apt-daily.timer", "apt-daily-upgrade.timer"]) await ask(ground.inside, "systemctl", "stop", timer);
  mkdirSync(join(root, "etc/apt/keyrings"), { recursive: true });
  writeFileSync(join(root, "etc/apt/keyrings/shop.asc"), key.armoured);
  const packages = packagesOf(careful, offer);
  await apt(ground.inside, "update");
  await apt(ground.inside, "install", talker.package);
  await ask(ground.inside, "systemctl", "daemon-reload");
  await ask(ground.inside, "systemctl", "start", talker.service, "upgrade.timer");
  return {
    ...careful,
    ground: { ...ground, packages },
    async quiet(limit_ms) {
      await careful.quiet(limit_ms);
      await waitFor(`"${talker.service}" to run`, packages.runs, { limit_ms, every_ms: 500 });
    },
    async mend() {
      await careful.mend();
      await ground.inside.inside(["systemctl", "reset-failed", talker.service]);
      await ask(ground.inside, "dpkg", "--configure", "--pending");
      await packages.update();
    },
  };
}

function apt(inside: Careful["ground"]["inside"], ...words: string[]): Promise<void> {
  return ask(inside, "apt-get", "--quiet", "--yes", ...words);
}

function packagesOf({ ground: { inside }, root }: Careful, offer: PackagesGround["packages"]["offer"]): PackagesGround["packages"] {
  const dpkg = join(root, "var/lib/dpkg");
  const out = async (argv: readonly string[]): Promise<string> => (await inside.inside(argv)).out.trim();
  return {
    offer,
    version: () => out(["dpkg-query", "--show", "--showformat", "${Version}", talker.package]),
    runs: async () => (await out(["systemctl", "is-active", talker.service])) === "active",
    async update() {
      await ask(inside, "systemctl", "stop", "upgrade.timer", "upgrade.service"); // there is one lock for both
      await apt(inside, "update");
      await apt(inside, "upgrade");
      await inside.inside(["systemctl", "restart", talker.service]);
      await ask(inside, "systemctl", "start", "upgrade.timer");
    },
    // the repository is all that it goes by
    advise: () => {},
    withdraw: () => {},
    halve() {
      const [paragraph = ""] = readFileSync(join(dpkg, "status"), "utf8")
        .split("\n\n")
        .filter((one) => one.startsWith(`Package: ${talker.package}\n`));
      // the journal of dpkg, as a power cut between unpacking and configuring leaves it (dpkg, lib/dpkg/dbmodify.c)
      writeFileSync(join(dpkg, "updates/0000"), `${paragraph.replace(/^Status: .*$/m, "Status: install ok half-configured")}\n`);
      return async () => (await out(["dpkg", "--audit"])) === "" && readdirSync(join(dpkg, "updates")).length === 0;
    },
  };
}
