/** Models, for people. */

import type { ListedModel, ListedModels } from "../../../contracts/model/listed.ts";
import { plain } from "../text/plain.ts";
import { type Cell, table } from "../text/table.ts";
import { bytes } from "../text/units.ts";
import type { View } from "./view.ts";

const columns = [
  { title: "MODEL" },
  { title: "FOR" },
  { title: "SIZE", right: true },
  { title: "MEMORY", right: true },
  { title: "HERE" },
  { title: "SPEED", right: true },
  { title: "LICENCE" },
] as const;

export function modelsView({ models, tiers, memory_bytes }: ListedModels, { paint, width }: View): string[] {
  const used = tiers.flatMap(({ tier, model, pinned, loaded, error }) => {
    const what = model === null ? "no model" : `${model}${pinned ? ", pinned" : ""}`;
    const state =
      model === null || loaded === model
        ? ""
        : loaded === null
          ? "; the tier does not say whether it is loaded"
          : `; loaded: ${plain(loaded)}`;
    return [`${paint("bold", tier)} uses ${what}${state}`, ...(error === "" ? [] : [`  ${paint("red", plain(error))}`])];
  });
  const rows = models.map((model): Cell[] => [
    { text: model.name, ...(model.used_by.length > 0 ? { colour: "green" as const } : {}) },
    { text: model.roles.join(", ") },
    { text: bytes(model.size_bytes) },
    { text: bytes(model.memory_bytes), ...(model.memory_bytes > memory_bytes ? { colour: "red" as const } : {}) },
    { text: whereOf(model) },
    { text: model.speed === null ? "–" : `${model.speed.tokens_s.toFixed(model.speed.tokens_s < 10 ? 1 : 0)} t/s` },
    { text: model.licence },
  ]);
  return [...used, `The tiers may take ${bytes(memory_bytes)} of memory together.`, "", ...table(columns, rows, { paint, width })];
}

function whereOf({ origin, fetched_bytes, size_bytes, verified }: ListedModel): string {
  if (origin !== null) return origin;
  if (fetched_bytes > 0) return `${Math.floor((fetched_bytes / size_bytes) * 100)} %`;
  return verified ? "no" : "no, hash unknown";
}
