/** service.stop */

import { z } from "zod";
import { ServiceStatus } from "../../../contracts/service.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { Before, bringBack, lookBefore, verifyBefore } from "./shared/before.ts";
import { change, isWanted, statusOf } from "./shared/pid1.ts";
import { existing, name_input } from "./shared/resource.ts";

export const serviceStop = defineTool({
  name: "service.stop",
  title: "Stop a service",
  description:
    "Stops a service (TERM, then KILL after its limit) until somebody starts it, or until the next boot when it is enabled. To keep it from starting at boot use service.disable; to be rid of it service.remove. What it had in memory is lost.",
  input: z.lazy(() => z.strictObject({ name: name_input })),
  output: z.lazy(() => z.strictObject({ status: ServiceStatus })),
  risk: "compensable",
  timeout_ms: 90_000,
  idempotent: true,
  tainted: false,
  image: Before,
  resolve: ({ name }, context) => existing(name, "write", context),
  preview: ({ status }, { name }) => ({
    changes: [`the service "${name}" is stopped (now: ${status?.state ?? "unknown"})`],
    final: ["what it has in memory and has not written is lost"],
  }),
  snapshot: (_target, { name }, context) => lookBefore(name, context),
  run: async (_target, { name }, context) => ({ status: await change("stop", name, context) }),
  verify(_target, { name }, { status }) {
    if (status.state !== "stopped") throw new ToolError(`stopping the service "${name}" failed: it is ${status.state}: ${status.reason}`);
  },
  settled: async ({ name }, _past, context) => !isWanted(await statusOf(name, context)),
  undo: (image, _past, context) => bringBack(image, context),
  verifyUndone: (image, _past, context) => verifyBefore(image, context),
});
