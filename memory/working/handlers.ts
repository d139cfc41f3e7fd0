/** Working memory, as one caller asks it over the socket. */

import { Tier } from "../../contracts/memory/record.ts";
import type { WorkItem } from "../../contracts/memory/working/items.ts";
import type { working_methods } from "../../contracts/memory/working.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import type { CoreService } from "../../contracts/service.ts";
import { codeOf, describe } from "../../wire/database.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { Clock } from "../clock.ts";
import type { Keeper } from "../keeper.ts";
import type { Parts } from "../parts.ts";
import { thatFit } from "./items.ts";
import { holderName, type Moment } from "./leases.ts";
import { type Actor, machines, movesFrom } from "./machines.ts";
import { readiness } from "./plan.ts";
import { remember } from "./remember.ts";
import type { Working } from "./working.ts";

export function workingHandlers(keeper: Keeper, clock: Clock, caller: CoreService): Handlers<typeof working_methods> {
  const now = (): Moment => ({ boot: clock.boot, boot_ms: clock.boot_ms(), time_ms: clock.time_ms() });
  const tier = Tier.safeParse(caller).data ?? null;
  const actor: Actor = tier === null ? "person" : "tier";
  const read = <T>(query: (working: Working) => T): T => keeper.read(({ working }) => query(working));
  const write = async <T>(change: (working: Working, parts: Parts) => T): Promise<T> => {
    try {
      return await keeper.share((parts) => change(parts.working, parts));
    } catch (error) {
      if (codeOf(error) === "") throw error;
      throw new RpcError(
        rpc_error.unavailable,
        `changing working memory failed, and nothing was changed: ${describe(error)}; try again later`,
      );
    }
  };
  return {
    "work.change": (request) => {
      if (request.for !== undefined && actor === "tier") {
        throw new RpcError(rpc_error.not_permitted, `"${caller}" may not speak for "${request.for}": the console and the broker do`);
      }
      return write((working, { longterm }) => {
        const moment = now();
        const { done, touched } = working.change({ caller, actor }, request, moment);
        for (const root of touched) remember(longterm, working.items, root, moment);
        return { done };
      });
    },
    "work.get": ({ id }) =>
      read(({ items, leases }) => {
        const item = need(items.item(id), id);
        const { items: parts, left_out } = thatFit(items.parts(id));
        const moves = movesFrom(item.kind, item.state, actor).map(({ to }) => to);
        return { item, parts, left_out, lease: leases.of(item.root, now()), moves };
      }),
    "work.list": (query) => read(({ items }) => items.list(query)),
    "work.ready": ({ plan }) =>
      read(({ items }) => {
        const { ready, blocked } = readiness(items.steps(need(items.item(plan), plan).id));
        return {
          ready: ready.map(({ id, version, body }) => ({ key: body.key, id, version })),
          blocked: blocked.map(({ step, by }) => ({ key: step.body.key, id: step.id, by })),
        };
      }),
    "work.history": ({ id, before, limit }) => read(({ items }) => items.history(id, before, limit)),
    "work.machines": () => told,
    "lease.acquire": ({ id, holder, ttl_ms }) =>
      write(({ items, leases }) => {
        const { root } = need(items.item(id), id);
        if (root !== id) throw new RpcError(rpc_error.invalid_params, `"${id}" is part of "${root}": the lease is on that`);
        return leases.acquire(root, holderName(caller, holder), ttl_ms, now());
      }),
    "lease.renew": ({ id, fence, ttl_ms }) => write(({ leases }) => ({ granted: leases.renew(id, caller, fence, ttl_ms, now()) })),
    "lease.release": ({ id, fence }) => write(({ leases }) => ({ released: leases.release(id, caller, fence, now()) })),
    "lease.list": () => read(({ leases }) => leases.all(now())),
    "context.get": ({ tier: of }) => read(({ contexts }) => contexts.of(of)),
    "context.put": ({ version, body }) => {
      if (tier === null) throw new RpcError(rpc_error.not_permitted, `"${caller}" is no tier: it has no context`);
      return write(({ contexts }) => ({ version: contexts.put(tier, version, body, clock.time_ms()) }));
    },
  };
}

type Told = ReturnType<Handlers<typeof working_methods>["work.machines"]>;

const told: Awaited<Told> = {
  goal: tell("goal"),
  task: tell("task"),
  plan: tell("plan"),
  step: tell("step"),
  incident: tell("incident"),
};

function tell(kind: WorkItem["kind"]): Awaited<Told>[WorkItem["kind"]] {
  const { begins, ends, moves } = machines[kind];
  return {
    begins,
    ends: [...ends],
    moves: moves.map(({ from, to, by, if: condition }) => ({ from: [...from], to, by: [...by], if: condition })),
  };
}

function need(item: WorkItem | null, id: string): WorkItem {
  if (item === null) throw new RpcError(rpc_error.not_found, `there is no "${id}" in working memory`);
  return item;
}
