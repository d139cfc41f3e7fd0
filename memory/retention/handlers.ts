/** Rules of retention, as they are asked over the socket. Who may set one is the broker's to say (tools/policy/). */

import {
  type RetentionFilter,
  type RetentionPreview,
  type retention_methods,
  retention_rules_max,
} from "../../contracts/memory/retention.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { Keeper } from "../keeper.ts";
import { turn } from "../upkeep/turn.ts";
import type { Upkeep } from "../upkeep/upkeep.ts";
import { cutoffOf } from "./rules.ts";

export function retentionHandlers(keeper: Keeper, upkeep: Upkeep): Handlers<typeof retention_methods> {
  return {
    "retention.preview": ({ filter }) => preview(keeper, filter, upkeep.now()),
    async "retention.set"({ filter, by, reason, call }) {
      const rule = await written(keeper, ({ retention }) => retention.rules.set({ filter, by, reason, call }, upkeep.now()));
      if (rule === null)
        throw new RpcError(rpc_error.conflict, `setting a rule of retention failed: ${retention_rules_max} hold already; end one first`);
      upkeep.retain();
      return rule;
    },
    async "retention.end"({ id, by }) {
      const rule = await written(keeper, ({ retention }) => retention.rules.end(id, by, upkeep.now()));
      if (rule === null)
        throw new RpcError(
          rpc_error.not_found,
          `ending the rule of retention ${id} failed: there is none; list them with memory.retention`,
        );
      return rule;
    },
    "retention.list": ({ tombstones }) =>
      keeper.read(({ retention }) => ({
        rules: retention.rules.all(),
        tombstones: retention.tombstones.newest(tombstones),
        deleted: retention.tombstones.total,
      })),
  };
}

/** Looks through all that is old enough, a window at a time: nobody waits for it. */
async function preview(keeper: Keeper, filter: RetentionFilter, now_ms: number): Promise<RetentionPreview> {
  const cutoff_ms = cutoffOf(filter, now_ms);
  const found = { memories: 0, cold: 0, kept: 0, oldest_ms: null as number | null, newest_ms: null as number | null, cutoff_ms };
  let walk = keeper.parts.retention.begin;
  for (;;) {
    const window = keeper.read(({ retention }) => retention.window(walk));
    if (window === null || walk.reached_ms >= cutoff_ms) return found;
    const chosen = keeper.read(({ retention }) => {
      retention.markKept();
      return retention.fitting(window, { filter, cutoff_ms }, now_ms);
    });
    for (const { cold, kept, time_ms } of chosen) {
      if (kept === 1) {
        found.kept += 1;
        continue;
      }
      found.memories += 1;
      found.cold += cold;
      found.oldest_ms = Math.min(found.oldest_ms ?? time_ms, time_ms);
      found.newest_ms = Math.max(found.newest_ms ?? time_ms, time_ms);
    }
    walk = keeper.read(({ retention }) => retention.behind(window, now_ms));
    await turn();
  }
}

/** Also while writes are refused because the disk is full: a rule is a way out of that. */
async function written<T>(keeper: Keeper, change: (parts: Keeper["parts"]) => T): Promise<T> {
  try {
    return keeper.refusal === null ? await keeper.share(change) : keeper.write(change, { makes_room: true });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new RpcError(rpc_error.unavailable, `writing to memory failed: ${cause}; try again`);
  }
}
