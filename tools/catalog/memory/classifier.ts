/** memory.classifier */

import { z } from "zod";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { chooseClassifier, classifierInUse } from "./shared/classifier.ts";
import { touches } from "./shared/memory.ts";

const Input = z.lazy(() =>
  z.strictObject({
    version: z.number().int().min(1).nullable().describe("the version to ask from now on, as memory.learned lists them; null: none"),
  }),
);
const Version = z.number().int().nullable();
const Output = z.lazy(() => z.strictObject({ was: Version }));

export const memoryClassifier = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, Target, z.infer<typeof Output>>({
  name: "memory.classifier",
  title: "Choose the classifier of triage",
  description:
    "Which of the versions that memory.train has made the operational tier asks how likely a playbook is to help, or none. For going back to an earlier one; a new one switches itself on when it is better.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: Output,
  resolve: () => touches("*", "write"),
  preview: (_target, { version }) => ({
    changes: [version === null ? "no classifier is asked" : `version ${version} of the classifier is asked`],
    final: [],
  }),
  snapshot: async (_target, _input, context) => ({ was: await classifierInUse(context) }),
  run: (_target, { version }, context) => chooseClassifier(version, "chosen by memory.classifier", context),
  async verify(_target, { version }, _output, context) {
    if ((await classifierInUse(context)) !== version) throw new ToolError("verifying failed: another version is in use");
  },
  settled: async (_image, { input }, context) => (await classifierInUse(context)) === input.version,
  async undo({ was }, _past, context) {
    await chooseClassifier(was, "memory.classifier was taken back", context);
  },
  async verifyUndone({ was }, _past, context) {
    if ((await classifierInUse(context)) !== was) throw new ToolError("verifying failed: the version before is not in use");
  },
});
