/**
 * The one executable of the system. The first argument is the role; each role loads only its own modules, so that a
 * process does not pay for what it does not run.
 */

import "./wire/plain-zod.ts";
import { basename } from "node:path";

type Main = () => Promise<void>;

const roles: Readonly<Record<string, () => Promise<Main>>> = {
  init: async () => (await import("./init/main.ts")).main,
  console: async () => (await import("./console/main.ts")).main,
  memory: async () => (await import("./memory/main.ts")).main,
  "memory-job": async () => (await import("./memory/upkeep/job-main.ts")).main,
  embed: async () => (await import("./memory/embed/child.ts")).main,
  think: async () => (await import("./agents/model/local/child.ts")).main,
  broker: async () => (await import("./tools/main.ts")).main,
  "measure-model": async () => (await import("./tools/catalog/model/measure.ts")).main,
  "serve-files": async () => (await import("./tools/serve-files/main.ts")).main,
  reactive: async () => (await import("./agents/reactive/main.ts")).main,
  operational: async () => (await import("./agents/operational/main.ts")).main,
  tactical: async () => (await import("./agents/tactical/main.ts")).main,
  strategic: async () => (await import("./agents/strategic/main.ts")).main,
  "dhcp-hook": async () => {
    const { dhcpHook } = await import("./init/dhcp-hook.ts");
    return async () => process.exit(dhcpHook(process.env));
  },
  version: async () => (await import("./init/version.ts")).main,
};

/** dhcpcd calls its hook by path, without arguments of ours: the link's name is the role. */
function wantedRole(): string | undefined {
  const called_as = basename(process.argv0);
  return called_as === "dhcp-hook" ? called_as : process.argv[2];
}

async function start(): Promise<void> {
  const role = wantedRole();
  const load = role !== undefined && Object.hasOwn(roles, role) ? roles[role] : undefined;
  if (load === undefined) {
    const said = role === undefined ? "no role was given" : `there is no role "${role}"`;
    process.stderr.write(`aios: choosing a role failed: ${said}; usage: aios ${Object.keys(roles).join("|")}\n`);
    process.exit(2);
  }
  const main = await load();
  await main();
}

void start();
