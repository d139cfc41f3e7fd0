/** pkg.history */

import { z } from "zod";
import { defineTool } from "../../tool.ts";
import { Outdated } from "./shared/change.ts";
import { currentNumber, DamagedGeneration, PackageChange, readGenerations } from "./shared/generation.ts";
import { outdatedServices } from "./shared/outdated.ts";
import { userland_read } from "./shared/resources.ts";

/** Of one generation; of a whole upgrade its number says more. */
const changes_shown_max = 40;
const damaged_shown_max = 20;

export const history = defineTool({
  name: "pkg.history",
  title: "Generations of the userland",
  description:
    "The generations of the userland, newest first: what each changed, by which call, and on which it stands; which one is current, and which services still run in another. Go to one with pkg.rollback. Generation 0, which has no entry, is the userland as the image brought it.",
  input: z.lazy(() =>
    z.strictObject({
      offset: z.number().int().min(0).max(100_000).default(0),
      limit: z.number().int().min(1).max(50).default(20),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      current: z.number().int(),
      generations: z.array(
        z.strictObject({
          number: z.number().int(),
          parent: z.number().int(),
          current: z.boolean(),
          call: z.string().describe("audit show CALL tells why"),
          tool: z.string(),
          principal: z.string(),
          time_ms: z.number(),
          changes: z.array(PackageChange).describe(`the first ${changes_shown_max}`),
          changes_total: z.number().int(),
          sources: z.array(z.string()),
          files: z.array(z.strictObject({ path: z.string(), sha256: z.string(), name: z.string(), version: z.string() })),
        }),
      ),
      total: z.number().int(),
      truncated: z.boolean(),
      damaged: z
        .array(DamagedGeneration)
        .max(damaged_shown_max)
        .describe("generations whose record cannot be read: nothing goes to them, or to what stands on them"),
      outdated_services: Outdated,
    }),
  ),
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: () => ({ resources: [userland_read] }),
  async run(_target, { offset, limit }, context) {
    const current = currentNumber(context);
    const { records, damaged } = readGenerations(context);
    const all = [...records].reverse();
    const generations = all.slice(offset, offset + limit).map(({ base: _base, request: _request, changes, ...record }) => ({
      ...{ ...record, current: record.number === current },
      ...{ changes: changes.slice(0, changes_shown_max), changes_total: changes.length },
    }));
    const truncated = offset + generations.length < all.length;
    return {
      ...{ current, generations, total: all.length, truncated, damaged: damaged.slice(-damaged_shown_max) },
      outdated_services: await outdatedServices(context),
    };
  },
});
