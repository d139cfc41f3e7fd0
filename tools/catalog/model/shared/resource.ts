/** A model, as policies see it. */

import type { CatalogueModel } from "../../../../contracts/model/catalogue.ts";
import type { Resource } from "../../../../contracts/tool.ts";
import type { Context } from "../../../context.ts";
import { usersOf } from "./selection.ts";
import { presentFile } from "./store.ts";

export function modelResource(
  model: CatalogueModel,
  access: Resource["access"],
  { places, state }: Pick<Context, "places" | "state">,
): Resource {
  const file = presentFile(model, places);
  const attributes = {
    present: file !== null,
    shipped: file?.origin === "image",
    in_use: usersOf(model.name, state).length > 0,
    licence: model.licence,
  };
  return { kind: "model", id: model.name, access, attributes };
}
