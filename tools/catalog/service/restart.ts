/** service.restart */

import { z } from "zod";
import { ServiceStatus } from "../../../contracts/service.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { Before, bringBack, lookBefore, verifyBefore } from "./shared/before.ts";
import { lastWords } from "./shared/log-lines.ts";
import { change, isWanted, statusOf } from "./shared/pid1.ts";
import { existing, name_input } from "./shared/resource.ts";

export const serviceRestart = defineTool({
  name: "service.restart",
  title: "Restart a service",
  description:
    "Ends a service's process and starts it anew, or starts one that is stopped; answers when it is ready again or has failed. Use it when a service misbehaves, or after a change of what it reads. It cuts a waiting backoff short but forgives no crash loop. What the process had in memory is lost.",
  input: z.lazy(() => z.strictObject({ name: name_input })),
  output: z.lazy(() => z.strictObject({ status: ServiceStatus })),
  risk: "compensable",
  timeout_ms: 90_000,
  idempotent: false,
  tainted: false,
  image: Before.extend({ pid: z.number().int().nullable() }),
  resolve: ({ name }, context) => existing(name, "write", context),
  preview: ({ status }, { name }) => ({
    changes: [`the service "${name}" is restarted (now: ${status?.state ?? "unknown"})`],
    final: ["what it has in memory and has not written is lost"],
  }),
  snapshot: async ({ status }, { name }, context) => ({ ...(await lookBefore(name, context)), pid: status?.pid ?? null }),
  run: async (_target, { name }, context) => ({ status: await change("restart", name, context) }),
  async verify(_target, { name }, { status }, context) {
    if (status.state === "backoff" || status.state === "crash-loop")
      throw new ToolError(`restarting the service "${name}" failed: ${status.reason}; ${await lastWords(name, context)}`);
  },
  async settled({ name, pid }, _past, context) {
    const status = await statusOf(name, context);
    return isWanted(status) && status?.pid !== pid;
  },
  undo: (image, _past, context) => bringBack(image, context),
  verifyUndone: (image, _past, context) => verifyBefore(image, context),
});
