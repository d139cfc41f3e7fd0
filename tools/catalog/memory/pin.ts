/** memory.pin */

import { z } from "zod";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { IdField, recalled, touches } from "./shared/memory.ts";

const Input = z.lazy(() =>
  z.strictObject({
    id: IdField,
    pinned: z.boolean().default(true).describe("false: it is found in its place again"),
  }),
);
const Output = z.lazy(() => z.strictObject({ was: z.boolean() }));
const Image = z.lazy(() => z.strictObject({ id: z.string(), pinned: z.boolean() }));

export const memoryPin = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, Target, z.infer<typeof Image>>({
  name: "memory.pin",
  title: "Pin a memory",
  description:
    "Makes a memory be found before others that fit as well, or ends that. For what must not be overlooked, not for what is new.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: Image,
  resolve: ({ id }) => touches(id, "write"),
  preview: (_target, { id, pinned }) => ({ changes: [`"${id}" is ${pinned ? "pinned" : "not pinned any more"}`], final: [] }),
  snapshot: async (_target, { id }, context) => ({ id, pinned: (await recalled(id, context)).pinned }),
  run: (_target, { id, pinned }, context) => asked(memoryOf(context, `pinning "${id}"`).call("pin", { id, pinned })),
  async verify(_target, { id, pinned }, _output, context) {
    if ((await recalled(id, context)).pinned !== pinned) throw new ToolError(`verifying failed: "${id}" is not as wanted`);
  },
  settled: async ({ id }, { input }, context) => (await recalled(id, context)).pinned === input.pinned,
  async undo({ id, pinned }, _past, context) {
    await asked(memoryOf(context, `pinning "${id}"`).call("pin", { id, pinned }));
  },
  async verifyUndone({ id, pinned }, _past, context) {
    if ((await recalled(id, context)).pinned !== pinned) throw new ToolError(`verifying failed: "${id}" is not as it was`);
  },
});
