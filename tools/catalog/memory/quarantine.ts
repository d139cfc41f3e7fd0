/** memory.quarantine */

import { z } from "zod";
import { withoutSecrets } from "../../../wire/secrets-in-text.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { IdField, recalled, touches } from "./shared/memory.ts";

const Input = z.lazy(() =>
  z.strictObject({
    id: IdField,
    reason: z.string().min(1).max(400).nullable().describe("why it is not to be relied on; null: it is relied on again"),
    influenced: z.boolean().default(true).describe("also all that rests on it"),
  }),
);
const Output = z.lazy(() =>
  z.strictObject({
    changed: z.number().int().describe("memories that went into quarantine, or came out"),
    ids: z.array(z.string()).max(200).describe("the first of them"),
  }),
);
const Image = z.lazy(() => z.strictObject({ id: z.string(), was: z.string().nullable(), influenced: z.boolean() }));

export const memoryQuarantine = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, Target, z.infer<typeof Image>>({
  name: "memory.quarantine",
  title: "Quarantine a memory",
  description:
    "Takes a wrong or poisoned memory out of what is relied on, with all that rests on it, or puts it back. It stays where it is and can still be recalled by id; searches leave it out unless they ask for it. See how far it reached with memory.trace first.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: Image,
  resolve: ({ id }) => touches(id, "write"),
  preview: (_target, { id, reason, influenced }) => ({
    changes: [`"${id}"${influenced ? " and all that rests on it" : ""} ${reason === null ? "comes out of" : "goes into"} quarantine`],
    final: [],
  }),
  snapshot: async (_target, { id, influenced }, context) => ({ id, influenced, was: (await recalled(id, context)).quarantined }),
  async run(_target, { id, reason, influenced }, context) {
    const { changed } = await asked(memoryOf(context, `quarantining "${id}"`).call("quarantine", { id, reason, influenced }));
    return { changed: changed.length, ids: changed.slice(0, 200) };
  },
  async verify(_target, { id, reason }, _output, context) {
    if ((await recalled(id, context)).quarantined !== keptOf(reason)) throw new ToolError(`verifying failed: "${id}" is not as wanted`);
  },
  settled: async ({ id }, { input }, context) => (await recalled(id, context)).quarantined === keptOf(input.reason),
  async undo({ id, was, influenced }, { input }, context) {
    const memory = memoryOf(context, `taking back the quarantine of "${id}"`);
    if (input.reason !== null) await asked(memory.call("quarantine", { id, reason: null, influenced }));
    if (was !== null) await asked(memory.call("quarantine", { id, reason: was, influenced: input.reason === null && influenced }));
  },
  async verifyUndone({ id, was }, _past, context) {
    if ((await recalled(id, context)).quarantined !== was) throw new ToolError(`verifying failed: "${id}" is not as it was`);
  },
});

/** Memory takes secrets out of what it is told. */
function keptOf(reason: string | null): string | null {
  return reason === null ? null : withoutSecrets(reason).text;
}
