/** The repository of a machine, a copy of one of this host's, and what else faults of packages do there. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestKey } from "../../../tools/catalog/pkg/testing/repository.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { advisory, askedOf } from "../ours/packages.ts";
import type { Watched } from "../ours/watch.ts";
import { makeRepository, type PackagesGround } from "../repository.ts";
import { data, put, type Sh } from "./served.ts";

type Packages = PackagesGround["packages"];

export interface Repository {
  readonly key: TestKey;
  readonly folder: string;
  readonly offer: (how: "runs" | "ends") => string;
}

export function newRepository(): Repository {
  const folder = newFolder("repository");
  return { folder, ...makeRepository(folder) };
}

/** Waits, too, until the machine's clock has passed the signature: one of its future is no good there. */
export async function pushRepository({ folder }: Repository, { container }: Pick<Watched, "container">, sh: Sh): Promise<void> {
  const signed_ms = Date.now();
  const packed = join(newFolder("packed"), "repository.tar");
  const { exitCode, stderr } = Bun.spawnSync(["tar", "-czf", packed, "-C", folder, "."]);
  if (exitCode !== 0) throw new Error(`packing the repository failed: ${stderr.toString()}`);
  await put(sh, readFileSync(packed), "/work/repository.tar");
  const here = `${data}/srv/repository`;
  await sh(
    `mkdir -p ${here}; rm -rf ${here}/dists; tar -xzf /work/repository.tar -C ${here}; chown -R 0:0 ${here}; chmod -R go+rX ${here}`,
  );
  const passed = async (): Promise<boolean> => (await container.console.call("status")).time_ms > signed_ms;
  await waitFor("the machine's clock to pass the signature", passed, { limit_ms: 60_000, every_ms: 200 });
}

export function packagesOf(repository: Repository, watched: Watched, sh: Sh): Packages {
  const advisories = `${data}/work/advisories.json`;
  const current = `${data}/userland/current`;
  return {
    ...askedOf(watched),
    async offer(how) {
      const version = repository.offer(how);
      await pushRepository(repository, watched, sh);
      return version;
    },
    async advise(mended) {
      await sh(`mkdir -p ${data}/work`);
      await put(sh, Buffer.from(advisory(mended)), advisories);
    },
    withdraw: async () => void (await sh(`rm -f ${advisories}`)),
    async halve() {
      await sh(`echo 900000000 > ${current}`);
      return async () =>
        (await sh(`cd ${data}/userland/generations/$(cat ${current}); [ -f record.json ] && [ -d layer ] && echo whole`)) === "whole";
    },
  };
}
