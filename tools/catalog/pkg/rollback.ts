/** pkg.rollback */

import { z } from "zod";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { ChangeOutput, type Image, shown, verifyChange, way_back } from "./shared/change.ts";
import { chainOf, currentNumber, makeCurrent, type PackageChange } from "./shared/generation.ts";
import { inTurn, mountBase, mountGeneration, showCurrent } from "./shared/mounts.ts";
import { outdatedServices } from "./shared/outdated.ts";
import { userland } from "./shared/resources.ts";
import { type Installed, installedIn } from "./shared/status.ts";

const Input = z.strictObject({
  to: z.number().int().min(0).max(999_999_999).describe("the generation that is to count; 0: the userland as the image brought it"),
});

export const rollback = defineTool<z.infer<typeof Input>, ChangeOutput, Target, Image>({
  name: "pkg.rollback",
  title: "Go to another generation of the userland",
  description:
    "Makes another generation of the userland the current one, an earlier or a later one; pkg.history lists them. Nothing is fetched and nothing is lost: the one that was current stays. Running services stay in their generation until they are restarted: the answer names those. To take back one call that was the last change, undo does the same.",
  input: Input,
  output: ChangeOutput,
  risk: "reversible",
  timeout_ms: 120_000,
  idempotent: true,
  tainted: false,
  ...way_back,
  resolve({ to }, context): Target {
    chainOf(to, context); // it and all that it stands on
    return { resources: [userland] };
  },
  preview: async (_target, { to }, context) => ({
    changes: [
      `generation ${currentNumber(context)} → ${to}`,
      ...(await changesTo(to, context)).map(
        ({ name, before, after }) => `${name} ${before ?? "(not installed)"} → ${after ?? "(not installed)"}`,
      ),
    ].slice(0, 500),
    final: [],
  }),
  snapshot: (_target, { to }, context): Image => ({ from: currentNumber(context), to }),
  async run(_target, { to }, context) {
    const before = currentNumber(context);
    const changes = await changesTo(to, context);
    if (before !== to) makeCurrent(to, context);
    await showCurrent(context);
    return { generation: to, before, ...shown(changes), outdated_services: await outdatedServices(context) };
  },
  verify: (_target, _input, output, context) => verifyChange(output, context),
});

/** What is different there; also sees to it that it can be mounted at all. */
async function changesTo(to: number, context: Context): Promise<PackageChange[]> {
  const was = installedIn(await showCurrent(context), context);
  const is = await inTurn(() => installedAt(to, context));
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((name) => {
    const [before, after] = [was.get(name)?.version ?? null, is.get(name)?.version ?? null];
    return before === after ? [] : [{ name, before, after }];
  });
}

async function installedAt(number: number, context: Context): Promise<ReadonlyMap<string, Installed>> {
  const [newest] = chainOf(number, context);
  if (newest !== undefined) await mountBase(newest.base, context);
  try {
    return installedIn(await mountGeneration(number, context), context);
  } catch (error) {
    throw new ToolError(`opening generation ${number} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
