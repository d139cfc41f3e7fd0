/** model.verify */

import { z } from "zod";
import { type CatalogueModel, ModelName } from "../../../contracts/model/catalogue.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { modelNamed } from "./shared/catalogue.ts";
import { teller } from "./shared/progress.ts";
import { modelResource } from "./shared/resource.ts";
import { hashOf, type Present, presentFile } from "./shared/store.ts";

const Input = z.lazy(() => z.strictObject({ name: ModelName.describe("of a model whose file is here") }));
const Output = z.lazy(() =>
  z.strictObject({
    whole: z.boolean().describe("the file is the one that the catalogue names"),
    path: z.string(),
    size_bytes: z.number().int(),
    sha256: z.string(),
    wanted_sha256: z.string().nullable(),
  }),
);

interface VerifyTarget extends Target {
  readonly model: CatalogueModel;
  readonly file: Present;
}

export const modelVerify = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, VerifyTarget>({
  name: "model.verify",
  title: "Verify a model",
  description:
    "Reads the file of a model and compares its SHA-256 with the catalogue's. For when a model that loaded before does not load any more, or after errors of the disk. A file that is not whole is taken away with model.remove and fetched anew with model.pull.",
  input: Input,
  output: Output,
  risk: "observe",
  timeout_ms: 1_800_000,
  idempotent: true,
  tainted: false,
  concurrency_max: 2,
  image: null,
  resolve({ name }, context) {
    const model = modelNamed(name, `verifying "${name}"`, context);
    const file = presentFile(model, context.places);
    if (file === null) throw new ToolError(`verifying "${name}" failed: its file is not on this machine; model.pull fetches it`);
    return { model, file, resources: [modelResource(model, "read", context)] };
  },
  async run({ model, file }, _input, context) {
    const sha256 = await hashOf(file.path, context.signal, teller("verifying", file.size_bytes, context));
    return { whole: sha256 === model.sha256, path: file.path, size_bytes: file.size_bytes, sha256, wanted_sha256: model.sha256 };
  },
});
