/** model.use */

import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ModelName, ModelTier } from "../../../contracts/model/catalogue.ts";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { modelNamed } from "./shared/catalogue.ts";
import { modelResource } from "./shared/resource.ts";
import { reportOf, Selection, select, selectionOf, toldOf } from "./shared/selection.ts";
import { demandPresent, inUse, type Present, tiersMemory } from "./shared/store.ts";

const Input = z.lazy(() =>
  z.strictObject({
    tier: ModelTier.describe("the tier that is to use it"),
    name: ModelName.nullable().describe("of a model whose file is here; null: none, this tier does without"),
    pin: z
      .boolean()
      .default(true)
      .describe("it stays until somebody changes it; false: the system may choose another when it has reason to"),
    timeout_ms: z
      .number()
      .int()
      .min(1000)
      .max(1_800_000)
      .default(300_000)
      .describe("milliseconds within which the tier has to have loaded it"),
  }),
);
type Input = z.infer<typeof Input>;

const Output = z.lazy(() =>
  z.strictObject({
    before: ModelName.nullable(),
    loaded: z.boolean().describe("false: the tier is not running, and loads it when it starts; or it says nothing of it"),
    took_ms: z.number(),
  }),
);

const Image = z.lazy(() => z.strictObject({ tier: ModelTier, selection: Selection }));

interface UseTarget extends Target {
  readonly file: Present | null;
}

export const modelUse = defineTool<Input, z.infer<typeof Output>, UseTarget, z.infer<typeof Image>>({
  name: "model.use",
  title: "Use a model",
  description:
    "Gives a tier another model, while it runs, and waits until the tier says that it is loaded. When it does not load, or not in time, the tier gets back the one that it had, and the call says why. The model has to be on this machine (model.list, model.pull). With name null the tier does without a model; with pin false the system may choose another.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 1_830_000,
  idempotent: true,
  tainted: false,
  concurrency_max: 2,
  image: Image,
  resolve({ tier, name }, context) {
    const setting = { kind: "setting" as const, id: `model:${tier}`, access: "write" as const, attributes: {} };
    if (name === null) return { file: null, resources: [setting] };
    const what = `using "${name}" for the ${tier} tier`;
    const model = modelNamed(name, what, context);
    if (model.roles.every((role) => role === "embedding"))
      throw new ToolError(`${what} failed: it turns text into vectors and writes none`);
    if (model.sha256 === null) throw new ToolError(`${what} failed: its hash is not known; only what was verified is used`);
    const file = demandPresent(model, what, context.places);
    const { size_bytes, working_bytes } = inUse(file);
    const memory = tiersMemory();
    if (size_bytes + working_bytes > memory)
      throw new ToolError(
        `${what} failed: it needs ${size_bytes + working_bytes} bytes of memory, and the tiers may take ${memory} together; take a smaller one`,
      );
    return { file, resources: [setting, modelResource(model, "read", context)] };
  },
  preview: (_target, { tier, name }, { state }) => ({
    changes: [
      `the ${tier} tier uses ${name === null ? "no model" : `"${name}"`} instead of ${selectionOf(tier, state).model?.name ?? "none"}`,
    ],
    final: [],
  }),
  snapshot: (_target, { tier }, { state }) => ({ tier, selection: selectionOf(tier, state) }),
  async run({ file }, { tier, name, pin, timeout_ms }, context) {
    const begin = context.clock.boot_ms();
    const before = selectionOf(tier, context.state).model?.name ?? null;
    select(tier, { model: file === null ? null : inUse(file), pinned: pin }, context);
    const loaded = await untilLoaded(tier, name, timeout_ms, context);
    return { before, loaded, took_ms: Math.round(context.clock.boot_ms() - begin) };
  },
  verify(_target, { tier, name }, _output, context) {
    if (toldOf(tier, context.places) !== name) throw new ToolError(`verifying failed: the ${tier} tier is told of another model`);
  },
  undo: ({ tier, selection }, _past, context) => select(tier, selection, context),
  verifyUndone({ tier, selection }, _past, { places }) {
    if (toldOf(tier, places) !== (selection.model?.name ?? null))
      throw new ToolError(`verifying failed: the ${tier} tier is told of another model than before`);
  },
});

/** Milliseconds between two looks. */
const look_ms = 200;

/** @returns false when the tier is not running, or says nothing of its model @throws {ToolError} when it does not load */
async function untilLoaded(tier: ModelTier, name: string | null, limit_ms: number, context: Context): Promise<boolean> {
  const what = `using ${name === null ? "no model" : `"${name}"`} for the ${tier} tier`;
  const begin_ms = context.clock.boot_ms();
  for (;;) {
    const report = await reportOf(tier, context);
    const waited_ms = context.clock.boot_ms() - begin_ms;
    if (report === null) return false;
    if (report.model === (name ?? "none") && report.model_error === "") return true;
    if (name !== null && report.model_error.startsWith(`${name}: `))
      throw new ToolError(
        `${what} failed: it does not load: ${report.model_error.slice(name.length + 2)}; the tier gets back the one that it had`,
      );
    if (waited_ms >= limit_ms)
      throw new ToolError(
        `${what} failed: it was not loaded within ${limit_ms} ms, the tier says "${report.model}"; the tier gets back the one that it had`,
      );
    await sleep(look_ms, undefined, { signal: context.signal });
  }
}
