/** model.list */

import { z } from "zod";
import { ModelRole, ModelTier, workingBytes } from "../../../contracts/model/catalogue.ts";
import { ListedModels } from "../../../contracts/model/listed.ts";
import { defineTool } from "../../tool.ts";
import { catalogueOf } from "./shared/catalogue.ts";
import { reportOf, selectionOf, speedOf, usersOf } from "./shared/selection.ts";
import { partBytes, presentFile, tiersMemory } from "./shared/store.ts";

const Input = z.lazy(() =>
  z.strictObject({
    role: ModelRole.nullable().default(null).describe("only those for this tier, or for embedding"),
    present: z.boolean().default(false).describe("only those whose file is on this machine"),
  }),
);

export const modelList = defineTool({
  name: "model.list",
  title: "List models",
  description:
    "Shows the language models that this machine knows: size, memory, licence, whether the file is here, how fast it was measured, which tier uses which and whether it loaded. Look here before model.pull or model.use, and when a tier says that no model is loaded.",
  input: Input,
  output: ListedModels,
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: () => ({ resources: [{ kind: "model", id: "*", access: "read", attributes: {} }] }),
  async run(_target, { role, present }, context) {
    const { places, state } = context;
    const known = catalogueOf(context).models.map((model) => {
      const file = presentFile(model, places);
      const { name, title, roles, parameters_b, quantisation, size_bytes, licence, licence_url, context_tokens, chat_format } = model;
      return {
        ...{ name, title, roles, parameters_b, quantisation, size_bytes, licence, licence_url, context_tokens, chat_format },
        memory_bytes: size_bytes + workingBytes(model),
        verified: model.sha256 !== null,
        origin: file?.origin ?? null,
        fetched_bytes: partBytes(places, name),
        used_by: usersOf(name, state),
        speed: speedOf(name, state),
      };
    });
    const tiers = await Promise.all(
      ModelTier.options.map(async (tier) => {
        const { model, pinned } = selectionOf(tier, state);
        const report = await reportOf(tier, context).catch(() => null);
        return { tier, model: model?.name ?? null, pinned, loaded: report?.model ?? null, error: report?.model_error ?? "" };
      }),
    );
    const wanted = known.filter((one) => (role === null || one.roles.includes(role)) && (!present || one.origin !== null));
    return { models: wanted, tiers, memory_bytes: tiersMemory() };
  },
});
