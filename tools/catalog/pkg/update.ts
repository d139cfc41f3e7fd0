/** pkg.update */

import { z } from "zod";
import type { Context } from "../../context.ts";
import { quote } from "../../paths/path-text.ts";
import { type Target, ToolError } from "../../tool.ts";
import { limit_field, requestOf, type Wanted } from "./shared/change.ts";
import { changeTool } from "./shared/change-tool.ts";
import { showCurrent } from "./shared/mounts.ts";
import { PackageName } from "./shared/names.ts";
import { signedPackage, userland } from "./shared/resources.ts";
import { installedIn } from "./shared/status.ts";

const Input = z.lazy(() =>
  z.strictObject({
    packages: z.array(PackageName).max(64).default([]).describe("only these, with what they depend on; empty: all that are installed"),
    timeout_ms: limit_field,
  }),
);
type Input = z.infer<typeof Input>;

const name = "pkg.update";

export const update = changeTool<Input, Target>({
  name,
  title: "Update packages",
  description:
    "Fetches what the sources have to offer, checks its signatures, and brings the installed packages of the userland (all, or those that are named) to their newest versions. Makes a new generation when anything is newer; settings that were changed are kept. Running services stay in their generation until they are restarted: the answer names those. Never removes a package; to add one use pkg.install. With dry_run it tells what is newer.",
  input: Input,
  idempotent: true,
  open_world: true,
  resolve,
  wanted: (_target, input) => wantedOf(input),
});

async function resolve({ packages }: Input, context: Context): Promise<Target> {
  const installed = installedIn(await showCurrent(context), context);
  const unknown = packages.find((one) => !installed.has(one));
  if (unknown !== undefined) throw new ToolError(`updating ${quote(unknown)} failed: it is not installed; pkg.install installs it`);
  return { resources: [userland, ...packages.map((one) => signedPackage(one, undefined, "write", installed))] };
}

function wantedOf({ packages, timeout_ms }: Input): Wanted {
  return {
    verb: "updating",
    argv: packages.length === 0 ? ["upgrade", "--with-new-pkgs"] : ["--no-remove", "--only-upgrade", "install", "--", ...packages],
    files: [],
    lists: "fetch",
    request: requestOf(name, packages, []),
    limit_ms: timeout_ms,
    checkPlan(plan) {
      const removed = plan.filter(({ what }) => what === "remove").map((one) => one.name);
      if (removed.length > 0)
        throw new ToolError(`updating packages failed: ${removed.join(", ")} would have to be removed; do that first with pkg.remove`);
    },
    checkDone(installed) {
      const broken = [...installed.values()].find(({ state }) => state !== "installed");
      if (broken !== undefined) throw new ToolError(`updating packages failed: ${quote(broken.name)} is ${broken.state} afterwards`);
    },
  };
}
