/** pkg.rollback */

import { existsSync } from "node:fs";
import { z } from "zod";
import { ServiceName } from "../../../contracts/service.ts";
import type { Context } from "../../context.ts";
import { quote } from "../../paths/path-text.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { ChangeOutput, type Image, shown, verifyChange, way_back } from "./shared/change.ts";
import { currentMount, generationFolder } from "./shared/folders.ts";
import { chainOf, currentNumber, type GenerationRecord, makeCurrent, type PackageChange, readGenerations } from "./shared/generation.ts";
import { inTurn, mountBase, mountGeneration, showCurrent } from "./shared/mounts.ts";
import { outdatedServices } from "./shared/outdated.ts";
import { userland } from "./shared/resources.ts";
import { type Installed, installedIn } from "./shared/status.ts";

/** What a change of packages has broken shows soon: later than this something else is the cause. */
const blamed_max_ms = 86_400_000;

const Input = z.lazy(() =>
  z.strictObject({
    to: z
      .number()
      .int()
      .min(0)
      .max(999_999_999)
      .optional()
      .describe(
        "the generation that is to count; 0: the userland as the image brought it; left out: the one that the current one was made from, or the newest that is whole when the current one is not",
      ),
    service: ServiceName.optional().describe(
      "only if this service runs in the userland, and the current generation is not older than a day: else it fails, and nothing has happened",
    ),
  }),
);
type Input = z.infer<typeof Input>;

interface RollbackTarget extends Target {
  readonly to: number;
}

export const rollback = defineTool<Input, ChangeOutput, RollbackTarget, Image>({
  name: "pkg.rollback",
  title: "Go to another generation of the userland",
  description:
    "Makes another generation of the userland the current one, an earlier or a later one; pkg.history lists them. Nothing is fetched and nothing is lost: the one that was current stays. Without a number it goes one back, which helps when a service fails since a change of packages. Running services stay in their generation until they are restarted: the answer names those. To take back one call that was the last change, undo does the same.",
  input: Input,
  output: ChangeOutput,
  risk: "reversible",
  timeout_ms: 120_000,
  idempotent: false, // without a number it goes back one more each time
  tainted: false,
  ...way_back,
  async resolve({ to: wanted, service }, context): Promise<RollbackTarget> {
    if (service !== undefined) await demandSuspicion(service, context);
    const to = wanted ?? earlier(context);
    chainOf(to, context); // it and all that it stands on
    return { resources: [userland], to };
  },
  preview: async ({ to }, _input, context) => ({
    changes: [
      `generation ${currentNumber(context)} → ${to}`,
      ...(await changesTo(to, context)).map(
        ({ name, before, after }) => `${name} ${before ?? "(not installed)"} → ${after ?? "(not installed)"}`,
      ),
    ].slice(0, 500),
    final: [],
  }),
  snapshot: ({ to }, _input, context): Image => ({ from: currentNumber(context), to }),
  async run({ to }, _input, context) {
    const before = currentNumber(context);
    const changes = await changesTo(to, context);
    if (before !== to) makeCurrent(to, context);
    await showCurrent(context);
    return { generation: to, before, ...shown(changes), outdated_services: await outdatedServices(context) };
  },
  verify: (_target, _input, output, context) => verifyChange(output, context),
});

/** @throws {ToolError} when packages cannot be what a service suffers from */
async function demandSuspicion(service: string, context: Context): Promise<void> {
  const what = `going back for the service ${quote(service)}`;
  if (context.init === null) throw new ToolError(`${what} failed: PID 1 is not connected; try again in a moment`);
  const defined = await context.init.call("service.defined", {});
  const own = defined.find((one) => one.service === service);
  if (own?.definition.root !== currentMount(context.places)) throw new ToolError(`${what} failed: it does not run in the userland`);
  const changed = lastChange(context);
  if (changed === null) throw new ToolError(`${what} failed: it is not known that a package was changed`);
  const age_ms = context.clock.now_ms() - changed.time_ms;
  if (age_ms > blamed_max_ms)
    throw new ToolError(`${what} failed: packages were last changed ${Math.floor(age_ms / 3_600_000)} hours ago; look for another cause`);
}

/** @throws {ToolError} when there is none */
function earlier(context: Context): number {
  const current = currentNumber(context);
  if (current === 0) throw new ToolError("going back failed: the userland is as the image brought it, there is nothing before it");
  if (!isWhole(current, context))
    return readGenerations(context).records.findLast(({ number }) => number !== current && isWhole(number, context))?.number ?? 0;
  const changed = lastChange(context);
  if (changed !== null && isWhole(changed.parent, context)) return changed.parent;
  throw new ToolError("going back failed: what was before the last change is not kept any more; pkg.history lists what there is");
}

/** What is current, or what it was squashed of, which changed no package. Null: that is not kept any more, or there is none. */
function lastChange(context: Context): GenerationRecord | null {
  const { records } = readGenerations(context);
  const current = currentNumber(context);
  return records.findLast(({ number, changes }) => number <= current && changes.length > 0) ?? null;
}

function isWhole(number: number, context: Context): boolean {
  try {
    return chainOf(number, context).every(({ number: each }) => existsSync(`${generationFolder(each, context.places)}/layer`));
  } catch (error) {
    if (error instanceof ToolError) return false;
    throw error;
  }
}

/** What is different there; also sees to it that it can be mounted at all. */
async function changesTo(to: number, context: Context): Promise<PackageChange[]> {
  // of one that is not whole nobody knows what was in it
  if (!isWhole(currentNumber(context), context)) return [];
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
