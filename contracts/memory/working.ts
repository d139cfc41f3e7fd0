/**
 * Working memory: what the system wants, has planned, does and waits for. Goals, tasks, plans with steps, incidents; leases,
 * so that two never work on the same thing at once; and what each tier keeps in mind.
 *
 * The state machines are data (memory/working/machines.ts); `work.machines` tells them.
 */

import { z } from "zod";
import { method } from "../rpc.ts";
import { CallId } from "../tool.ts";
import { Tier } from "./record.ts";
import { WorkChange, WorkDone } from "./working/changes.ts";
import { JsonObject, json, WorkId, WorkKind } from "./working/fields.ts";
import { WorkItem } from "./working/items.ts";
import { ContextOf, context_bytes_max, Fence, Holder, Lease, Ttl } from "./working/leases.ts";
import { StepKey } from "./working/plans.ts";

export const working_methods = {
  /**
   * All of the changes or none, durable when answered. Refused with `conflict` when something is not at the version that was
   * seen, is not in a state from which this is possible (what is possible is said), or is not under the caller's lease.
   */
  "work.change": method(() => ({
    params: z.strictObject({
      changes: z.array(WorkChange).min(1).max(64),
      why: z.string().min(1).max(500),
      /** By the root of what is changed: the lease under which a tier does it. */
      fences: z.record(WorkId, Fence).optional(),
      /** The person for whom; of the console and the broker only. */
      for: z.string().min(1).max(64).optional(),
      /** A name for this transaction: told twice, it is done once, and answered alike. */
      request: z.string().min(1).max(64).optional(),
    }),
    result: z.strictObject({ done: z.array(WorkDone) }),
  })),
  /** One of them, what is part of it, and where the caller could move it. */
  "work.get": method(() => ({
    params: z.strictObject({ id: WorkId }),
    result: z.strictObject({
      item: WorkItem,
      parts: z.array(WorkItem),
      /** Parts that did not fit. */
      left_out: z.int(),
      lease: Lease.nullable(),
      moves: z.array(z.string()),
    }),
  })),
  /** Newest first. @param before only older than this one */
  "work.list": method(() => ({
    params: z.strictObject({
      kinds: z.array(WorkKind).min(1).max(5).optional(),
      states: z.array(z.string().max(20)).min(1).max(16).optional(),
      ended: z.boolean().optional(),
      parent: WorkId.optional(),
      /** Incidents with this key. */
      key: z.string().max(200).optional(),
      /** What waits for the approval of this call. */
      waits_for: CallId.optional(),
      before: WorkId.optional(),
      limit: z.int().min(1).max(100),
    }),
    result: z.strictObject({ items: z.array(WorkItem), more: z.boolean() }),
  })),
  /** Steps of a plan that can begin now, and what the others wait for. */
  "work.ready": method(() => ({
    params: z.strictObject({ plan: WorkId }),
    result: z.strictObject({
      ready: z.array(z.strictObject({ key: StepKey, id: WorkId, version: z.int() })),
      blocked: z.array(z.strictObject({ key: StepKey, id: WorkId, by: z.array(z.string()) })),
    }),
  })),
  /** Every version, newest first: who, why, from which state to which, and how it then was. */
  "work.history": method(() => ({
    params: z.strictObject({ id: WorkId, limit: z.int().min(1).max(100), before: z.int().optional() }),
    result: z.array(
      z.strictObject({
        version: z.int(),
        time_ms: z.number(),
        boot_ms: z.number(),
        who: z.string(),
        why: z.string(),
        from: z.string().nullable(),
        to: z.string(),
        body: JsonObject,
      }),
    ),
  })),
  "work.machines": method(() => ({
    params: z.strictObject({}),
    result: z.record(
      WorkKind,
      z.strictObject({
        begins: z.string(),
        ends: z.array(z.string()),
        moves: z.array(
          z.strictObject({ from: z.array(z.string()), to: z.string(), by: z.array(z.enum(["tier", "person"])), if: z.string().nullable() }),
        ),
      }),
    ),
  })),
  /** To work on a goal, task or incident and all that is part of it. Not granted while another holds it. */
  "lease.acquire": method(() => ({
    params: z.strictObject({ id: WorkId, holder: Holder, ttl_ms: Ttl }),
    result: z.strictObject({ granted: z.boolean(), lease: Lease }),
  })),
  /** Not granted when it is over: somebody else may have worked on it since. */
  "lease.renew": method(() => ({
    params: z.strictObject({ id: WorkId, fence: Fence, ttl_ms: Ttl }),
    result: z.strictObject({ granted: z.boolean() }),
  })),
  "lease.release": method(() => ({
    params: z.strictObject({ id: WorkId, fence: Fence }),
    result: z.strictObject({ released: z.boolean() }),
  })),
  "lease.list": method(() => ({ params: z.strictObject({}), result: z.array(Lease) })),
  "context.get": method(() => ({ params: z.strictObject({ tier: Tier }), result: ContextOf })),
  /** The caller's own. @param version the version that was seen; 0 the first time */
  "context.put": method(() => ({
    params: z.strictObject({ version: z.int().min(0), body: json(context_bytes_max) }),
    result: z.strictObject({ version: z.int() }),
  })),
} as const;

const read = ["work.get", "work.list", "work.ready", "work.history", "work.machines", "lease.list", "context.get"] as const;

export const works = [...read, "work.change", "lease.acquire", "lease.renew", "lease.release", "context.put"] as const;

export const working_permissions = {
  reactive: works,
  operational: works,
  tactical: works,
  strategic: works,
  console: [...read, "work.change"],
  broker: [...read, "work.change"],
} as const;
