/** memory.train */

import { z } from "zod";
import { ClassifierReport, classifier_methods } from "../../../contracts/memory/classifier.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { chooseClassifier, classifierInUse } from "./shared/classifier.ts";
import { touches } from "./shared/memory.ts";

const Input = z.lazy(() => z.strictObject({}));
const Output = classifier_methods["classifier.train"].result.extend({
  report: ClassifierReport.describe("how it did on cases that were held back, beside what was thought before"),
});
const Image = z.lazy(() => z.strictObject({ was: z.number().int().nullable() }));
const train_limit_ms = 570_000;

export const memoryTrain = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, Target, z.infer<typeof Image>>({
  name: "memory.train",
  title: "Train the classifier of triage",
  description:
    "Trains the operational tier's classifier anew on what came of this system's own decisions, measures it on the newest three in ten, and switches it on when it is surely better there than what was thought before. Otherwise nothing changes. Taking this back brings back the version before.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 600_000,
  idempotent: false,
  tainted: false,
  image: Image,
  resolve: () => touches("*", "write"),
  preview: () => ({ changes: ["another version of the classifier is in use, if it is better"], final: [] }),
  snapshot: async (_target, _input, context) => ({ was: await classifierInUse(context) }),
  run: (_target, _input, context) =>
    asked(memoryOf(context, "training the classifier").call("classifier.train", { why: "trained by memory.train" }, train_limit_ms)),
  async verify(_target, _input, { in_use }, context) {
    if ((await classifierInUse(context)) !== in_use) throw new ToolError("verifying failed: another version is in use");
  },
  settled: async ({ was }, _past, context) => (await classifierInUse(context)) !== was,
  async undo({ was }, _past, context) {
    if ((await classifierInUse(context)) !== was) await chooseClassifier(was, "memory.train was taken back", context);
  },
  async verifyUndone({ was }, _past, context) {
    if ((await classifierInUse(context)) !== was) throw new ToolError("verifying failed: the version before is not in use");
  },
});
