/** model.bench */

import { availableParallelism } from "node:os";
import { z } from "zod";
import { ModelName, ModelSpeed } from "../../../contracts/model/catalogue.ts";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { modelNamed } from "./shared/catalogue.ts";
import { modelResource } from "./shared/resource.ts";
import { keepSpeed, speedOf } from "./shared/selection.ts";
import { availableMemory, demandPresent, inUse, type Present } from "./shared/store.ts";

const Input = z.lazy(() =>
  z.strictObject({
    name: ModelName.describe("of a model whose file is here"),
    threads: z.number().int().min(1).max(256).nullable().default(null).describe("processors that it computes on; null: all but one"),
  }),
);
const Image = z.lazy(() => z.strictObject({ name: ModelName, speed: ModelSpeed.nullable() }));

interface BenchTarget extends Target {
  readonly file: Present;
}

/** Where the program sees the file. */
const inside = "/run/model.gguf";
const Measured = ModelSpeed.pick({ prompt_tokens_s: true, tokens_s: true, load_ms: true });

export const modelBench = defineTool<z.infer<typeof Input>, ModelSpeed, BenchTarget, z.infer<typeof Image>>({
  name: "model.bench",
  title: "Measure a model",
  description:
    "Measures how many tokens a second this machine reads and writes with a model, in a process of its own, and keeps the figures: by them the system chooses a model for a tier. Takes up to a minute of computing, longer for large models; do it when there is little else to do, or the figures are those of a busy machine.",
  input: Input,
  output: ModelSpeed,
  risk: "reversible",
  timeout_ms: 900_000,
  idempotent: true,
  tainted: false,
  concurrency_max: 1,
  image: Image,
  resolve({ name }, context) {
    const what = `measuring "${name}"`;
    const model = modelNamed(name, what, context);
    if (model.roles.every((role) => role === "embedding"))
      throw new ToolError(`${what} failed: it turns text into vectors and writes none`);
    const file = demandPresent(model, what, context.places);
    const { size_bytes, working_bytes } = inUse(file);
    const available = availableMemory();
    if (size_bytes + working_bytes > available)
      throw new ToolError(`${what} failed: it needs ${size_bytes + working_bytes} bytes of memory, and ${available} are available`);
    return { file, resources: [modelResource(model, "write", context)] };
  },
  preview: ({ file }) => ({ changes: [`the figures of "${file.model.name}" are measured anew`], final: [] }),
  snapshot: (_target, { name }, { state }) => ({ name, speed: speedOf(name, state) }),
  async run({ file }, { name, threads }, context) {
    const used = threads ?? Math.max(1, availableParallelism() - 1);
    const speed = { ...(await measured(file, used, context)), threads: used, measured_ms: context.clock.now_ms() };
    keepSpeed(name, speed, context.state);
    return speed;
  },
  verify(_target, { name }, output, { state }) {
    if (speedOf(name, state)?.measured_ms !== output.measured_ms)
      throw new ToolError(`verifying failed: the figures of "${name}" were not kept`);
  },
  undo: ({ name, speed }, _past, { state }) => keepSpeed(name, speed, state),
  verifyUndone({ name, speed }, _past, { state }) {
    if (speedOf(name, state)?.measured_ms !== speed?.measured_ms)
      throw new ToolError(`verifying failed: the figures of "${name}" are not what they were`);
  },
});

async function measured(
  file: Present,
  threads: number,
  { exec, places }: Pick<Context, "exec" | "places">,
): Promise<z.infer<typeof Measured>> {
  const { size_bytes, working_bytes } = inUse(file);
  const { stdout } = await exec.ok({
    argv: [...places.aios, "measure-model", inside, String(threads)],
    sandbox: { reads: [[file.path, inside]] },
    limits: { timeout_ms: 880_000, memory_max_bytes: size_bytes + working_bytes + runtime_bytes },
  });
  return Measured.parse(JSON.parse(new TextDecoder().decode(stdout)));
}

/** Of the process besides the model. */
const runtime_bytes = 512 * 1024 * 1024;
