/** knowledge.add */

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

const Input = z.lazy(() => z.strictObject({ id: IdField, text: TextField, reason: ReasonField }));

export const knowledgeAdd = defineTool<z.infer<typeof Input>, z.infer<typeof Version>, DocumentTarget, Before>({
  name: "knowledge.add",
  title: "Add a document",
  description:
    "Adds a document to the knowledge base, to be found from then on: a playbook of what was seen, tried and worked, in the form of system/writing-playbooks. Its front matter is checked, with line and key of what is wrong. Text that derives from outside stays marked whenever it is read. To change one that there is use knowledge.edit; what happened is in memory by itself.",
  input: Input,
  output: Version,
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: false,
  tainted: false,
  image: Before,
  resolve: ({ id }, context) => changes(id, "write", context),
  preview: (_target, { id, text }) => ({ changes: [`the document "${id}" is added: ${text.slice(0, 300)}`], final: [] }),
  snapshot(target, { id, text }) {
    refuseSecrets(`adding the document "${id}"`, text);
    if (target.now !== null)
      throw new ToolError(`adding the document "${id}" failed: there is one of this id; change it with knowledge.edit`);
    return before(id, target);
  },
  async run(_target, { id, text, reason }, context) {
    const { call, principal: author } = context;
    const memory = memoryOf(context, `adding the document "${id}"`);
    return await asked(memory.call("knowledge.add", { id, text, reason, author, call, taint: taintOf(context, "text") }));
  },
  async verify(_target, { id, text }, _output, context) {
    if ((await shown(id, context))?.text !== text) throw new ToolError(`verifying the document "${id}" failed: it is not what was added`);
  },
  settled: async ({ id }, { call }, context) => (await shown(id, context)) !== null && (await isOf(id, call, context)),
  undo: (image, { call }, context) => bringBack(image, call, context),
  verifyUndone: (image, _past, context) => verifyBack(image, context),
});
