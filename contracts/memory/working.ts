/**
 * Working memory: what the system wants, has planned, does and waits for. Goals, tasks, plans with steps, incidents; leases,
 * so that two never work on the same thing at once; and what each tier keeps in mind.
 *
 * The state machines are data (memory/working/machines.ts); `work.machines` tells them.
 */

import { z } from "zod";
import { Signals } from "../decision.ts";
import { Severity } from "../event.ts";
import { CallId, ToolName } from "../tool.ts";
import { MemoryId, Taint, Tier } from "./record.ts";

export const WorkKind = z.enum(["goal", "task", "plan", "step", "incident"]);
export type WorkKind = z.infer<typeof WorkKind>;

/** `<boot>-<kind>-<sequence>`: the form of every memory, so that links can name it. */
export const WorkId = MemoryId;

export const GoalState = z.enum(["new", "planning", "working", "kept", "drifted", "blocked", "paused", "done", "failed", "cancelled"]);
export const TaskState = z.enum(["open", "running", "waiting", "done", "failed", "cancelled"]);
export const PlanState = z.enum(["draft", "active", "held", "done", "failed", "replaced", "cancelled"]);
export const StepState = z.enum(["pending", "running", "waiting", "done", "failed", "skipped", "undone"]);
export const IncidentState = z.enum([
  "observing",
  "orienting",
  "deciding",
  "waiting",
  "acting",
  "watching",
  "learning",
  "solved",
  "handed-over",
  "parked",
]);

const utf8 = new TextEncoder();

/** A JSON object of bounded size. */
const json = (bytes_max: number) =>
  z
    .record(z.string().max(100), z.json())
    .refine((value) => utf8.encode(JSON.stringify(value)).length <= bytes_max, `at most ${bytes_max} bytes as JSON`);

export const JsonObject = z.record(z.string(), z.json());
export type JsonObject = z.infer<typeof JsonObject>;

/** Why it does not go on: an approval is the broker's (contracts/permission.ts), here is only which call it is for. */
export const WaitsFor = z.strictObject({ call: CallId.nullable(), what: z.string().min(1).max(500) });

/** The standing check of a goal: this call, so often, must answer with at least these members. */
export const Check = z.strictObject({
  tool: ToolName,
  arguments: json(4096),
  every_ms: z.number().int().min(1000),
  expect: json(4096),
});

const Progress = z.number().min(0).max(1).nullable();

export const GoalBody = z.strictObject({
  text: z.string().min(1).max(2000),
  /** To be kept true from then on; otherwise reached once. */
  keep: z.boolean(),
  check: Check.nullable(),
  progress: Progress,
  waits_for: WaitsFor.nullable(),
  taint: Taint,
});

export const TaskBody = z.strictObject({
  title: z.string().min(1).max(500),
  detail: z.string().max(4000),
  /** Which tier is to do it, or null: any. */
  tier: Tier.nullable(),
  /** Wall clock. */
  due_ms: z.number().nullable(),
  waits_for: WaitsFor.nullable(),
  result: z.string().max(2000).nullable(),
  taint: Taint,
});

export const PlanBody = z.strictObject({
  purpose: z.string().min(1).max(1000),
  /** The playbook that it replays, or null. */
  playbook: z.string().max(200).nullable(),
  taint: Taint,
});

/** A step's name within its plan. */
export const StepKey = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "a step's key is up to 40 of a-z 0-9 -");

export const StepBody = z.strictObject({
  key: StepKey,
  title: z.string().min(1).max(500),
  /** The call to make, or null: something else than a call. */
  tool: ToolName.nullable(),
  arguments: json(8192),
  /** Steps that have to be done (or skipped) before. */
  needs: z.array(StepKey).max(32),
  /** How often it was begun, and how often it may be. */
  attempts: z.number().int().min(0),
  attempts_max: z.number().int().min(1).max(10),
  /** Calls that were made for it. */
  calls: z.array(CallId).max(16),
  waits_for: WaitsFor.nullable(),
  result: z.string().max(2000).nullable(),
  taint: Taint,
});

const Chance = z.number().min(0).max(1);

/** What the operational tier makes of an incident before anybody acts. */
export const Triage = z.strictObject({
  /** Which part of the system it is about: `disk`, `network`. */
  kind: z.string().max(40),
  /** Something like it was met before. */
  known: z.boolean(),
  /** What may be done, the likeliest to help first: rules of decisions, `playbook disk-full`. */
  options: z
    .array(
      z.strictObject({
        rule: z.string().max(100),
        /** The chance that it helps, calibrated by what came of earlier decisions. */
        confidence: Chance,
        /** What that is made of, by who said it: `neighbours`, `model`. Not calibrated. */
        signals: Signals,
      }),
    )
    .max(16),
  /** In a clause: what was asked, and what could not be. */
  said: z.string().max(500),
  took_ms: z.number().min(0),
});
export type Triage = z.infer<typeof Triage>;

/** Other alarms that belong to an incident while it is worked on: they have no incident of their own for so long. */
export const Covers = z.strictObject({
  /** Raised between these, by the boot clock; */
  from_ms: z.number(),
  until_ms: z.number(),
  /** of this subject, or of this alarm; null: whichever. */
  subject: z.string().max(200).nullable(),
  alarm: z.string().max(40).nullable(),
  /** From then on they are looked at for themselves, by the boot clock. */
  hold_until_ms: z.number(),
  /** How many there were when it was opened, itself included. */
  alarms: z.number().int().min(1),
});
export type Covers = z.infer<typeof Covers>;

export const IncidentBody = z.strictObject({
  /** What it is about: while an incident with this key is open, more of the same is added to it. */
  key: z.string().min(1).max(200),
  summary: z.string().min(1).max(1000),
  severity: Severity,
  service: z.string().max(100).nullable(),
  /** The newest events that belong to it, and how many there were in all. */
  events: z.array(MemoryId).max(32),
  events_total: z.number().int(),
  /** What the deciding was based on, what was decided, and which calls were made. */
  memories: z.array(MemoryId).max(32),
  decisions: z.array(MemoryId).max(32),
  calls: z.array(CallId).max(32),
  /** Who works on it, and how often it was passed up. */
  tier: Tier.nullable(),
  escalations: z.number().int().min(0),
  /** What it has cost so far. */
  spent: z.strictObject({ calls: z.number().int(), tokens: z.number().int(), model_ms: z.number() }),
  /** Measured health before anything was done: afterwards it must not be worse. */
  health_before: z.record(z.string().max(64), z.number()).nullable(),
  waits_for: WaitsFor.nullable(),
  /** What was learned of it. */
  lesson: MemoryId.nullable(),
  taint: Taint,
  triage: Triage.optional(),
  covers: Covers.optional(),
});

const itemOf = <K extends WorkKind, S extends z.ZodType, B extends z.ZodType>(kind: K, state: S, body: B) =>
  z.strictObject({
    id: WorkId,
    kind: z.literal(kind),
    state,
    /** It came to an end. */
    ended: z.boolean(),
    /** Changes since it was made, from 1: whoever changes it says which version was seen. */
    version: z.number().int().min(1),
    /** What it is part of, and what all of that is part of (itself, when nothing): the lease is on that. */
    parent: WorkId.nullable(),
    root: WorkId,
    /** Wall clock. */
    created_ms: z.number(),
    changed_ms: z.number(),
    /** Who made it; who changed it last, and why. */
    made_by: z.string(),
    changed_by: z.string(),
    reason: z.string(),
    body,
  });

export const WorkItem = z.discriminatedUnion("kind", [
  itemOf("goal", GoalState, GoalBody),
  itemOf("task", TaskState, TaskBody),
  itemOf("plan", PlanState, PlanBody),
  itemOf("step", StepState, StepBody),
  itemOf("incident", IncidentState, IncidentBody),
]);
export type WorkItem = z.infer<typeof WorkItem>;
export type WorkState = WorkItem["state"];

/** What may be changed of each kind besides its state. */
export const work_patches = {
  goal: GoalBody.partial(),
  task: TaskBody.partial(),
  plan: PlanBody.partial(),
  step: StepBody.omit({ key: true, needs: true, attempts: true }).partial(),
  incident: IncidentBody.omit({ key: true, events: true, events_total: true, covers: true }).partial(),
} as const;

export const StepDraft = StepBody.pick({
  key: true,
  title: true,
  tool: true,
  arguments: true,
  needs: true,
  attempts_max: true,
  taint: true,
});
export type StepDraft = z.infer<typeof StepDraft>;

/** An id, or `@name` of something made earlier in the same transaction with `as: "name"`. */
export const WorkRef = z.union([WorkId, z.string().regex(/^@[a-z0-9-]{1,20}$/)]);
const As = z
  .string()
  .regex(/^[a-z0-9-]{1,20}$/)
  .optional();
/** The version that was seen; null for what the same transaction has made. */
const Version = z.number().int().min(1).nullable();
const Patch = json(32 * 1024);
const steps_max = 64;

export const WorkChange = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("goal"), as: As, body: GoalBody.pick({ text: true, keep: true, check: true, taint: true }) }),
  z.strictObject({
    do: z.literal("task"),
    as: As,
    parent: WorkRef.nullable(),
    body: TaskBody.pick({ title: true, detail: true, tier: true, due_ms: true, taint: true }),
  }),
  /** A plan and its steps; which need which must not go in a circle. */
  z.strictObject({
    do: z.literal("plan"),
    as: As,
    parent: WorkRef.nullable(),
    body: PlanBody,
    steps: z.array(StepDraft).min(1).max(steps_max),
  }),
  /** More steps of a plan. */
  z.strictObject({ do: z.literal("steps"), plan: WorkRef, version: Version, steps: z.array(StepDraft).min(1).max(steps_max) }),
  /** An incident, or more of one that is open: events that it has already change nothing. */
  z.strictObject({
    do: z.literal("incident"),
    as: As,
    body: IncidentBody.pick({ key: true, summary: true, severity: true, service: true, events: true, taint: true, covers: true }),
  }),
  /** Another state, as the machine of its kind allows. */
  z.strictObject({ do: z.literal("move"), id: WorkRef, version: Version, to: z.string().max(20), patch: Patch.optional() }),
  z.strictObject({ do: z.literal("edit"), id: WorkRef, version: Version, patch: Patch }),
]);
export type WorkChange = z.infer<typeof WorkChange>;

export const WorkDone = z.strictObject({
  id: WorkId,
  kind: WorkKind,
  state: z.string(),
  version: z.number().int(),
  /** An incident with this key was open already. */
  merged: z.boolean(),
  /** The steps that were made. */
  steps: z.array(z.strictObject({ key: StepKey, id: WorkId })),
});
export type WorkDone = z.infer<typeof WorkDone>;

/** Who works on what, how long: told by the boot clock, and over with the boot. */
export const Lease = z.strictObject({
  root: WorkId,
  holder: z.string(),
  /** Grows with each holder: what is done under an older one is refused. */
  fence: z.number().int(),
  left_ms: z.number(),
});
export type Lease = z.infer<typeof Lease>;

const Fence = z.number().int().min(1);
/** A process, not a tier: one that was started again does not know what the one before did. */
const Holder = z.string().min(1).max(64);
const Ttl = z.number().int().min(1000).max(600_000);
export const context_bytes_max = 32 * 1024;

export const ContextOf = z.strictObject({
  tier: Tier,
  /** 0: nothing was ever kept. */
  version: z.number().int(),
  changed_ms: z.number().nullable(),
  body: JsonObject,
});
export type ContextOf = z.infer<typeof ContextOf>;

export const working_methods = {
  /**
   * All of the changes or none, durable when answered. Refused with `conflict` when something is not at the version that was
   * seen, is not in a state from which this is possible (what is possible is said), or is not under the caller's lease.
   */
  "work.change": {
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
  },
  /** One of them, what is part of it, and where the caller could move it. */
  "work.get": {
    params: z.strictObject({ id: WorkId }),
    result: z.strictObject({
      item: WorkItem,
      parts: z.array(WorkItem),
      /** Parts that did not fit. */
      left_out: z.number().int(),
      lease: Lease.nullable(),
      moves: z.array(z.string()),
    }),
  },
  /** Newest first. @param before only older than this one */
  "work.list": {
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
      limit: z.number().int().min(1).max(100),
    }),
    result: z.strictObject({ items: z.array(WorkItem), more: z.boolean() }),
  },
  /** Steps of a plan that can begin now, and what the others wait for. */
  "work.ready": {
    params: z.strictObject({ plan: WorkId }),
    result: z.strictObject({
      ready: z.array(z.strictObject({ key: StepKey, id: WorkId, version: z.number().int() })),
      blocked: z.array(z.strictObject({ key: StepKey, id: WorkId, by: z.array(z.string()) })),
    }),
  },
  /** Every version, newest first: who, why, from which state to which, and how it then was. */
  "work.history": {
    params: z.strictObject({ id: WorkId, limit: z.number().int().min(1).max(100), before: z.number().int().optional() }),
    result: z.array(
      z.strictObject({
        version: z.number().int(),
        time_ms: z.number(),
        boot_ms: z.number(),
        who: z.string(),
        why: z.string(),
        from: z.string().nullable(),
        to: z.string(),
        body: JsonObject,
      }),
    ),
  },
  "work.machines": {
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
  },
  /** To work on a goal, task or incident and all that is part of it. Not granted while another holds it. */
  "lease.acquire": {
    params: z.strictObject({ id: WorkId, holder: Holder, ttl_ms: Ttl }),
    result: z.strictObject({ granted: z.boolean(), lease: Lease }),
  },
  /** Not granted when it is over: somebody else may have worked on it since. */
  "lease.renew": {
    params: z.strictObject({ id: WorkId, fence: Fence, ttl_ms: Ttl }),
    result: z.strictObject({ granted: z.boolean() }),
  },
  "lease.release": { params: z.strictObject({ id: WorkId, fence: Fence }), result: z.strictObject({ released: z.boolean() }) },
  "lease.list": { params: z.strictObject({}), result: z.array(Lease) },
  "context.get": { params: z.strictObject({ tier: Tier }), result: ContextOf },
  /** The caller's own. @param version the version that was seen; 0 the first time */
  "context.put": {
    params: z.strictObject({ version: z.number().int().min(0), body: json(context_bytes_max) }),
    result: z.strictObject({ version: z.number().int() }),
  },
} as const;

const read = ["work.get", "work.list", "work.ready", "work.history", "work.machines", "lease.list", "context.get"] as const;
const works = [...read, "work.change", "lease.acquire", "lease.renew", "lease.release", "context.put"] as const;

export const working_permissions = {
  reactive: works,
  operational: works,
  tactical: works,
  strategic: works,
  console: [...read, "work.change"],
  broker: [...read, "work.change"],
} as const;
