/** service.remove */

import { z } from "zod";
import { defineTool, ToolError } from "../../tool.ts";
import { Before, bringBack, demandStored, lookBefore, verifyBefore } from "./shared/before.ts";
import { serviceFolder } from "./shared/definition.ts";
import { withdrawFrom } from "./shared/handed.ts";
import { remove, statusOf } from "./shared/pid1.ts";
import { existing, name_input } from "./shared/resource.ts";
import { dropStored, readStored } from "./shared/store.ts";

export const serviceRemove = defineTool({
  name: "service.remove",
  title: "Remove a service",
  description:
    "Stops a defined service and forgets its definition. Its folder with what it wrote stays; fs.remove takes that away. Refused while other services come after it. To stop it only for now use service.stop.",
  input: z.lazy(() => z.strictObject({ name: name_input })),
  output: z.lazy(() => z.strictObject({ name: z.string(), folder: z.string().describe("what it wrote, and is still there") })),
  risk: "compensable",
  timeout_ms: 90_000,
  idempotent: false,
  tainted: false,
  image: Before,
  resolve: ({ name }, context) => {
    demandStored("removing", name, context);
    return existing(name, "delete", context);
  },
  preview: (_target, { name }) => ({
    changes: [`the service "${name}" is stopped and forgotten; its folder stays`],
    final: ["what it has in memory and has not written is lost"],
  }),
  snapshot: (_target, { name }, context) => lookBefore(name, context),
  async run(_target, { name }, context) {
    await remove(name, context); // PID 1 refuses while others come after it: then nothing has happened
    withdrawFrom(name, context);
    dropStored(name, context);
    return { name, folder: serviceFolder(name, context) };
  },
  async verify(_target, { name }, _output, context) {
    if ((await statusOf(name, context)) !== null) throw new ToolError(`removing the service "${name}" failed: PID 1 still has it`);
  },
  settled: async ({ name }, _past, context) => readStored(name, context) === null && (await statusOf(name, context)) === null,
  undo: (image, _past, context) => bringBack(image, context),
  verifyUndone: (image, _past, context) => verifyBefore(image, context),
});
