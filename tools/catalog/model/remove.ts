/** model.remove */

import { existsSync, rmSync } from "node:fs";
import { z } from "zod";
import { type CatalogueModel, ModelName } from "../../../contracts/model/catalogue.ts";
import { syncFolder } from "../../../wire/files.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { modelNamed } from "./shared/catalogue.ts";
import { removePart } from "./shared/part.ts";
import { modelResource } from "./shared/resource.ts";
import { usersOf } from "./shared/selection.ts";
import { fetchedPath, modelsFolder, partBytes, partPath, presentFile } from "./shared/store.ts";

const Input = z.lazy(() => z.strictObject({ name: ModelName.describe("of a model that was fetched") }));
const Output = z.lazy(() => z.strictObject({ freed_bytes: z.number().int() }));

interface RemoveTarget extends Target {
  readonly model: CatalogueModel;
}

export const modelRemove = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, RemoveTarget>({
  name: "model.remove",
  title: "Remove a model",
  description:
    "Takes the file of a model that was fetched off the disk, also one that is not whole. Not one that a tier uses: give that another with model.use first. Not one of the image. What was removed comes back with model.pull.",
  input: Input,
  output: Output,
  risk: "compensable",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve({ name }, context) {
    const what = `removing "${name}"`;
    const model = modelNamed(name, what, context);
    const { places, state } = context;
    const fetched = existsSync(fetchedPath(places, name)) || partBytes(places, name) > 0;
    if (!fetched && presentFile(model, places)?.origin === "image")
      throw new ToolError(`${what} failed: it comes with the image, which is read-only`);
    if (!fetched) throw new ToolError(`${what} failed: its file is not on this machine`);
    const users = usersOf(name, state);
    if (users.length > 0) throw new ToolError(`${what} failed: it is used by ${users.join(", ")}; give them another with model.use first`);
    return { model, resources: [modelResource(model, "delete", context)] };
  },
  preview: ({ model }) => ({ changes: [`the file of "${model.name}" is removed`], final: ["it has to be fetched again to be used again"] }),
  run(_target, { name }, { places }) {
    const path = fetchedPath(places, name);
    const freed_bytes = (existsSync(path) ? Bun.file(path).size : 0) + partBytes(places, name);
    rmSync(path, { force: true });
    removePart(partPath(places, name));
    syncFolder(modelsFolder(places));
    return { freed_bytes };
  },
  verify(_target, { name }, _output, { places }) {
    if (existsSync(fetchedPath(places, name))) throw new ToolError(`verifying failed: the file of "${name}" is still there`);
  },
});
