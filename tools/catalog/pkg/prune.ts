/** pkg.prune */

import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { readGenerations } from "./shared/generation.ts";
import { bytesOf, type Prunable, prunable, removeBases, removeGenerations } from "./shared/prune.ts";
import { userland } from "./shared/resources.ts";

const Input = z.lazy(() =>
  z.strictObject({
    keep: z.number().int().min(1).max(1000).default(5).describe("so many of the newest generations stay in any case"),
    older_than_days: z.number().min(0).max(36_500).default(30).describe("a generation that is younger stays"),
  }),
);
type Input = z.infer<typeof Input>;

const needed_shown_max = 100;
const day_ms = 86_400_000;

const Output = z.lazy(() =>
  z.strictObject({
    removed: z.array(z.number().int()).describe("numbers of the generations that are gone"),
    removed_bases: z.array(z.string()).describe("SHA-256 of bases of earlier images upon which none lies any more"),
    freed_bytes: z.number().int(),
    needed: z
      .array(z.strictObject({ number: z.number().int(), why: z.string() }))
      .max(needed_shown_max)
      .describe("generations that stay, and why"),
  }),
);

export const prune = defineTool<Input, z.infer<typeof Output>, Target>({
  name: "pkg.prune",
  title: "Remove old generations",
  description:
    "Removes generations of the userland that nobody needs any more, with the files that only they have. The current one stays, what runs in another, the newest `keep`, the younger than `older_than_days`, and all that these lie upon: make one of many with pkg.squash first, or little goes. Nothing brings back what is gone: pkg.rollback and undo cannot go there again.",
  input: Input,
  output: Output,
  risk: "irreversible",
  timeout_ms: 600_000,
  idempotent: true,
  tainted: false,
  changedNothing: ({ removed, removed_bases }) => removed.length === 0 && removed_bases.length === 0,
  image: null,
  resolve: ({ keep, older_than_days }): Target => ({ resources: [resource(keep, older_than_days)] }),
  async preview(_target, input, context) {
    const found = chosen(input, context);
    const bytes = await bytesOf(found, context);
    return {
      changes: [`${found.generations.length} generations and ${found.bases.length} bases go, with ${bytes} bytes`],
      final: namesOf(found.generations, context),
    };
  },
  async run(_target, input, context) {
    const found = chosen(input, context);
    const freed_bytes = await bytesOf(found, context);
    await removeGenerations(found.generations, context);
    await removeBases(found.bases, context);
    return {
      removed: [...found.generations],
      removed_bases: [...found.bases],
      freed_bytes,
      needed: found.needed.slice(0, needed_shown_max),
    };
  },
  verify(_target, _input, { removed }, context) {
    const left = readGenerations(context).records.find(({ number }) => removed.includes(number));
    if (left !== undefined) throw new ToolError(`looking at the generations failed: generation ${left.number} is still there`);
  },
});

/** With what policies ask about: how much of the past stays. */
function resource(keep: number, older_than_days: number): Resource {
  return { ...userland, access: "delete", attributes: { keeps: keep, days: Math.floor(older_than_days) } };
}

function chosen({ keep, older_than_days }: Input, context: Context): Prunable {
  return prunable(keep, context.clock.now_ms() - older_than_days * day_ms, context);
}

function namesOf(numbers: readonly number[], context: Context): string[] {
  return readGenerations(context)
    .records.filter(({ number }) => numbers.includes(number))
    .slice(0, 50)
    .map(({ number, tool, time_ms }) => `generation ${number} (${tool}, ${new Date(time_ms).toISOString().slice(0, 10)})`);
}
