/** memory.link */

import { z } from "zod";
import { Relation } from "../../../contracts/memory/record.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { IdField, recalled, touches } from "./shared/memory.ts";

const Input = z.lazy(() =>
  z.strictObject({
    from: IdField.describe("the memory that holds the link"),
    relation: Relation.describe("what it is to the other: caused-by, based-on, part-of, answers, undoes, learned-from, about"),
    to: IdField.describe("the other memory"),
  }),
);
const Output = z.lazy(() => z.strictObject({ added: z.boolean().describe("false: it was there already") }));
const Image = z.lazy(() => z.strictObject({ from: z.string(), relation: Relation, to: z.string(), held: z.boolean() }));
type Image = z.infer<typeof Image>;

export const memoryLink = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, Target, Image>({
  name: "memory.link",
  title: "Link two memories",
  description:
    "Records what one memory is to another, so that it can be traced later: a decision based on an event, a lesson learned from an incident, a note about a call. What the system does by itself is linked by itself.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: Image,
  resolve: ({ from, to }) => ({ resources: [...touches(from, "write").resources, ...touches(to, "read").resources] }),
  preview: (_target, { from, relation, to }) => ({ changes: [`"${from}" becomes ${relation} "${to}"`], final: [] }),
  async snapshot(_target, { from, relation, to }, context) {
    await recalled(to, context);
    return { from, relation, to, held: holds(await recalled(from, context), { relation, to }) };
  },
  run: (_target, { from, relation, to }, context) =>
    asked(memoryOf(context, `linking "${from}"`).call("link", { from, link: { relation, to } })),
  async verify(_target, { from, relation, to }, _output, context) {
    if (!holds(await recalled(from, context), { relation, to })) throw new ToolError(`verifying failed: "${from}" does not have the link`);
  },
  settled: async ({ from, relation, to }, _past, context) => holds(await recalled(from, context), { relation, to }),
  async undo({ from, relation, to, held }, _past, context) {
    if (!held) await asked(memoryOf(context, `unlinking "${from}"`).call("unlink", { from, link: { relation, to } }));
  },
  async verifyUndone({ from, relation, to, held }, _past, context) {
    if (holds(await recalled(from, context), { relation, to }) !== held)
      throw new ToolError(`verifying failed: "${from}" is not as it was`);
  },
});

function holds({ links }: { readonly links: readonly Pick<Image, "relation" | "to">[] }, { relation, to }: Pick<Image, "relation" | "to">) {
  return links.some((link) => link.relation === relation && link.to === to);
}
