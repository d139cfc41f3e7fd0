/** Language models of this machine. */

import { ModelTier } from "../../../contracts/model/catalogue.ts";
import type { Loaders } from "../../load.ts";
import type { Restorer } from "../../restore.ts";
import { publish, selectionOf } from "./shared/selection.ts";
import { prepareFolder } from "./shared/store.ts";

export const model_tools: Loaders = {
  "model.list": async () => (await import("./list.ts")).modelList,
  "model.pull": async () => (await import("./pull.ts")).modelPull,
  "model.verify": async () => (await import("./verify.ts")).modelVerify,
  "model.use": async () => (await import("./use.ts")).modelUse,
  "model.bench": async () => (await import("./bench.ts")).modelBench,
  "model.remove": async () => (await import("./remove.ts")).modelRemove,
};

/** Before the tiers start: they see both folders, and find in one of them what to load. */
export const model_restorer: Restorer = {
  name: "models of the tiers",
  family: "model",
  restore({ places, state }) {
    prepareFolder(places);
    for (const tier of ModelTier.options) publish(tier, selectionOf(tier, state).model, places);
  },
};
