/** pkg.remove */

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
    packages: z.array(PackageName).min(1).max(64).describe("exact names; pkg.list shows what is installed"),
    with_dependents: z
      .boolean()
      .default(false)
      .describe("also what cannot be without them; otherwise such a removal is refused, and names them"),
    purge: z.boolean().default(false).describe("their settings below /etc too"),
    timeout_ms: limit_field,
  }),
);
type Input = z.infer<typeof Input>;

const name = "pkg.remove";

export const remove = changeTool<Input, Target>({
  name,
  title: "Remove packages",
  description:
    "Removes packages from the userland. Makes a new generation of it; undo or pkg.rollback bring them back as they were. What runs goes on in the generation in which it was started. Does not remove what was installed along with them, and never what Debian calls essential. To take back an installation use undo: it needs no new generation.",
  input: Input,
  idempotent: false,
  resolve,
  wanted: (_target, input) => wantedOf(input),
});

async function resolve({ packages }: Input, context: Context): Promise<Target> {
  const installed = installedIn(await showCurrent(context), context);
  const unknown = packages.find((one) => !installed.has(one));
  if (unknown !== undefined) throw new ToolError(`removing ${quote(unknown)} failed: it is not installed; pkg.list shows what is`);
  return { resources: [userland, ...packages.map((one) => signedPackage(one, undefined, "delete", installed))] };
}

function wantedOf({ packages, with_dependents, purge, timeout_ms }: Input): Wanted {
  return {
    verb: "removing",
    argv: [purge ? "purge" : "remove", "--", ...packages],
    files: [],
    lists: "as-they-are",
    request: requestOf(name, { packages, with_dependents, purge }, []),
    limit_ms: timeout_ms,
    checkPlan(plan) {
      const more = plan.filter((one) => !packages.includes(one.name));
      const installed = more.filter(({ what }) => what === "install").map((one) => one.name);
      if (installed.length > 0)
        throw new ToolError(`removing packages failed: ${installed.join(", ")} would have to be installed in their place`);
      if (more.length > 0 && !with_dependents)
        throw new ToolError(
          `removing packages failed: ${more.map((one) => one.name).join(", ")} cannot be without them; name those too, or ask with with_dependents: true`,
        );
    },
    checkDone(installed) {
      const left = packages.find((one) => installed.has(one));
      if (left !== undefined) throw new ToolError(`removing ${quote(left)} failed: it is still there`);
    },
  };
}
