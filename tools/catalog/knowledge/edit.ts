/** knowledge.edit */

import { z } from "zod";
import { Version } from "../../../contracts/memory/knowledge.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import {
  Before,
  before,
  bringBack,
  changes,
  type DocumentTarget,
  IdField,
  isOf,
  ReasonField,
  refuseSecrets,
  shown,
  TextField,
  taintOf,
  verifyBack,
} from "./shared/document.ts";

const Change = z.union([
  z.strictObject({ text: TextField }),
  z.strictObject({ version: z.number().int().min(1).describe("an earlier version is brought back, also of one that was withdrawn") }),
  z.strictObject({ reset: z.literal(true).describe("what the image has is brought back") }),
  z.strictObject({ withdraw: z.literal(true).describe("it does not count any more: neither found nor listed; all versions are kept") }),
]);

const Input = z.lazy(() =>
  z.strictObject({
    id: IdField,
    change: Change.describe("a new text, or a version that is brought back, or the image's, or none"),
    expected: z
      .number()
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe("the version that the change is made from, as knowledge.show gives it: refused when another one counts by now"),
    reason: ReasonField,
  }),
);
type Input = z.infer<typeof Input>;

export const knowledgeEdit = defineTool<Input, z.infer<typeof Version>, DocumentTarget, Before>({
  name: "knowledge.edit",
  title: "Change a document",
  description:
    "Makes a new version of a document: another text, an earlier version again, what the image has again, or withdrawn. Nothing is deleted; knowledge.history has all versions. A document of the image that was edited stays so when the image is updated, until it is reset. To add one use knowledge.add.",
  input: Input,
  output: Version,
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: false,
  tainted: false,
  image: Before,
  resolve: ({ id, change }, context) => changes(id, "withdraw" in change ? "delete" : "write", context),
  preview: (_target, { id, change }) => ({ changes: [`the document "${id}": ${wordsOf(change)}`], final: [] }),
  snapshot(target, { id, change }) {
    if ("text" in change) refuseSecrets(`changing the document "${id}"`, change.text);
    return before(id, target);
  },
  async run(_target, { id, change, expected, reason }, context) {
    const { call, principal: author } = context;
    const memory = memoryOf(context, `changing the document "${id}"`);
    return await asked(memory.call("knowledge.edit", { id, change, expected, reason, author, call, taint: taintOf(context, "change") }));
  },
  async verify(_target, { id }, { sha256, origin }, context) {
    const now = await shown(id, context);
    const as_wanted = origin === "withdrawn" ? now === null : now?.document.sha256 === sha256;
    if (!as_wanted) throw new ToolError(`verifying the document "${id}" failed: another version counts than was made`);
  },
  settled: ({ id }, { call }, context) => isOf(id, call, context),
  undo: (image, { call }, context) => bringBack(image, call, context),
  verifyUndone: (image, _past, context) => verifyBack(image, context),
});

function wordsOf(change: Input["change"]): string {
  if ("text" in change) return `its text becomes ${change.text.slice(0, 300)}`;
  if ("version" in change) return `version ${change.version} counts again`;
  return "reset" in change ? "what the image has counts again" : "it is withdrawn";
}
