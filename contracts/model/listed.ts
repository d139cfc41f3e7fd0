/** What `model.list` answers. */

import { z } from "zod";
import { CatalogueModel, ModelName, ModelSpeed, ModelTier } from "./catalogue.ts";

const { title, roles, parameters_b, quantisation, licence, licence_url, context_tokens, chat_format } = CatalogueModel.shape;

export const ListedModel = z.lazy(() =>
  z.strictObject({
    ...{ name: ModelName, title, roles, parameters_b, quantisation, licence, licence_url, context_tokens, chat_format },
    size_bytes: z.int(),
    memory_bytes: z.int().describe("what it takes while it is loaded"),
    verified: z.boolean().describe("its hash is known; without one it is not fetched"),
    origin: z.enum(["image", "fetched"]).nullable().describe("where its file is from; null: it is not here"),
    fetched_bytes: z.int().describe("of a file that is not whole yet"),
    used_by: z.array(ModelTier),
    speed: ModelSpeed.nullable().describe("on this machine, as model.bench measured it"),
  }),
);
export type ListedModel = z.infer<typeof ListedModel>;

export const ListedModels = z.lazy(() =>
  z.strictObject({
    models: z.array(ListedModel),
    tiers: z.array(
      z.strictObject({
        tier: ModelTier,
        model: ModelName.nullable().describe("what it is to use"),
        pinned: z.boolean().describe("a person chose it; else the system did"),
        loaded: z.string().nullable().describe("what it says that it has loaded; null: it is not running, or does not say"),
        error: z.string().describe("why that does not load; empty when it does"),
      }),
    ),
    memory_bytes: z.int().describe("what the tiers may take together"),
  }),
);
export type ListedModels = z.infer<typeof ListedModels>;
