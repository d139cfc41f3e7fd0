/** The conventional root in namespaces of this machine: systemd is PID 1 there as our PID 1 is in our container. */

import { existsSync } from "node:fs";
import { enterNamespaces, type Namespaces } from "../namespaces.ts";
import { tailOf, waitFor } from "../wait.ts";
import { conventionalRoot } from "./root.ts";

/** Returns when systemd has finished booting. Its root is read-only, as ours is. @param programs seen at /mnt */
export async function startConventional(programs: string): Promise<Namespaces> {
  const conventional = await enterNamespaces({ name: "conventional", root: await conventionalRoot(), programs, inits: ["/sbin/init"] });
  try {
    // "degraded" is an end of booting, too: logind wants a /var that it may write
    const booted = async (): Promise<boolean> =>
      existsSync(`${conventional.root}/run/systemd/private`) &&
      /^(running|degraded)$/m.test((await conventional.inside(["systemctl", "is-system-running"])).out);
    await waitFor("systemd", booted, { limit_ms: 60_000, every_ms: 100, explain: () => tailOf(conventional.log()) });
    return conventional;
  } catch (error) {
    await conventional.kill();
    throw error;
  }
}

/** @returns what it printed. @throws when it failed */
export async function inConventional(conventional: Namespaces, argv: readonly string[], limit_ms?: number): Promise<string> {
  const { status, out } = await conventional.inside(argv, limit_ms);
  if (status !== 0) throw new Error(`running "${argv.join(" ")}" in the conventional container failed: status ${status}`);
  return out;
}
