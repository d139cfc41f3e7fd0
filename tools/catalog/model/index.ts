/** Language models of this machine. */

import { ModelTier } from "../../../contracts/model/catalogue.ts";
import type { Restorer } from "../../restore.ts";
import type { AnyTool } from "../../tool.ts";
import { modelBench } from "./bench.ts";
import { modelList } from "./list.ts";
import { modelPull } from "./pull.ts";
import { modelRemove } from "./remove.ts";
import { publish, selectionOf } from "./shared/selection.ts";
import { prepareFolder } from "./shared/store.ts";
import { modelUse } from "./use.ts";
import { modelVerify } from "./verify.ts";

export const model_tools: readonly AnyTool[] = [modelList, modelPull, modelVerify, modelUse, modelBench, modelRemove];

/** Before the tiers start: they see both folders, and find in one of them what to load. */
export const model_restorer: Restorer = {
  name: "models of the tiers",
  family: "model",
  restore({ places, state }) {
    prepareFolder(places);
    for (const tier of ModelTier.options) publish(tier, selectionOf(tier, state).model, places);
  },
};
