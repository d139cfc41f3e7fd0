/** pkg.squash */

import { z } from "zod";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { ChangeOutput, type Image, imageFor, requestOf, verifyChange, way_back } from "./shared/change.ts";
import { chainOf, currentNumber, makeCurrent } from "./shared/generation.ts";
import { showCurrent } from "./shared/mounts.ts";
import { outdatedServices } from "./shared/outdated.ts";
import { userland } from "./shared/resources.ts";
import { squash as makeOne, squash_tool } from "./shared/squash.ts";
import { installedIn } from "./shared/status.ts";

const Input = z.lazy(() => z.strictObject({}));
type Input = z.infer<typeof Input>;

const request = requestOf(squash_tool, {}, []);

export const squash = defineTool<Input, ChangeOutput, Target, Image>({
  name: squash_tool,
  title: "Make one generation of many",
  description:
    "Makes a new generation of the userland out of the current one and all that it lies upon, and makes it the current one: the same packages and files, upon the base alone. It takes no room, and the old ones stay; after it pkg.prune can remove those, with the old versions of what was updated. Needed before pkg.prune frees much, and done by itself when as many lie upon each other as `packages.generations_max` says.",
  input: Input,
  output: ChangeOutput,
  risk: "reversible",
  timeout_ms: 600_000,
  idempotent: false,
  tainted: false,
  ...way_back,
  resolve(_input, context): Target {
    if (chainOf(currentNumber(context), context).length < 2)
      throw new ToolError("making one generation of many failed: the current one lies upon no other");
    return { resources: [userland] };
  },
  preview: (_target, _input, context) => ({
    changes: [`${chainOf(currentNumber(context), context).length} generations become one, with the same packages and files`],
    final: [],
  }),
  snapshot: (_target, _input, context) => imageFor(request, context),
  async run(_target, _input, context) {
    const { from, to } = await imageFor(request, context);
    const was = installedIn(await showCurrent(context), context);
    await makeOne(to, from, request, context);
    makeCurrent(to, context);
    const is = installedIn(await showCurrent(context), context);
    if (JSON.stringify([...is]) !== JSON.stringify([...was]))
      throw new ToolError(`making one generation of many failed: generation ${to} has other packages than generation ${from}`);
    return { generation: to, before: from, changes: [], changes_total: 0, outdated_services: await outdatedServices(context) };
  },
  verify: (_target, _input, output: ChangeOutput, context: Context) => verifyChange(output, context),
});
