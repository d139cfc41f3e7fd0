/** service.start */

import { z } from "zod";
import { ServiceStatus } from "../../../contracts/service.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { Before, bringBack, lookBefore, verifyBefore } from "./shared/before.ts";
import { lastWords } from "./shared/log-lines.ts";
import { change, isWanted, statusOf } from "./shared/pid1.ts";
import { existing, name_input } from "./shared/resource.ts";

export const serviceStart = defineTool({
  name: "service.start",
  title: "Start a service",
  description:
    "Starts a service that is stopped, and answers when it is ready or has failed. One that runs stays as it is; to start it anew use service.restart. It does not decide whether the service starts at boot: that is service.enable.",
  input: z.lazy(() => z.strictObject({ name: name_input })),
  output: z.lazy(() => z.strictObject({ status: ServiceStatus })),
  risk: "reversible",
  timeout_ms: 90_000,
  idempotent: true,
  tainted: false,
  image: Before,
  resolve: ({ name }, context) => existing(name, "write", context),
  preview: ({ status }, { name }) => ({ changes: [`the service "${name}" is started (now: ${status?.state ?? "unknown"})`], final: [] }),
  snapshot: (_target, { name }, context) => lookBefore(name, context),
  run: async (_target, { name }, context) => ({ status: await change("start", name, context) }),
  async verify(_target, { name }, { status }, context) {
    if (status.state === "backoff" || status.state === "crash-loop")
      throw new ToolError(`starting the service "${name}" failed: ${status.reason}; ${await lastWords(name, context)}`);
  },
  settled: async ({ name }, _past, context) => isWanted(await statusOf(name, context)),
  undo: (image, _past, context) => bringBack(image, context),
  verifyUndone: (image, _past, context) => verifyBefore(image, context),
});
