/** Events and decisions: written by those that notice and decide, listed and explained. */

import { z } from "zod";
import { Decision, DecisionId } from "../decision.ts";
import { Event } from "../event.ts";
import { method, Nothing } from "../rpc.ts";
import { Why } from "../why.ts";

export const history_methods = {
  /** Answers when the events are durable (SQLite, synchronous=FULL). Those already held, by id, are not written twice. */
  "events.append": method(() => ({
    params: z.strictObject({ events: z.array(Event).min(1).max(500) }),
    result: z.strictObject({ written: z.int() }),
  })),
  /** Answers when durable. A decision with a known id replaces its earlier outcome. */
  "decisions.append": method(() => ({
    params: z.strictObject({ decisions: z.array(Decision).min(1).max(200) }),
    result: z.strictObject({ written: z.int() }),
  })),
  /** Newest `limit`, in the order they happened. */
  "events.list": method(() => ({
    params: z.strictObject({ limit: z.int().min(1).max(1000), kind: z.string().nullable(), service: z.string().nullable() }),
    result: z.array(Event),
  })),
  /** Those that raised the alarms that stand in a boot, a page; the next begins after its last, and one that is empty is the end. */
  "alarms.standing": method(() => ({
    params: z.strictObject({ boot: z.string().regex(/^[0-9a-f]{8}$/, "the short id of a boot"), after: z.string().max(100).nullable() }),
    result: z.array(Event),
  })),
  "decisions.list": method(() => ({ params: z.strictObject({ limit: z.int().min(1).max(1000) }), result: z.array(Decision) })),
  /** Those of them that there are. */
  "decisions.get": method(() => ({ params: z.strictObject({ ids: z.array(DecisionId).min(1).max(32) }), result: z.array(Decision) })),
  /** The chain of an event or a decision, by its id. */
  why: method(() => ({ params: z.strictObject({ id: z.string().max(100) }), result: Why.nullable() })),
  /** From then on `event` and `decision` notifications of what is written. */
  subscribe: method(() => ({ params: Nothing, result: Nothing })),
  counts: method(() => ({
    params: Nothing,
    result: z.strictObject({ events: z.int(), decisions: z.int(), bytes: z.number(), persistent: z.boolean() }),
  })),
} as const;

export const history_permissions = {
  reactive: ["alarms.standing", "decisions.list", "events.append", "decisions.append", "counts"],
  console: ["events.list", "decisions.list", "why", "subscribe", "counts"],
  operational: ["alarms.standing", "decisions.list", "decisions.get", "decisions.append", "subscribe", "counts"],
  tactical: ["alarms.standing", "decisions.list", "decisions.get", "decisions.append", "subscribe", "counts"],
  strategic: ["alarms.standing", "decisions.list", "decisions.get", "decisions.append", "subscribe", "counts"],
  broker: ["events.list", "counts"],
} as const;
