/** Log understanding, as it is asked over the socket. */

import type { MinedLine, templates_methods } from "../../contracts/memory/templates.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { Keeper } from "../keeper.ts";
import { limits } from "./limits.ts";
import type { MineCommit } from "./mine-commit.ts";
import type { Value } from "./pattern.ts";
import type { Mined } from "./templates.ts";
import { listTemplates, showTemplate, unusualTemplates } from "./views.ts";

/** Characters of one answer's parameters, with what JSON adds: it has to fit into one frame. */
const answer_chars_max = 128 * 1024;
const parameter_chars = 36;

export function templatesHandlers(keeper: Keeper, commit: MineCommit): Handlers<typeof templates_methods> {
  return {
    "templates.ingest": async ({ lines }) => {
      const mined: MinedLine[] = [];
      const room = { left: answer_chars_max };
      try {
        await commit.append({ lines, each: (found, values) => void mined.push(minedLine(found, values(), room)) });
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        throw new RpcError(rpc_error.unavailable, `writing to memory failed: ${cause}; keep the lines and try again`);
      }
      return { lines: mined };
    },
    "templates.list": (query) => keeper.read(({ templates }) => listTemplates(templates.db, query)),
    "templates.show": ({ id }) => keeper.read(({ templates }) => showTemplate(templates.db, id, Date.now())),
    "templates.rates": (query) => keeper.read(({ templates }) => unusualTemplates(templates.db, { ...query, now_ms: Date.now() })),
  };
}

function minedLine({ template, is_new, burst }: Mined, values: readonly Value[], room: { left: number }): MinedLine {
  const parameters: MinedLine["parameters"] = [];
  let cut = false;
  for (const { kind, text } of values) {
    // what JSON escapes takes six characters at most
    const untrusted = text.slice(0, limits.value_chars_max);
    room.left -= parameter_chars + JSON.stringify(untrusted).length * 2;
    cut ||= untrusted.length < text.length || room.left < 0;
    if (room.left < 0) break;
    parameters.push({ kind, untrusted });
  }
  return { template: template.id, parameters, cut, new: is_new, burst };
}
