/**
 * Changes of working memory: several in one transaction, all or none. Whoever changes something says which version was
 * seen; the move must be in the table of its kind (machines.ts), its condition must hold, and a tier must have the lease.
 */

import type { z } from "zod";
import type { WorkChange, WorkDone } from "../../contracts/memory/working/changes.ts";
import type { WorkKind } from "../../contracts/memory/working/fields.ts";
import { WorkItem, work_patches } from "../../contracts/memory/working/items.ts";
import type { working_methods } from "../../contracts/memory/working.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { issuesText } from "../../wire/issues.ts";
import { RpcError } from "../../wire/peer.ts";
import { unmet } from "./conditions.ts";
import type { Items } from "./items.ts";
import { isOf, type Leases, type Moment } from "./leases.ts";
import { type Actor, isEnd, machines, movesFrom } from "./machines.ts";
import { planFault } from "./plan.ts";

export type ChangeRequest = z.infer<(typeof working_methods)["work.change"]["params"]>;
type ChangeOf<D extends WorkChange["do"]> = Extract<WorkChange, { do: D }>;
type StepDrafts = ChangeOf<"steps">["steps"];

export interface Changer {
  /** The service that calls. */
  readonly caller: string;
  readonly actor: Actor;
}

/** The newest events of an incident that are named in it. */
const events_named = 32;
/** Who may begin what. */
const begins: Readonly<Record<Exclude<WorkChange["do"], "move" | "edit" | "steps">, readonly Actor[]>> = {
  goal: ["tier", "person"],
  task: ["tier", "person"],
  plan: ["tier"],
  incident: ["tier"],
};

export class Transaction {
  readonly #items: Items;
  readonly #leases: Leases;
  readonly #by: Changer;
  readonly #request: ChangeRequest;
  readonly #now: Moment;
  readonly #who: string;
  /** Made in this transaction, by name; and all ids of it. */
  readonly #named = new Map<string, string>();
  readonly #made = new Set<string>();
  /** Roots of all that was changed. */
  readonly touched = new Set<string>();

  constructor(items: Items, leases: Leases, by: Changer, request: ChangeRequest, now: Moment) {
    this.#items = items;
    this.#leases = leases;
    this.#by = by;
    this.#request = request;
    this.#now = now;
    this.#who = request.for === undefined ? by.caller : `${by.caller} (${request.for})`;
  }

  /** @throws {RpcError} and nothing of it is to be kept then */
  run(): WorkDone[] {
    return this.#request.changes.map((change, at) => {
      try {
        return this.#apply(change);
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        throw new RpcError(error.code, `change ${at} (${change.do}) failed, and nothing was changed: ${error.message}`);
      }
    });
  }

  #apply(change: WorkChange): WorkDone {
    switch (change.do) {
      case "goal":
        return this.#begin("goal", change.as, null, { ...change.body, progress: null, waits_for: null });
      case "task":
        return this.#begin("task", change.as, change.parent, { ...change.body, waits_for: null, result: null });
      case "plan":
        return this.#plan(change);
      case "steps":
        return this.#moreSteps(change);
      case "incident":
        return this.#incident(change);
      case "move":
        return this.#move(change);
      case "edit":
        return this.#edit(change);
    }
  }

  #begin(kind: keyof typeof begins, as: string | undefined, parent: string | null, body: WorkItem["body"]): WorkDone {
    if (!begins[kind].includes(this.#by.actor)) {
      throw new RpcError(rpc_error.not_permitted, `"${this.#by.caller}" may not begin a ${kind}: tiers do`);
    }
    const within = parent === null ? null : this.#get(parent);
    if (within !== null) this.#needLease(within.root);
    const item = this.#make(kind, within, body);
    if (as !== undefined) {
      if (this.#named.has(as)) throw new RpcError(rpc_error.invalid_params, `two are called "@${as}"`);
      this.#named.set(as, item.id);
    }
    return done(item);
  }

  #make(kind: WorkKind, within: WorkItem | null, body: WorkItem["body"]): WorkItem {
    if (within?.ended === true) throw new RpcError(rpc_error.conflict, `"${within.id}" is ${within.state}: nothing can be added to it`);
    const id = this.#items.newId(kind, this.#now);
    const { time_ms } = this.#now;
    const item = checked({
      ...{ id, kind, state: machines[kind].begins, ended: false, version: 1, parent: within?.id ?? null, root: within?.root ?? id },
      ...{ created_ms: time_ms, changed_ms: time_ms, made_by: this.#who, changed_by: this.#who, reason: this.#request.why, body },
    });
    this.#made.add(id);
    this.#put(item, null);
    return item;
  }

  #plan(change: ChangeOf<"plan">): WorkDone {
    const fault = planFault(change.steps);
    if (fault !== null) throw new RpcError(rpc_error.invalid_params, `this is no plan: ${fault}`);
    const plan = this.#begin("plan", change.as, change.parent, change.body);
    return { ...plan, steps: this.#steps(this.#get(plan.id), change.steps) };
  }

  #moreSteps({ plan: ref, version, steps }: ChangeOf<"steps">): WorkDone {
    const plan = this.#seen(ref, version);
    if (plan.kind !== "plan") throw new RpcError(rpc_error.invalid_params, `"${plan.id}" is a ${plan.kind}, not a plan`);
    if (this.#by.actor !== "tier") throw new RpcError(rpc_error.not_permitted, `"${this.#by.caller}" may not add steps: tiers do`);
    const fault = planFault([...this.#items.steps(plan.id).map(({ body }) => body), ...steps]);
    if (fault !== null) throw new RpcError(rpc_error.invalid_params, `these cannot be added to plan "${plan.id}": ${fault}`);
    const changed = this.#write(plan, plan.state, plan.body);
    return { ...changed, steps: this.#steps(plan, steps) };
  }

  #steps(plan: WorkItem, drafts: StepDrafts): WorkDone["steps"] {
    return drafts.map((draft) => {
      const { id } = this.#make("step", plan, { ...draft, attempts: 0, calls: [], waits_for: null, result: null });
      return { key: draft.key, id };
    });
  }

  #incident({ as, body }: ChangeOf<"incident">): WorkDone {
    const open = this.#items.openIncident(body.key);
    if (open === null || open.kind !== "incident") {
      const spent = { calls: 0, tokens: 0, model_ms: 0 };
      const nothing_yet = { memories: [], decisions: [], calls: [], tier: null, escalations: 0, spent, health_before: null };
      const events_total = body.events.length;
      return this.#begin("incident", as, null, { ...body, ...nothing_yet, events_total, waits_for: null, lesson: null });
    }
    if (this.#by.actor !== "tier") throw new RpcError(rpc_error.not_permitted, `"${this.#by.caller}" may not add to an incident: tiers do`);
    const fresh = body.events.filter((id) => !open.body.events.includes(id));
    if (as !== undefined) this.#named.set(as, open.id);
    const taint = [...new Set([...open.body.taint, ...body.taint])].slice(0, 16);
    if (fresh.length === 0 && taint.length === open.body.taint.length) return { ...done(open), merged: true };
    const events = [...open.body.events, ...fresh].slice(-events_named);
    const merged = this.#write(open, open.state, { ...open.body, events, events_total: open.body.events_total + fresh.length, taint });
    return { ...merged, merged: true };
  }

  #move({ id, version, to, patch }: ChangeOf<"move">): WorkDone {
    const item = this.#seen(id, version);
    const possible = movesFrom(item.kind, item.state, this.#by.actor);
    const move = possible.find((one) => one.to === to);
    if (move === undefined) {
      const others = possible.length === 0 ? "nothing" : possible.map((one) => one.to).join(", ");
      throw new RpcError(
        rpc_error.conflict,
        `${item.kind} "${item.id}" is ${item.state}, and "${this.#by.caller}" cannot make it "${to}"; possible from there: ${others}`,
      );
    }
    const body = this.#patched(item, patch ?? {}, move.to !== item.state);
    if (move.if !== null) {
      const why_not = unmet(move.if, checked({ ...item, body }), this.#items);
      if (why_not !== null) throw new RpcError(rpc_error.conflict, `${item.kind} "${item.id}" cannot become "${to}": ${why_not}`);
    }
    return this.#write(item, move.to, began(item, move.to, body));
  }

  #edit({ id, version, patch }: ChangeOf<"edit">): WorkDone {
    const item = this.#seen(id, version);
    if (item.ended && this.#by.actor === "tier")
      throw new RpcError(rpc_error.conflict, `"${item.id}" is ${item.state}: it is not changed any more`);
    return this.#write(item, item.state, this.#patched(item, patch, false));
  }

  /** @param moves it leaves its state: what it waited for there is over, unless the patch says otherwise */
  #patched(item: WorkItem, patch: object, moves: boolean): WorkItem["body"] {
    const parsed = work_patches[item.kind].safeParse(patch);
    if (!parsed.success) throw new RpcError(rpc_error.invalid_params, `the patch does not fit a ${item.kind}: ${issuesText(parsed.error)}`);
    const waited = moves && "waits_for" in item.body ? { waits_for: null } : {};
    return checked({ ...item, body: { ...item.body, ...waited, ...parsed.data } }).body;
  }

  #write(item: WorkItem, state: WorkItem["state"], body: WorkItem["body"]): WorkDone {
    const ended = isEnd(item.kind, state);
    const changed = checked({
      ...item,
      ...{ state, ended, version: item.version + 1, changed_ms: this.#now.time_ms, changed_by: this.#who, reason: this.#request.why, body },
    });
    this.#put(changed, item.state);
    return done(changed);
  }

  #put(item: WorkItem, before: string | null): void {
    this.#items.put(item, before, this.#now);
    this.touched.add(item.root);
  }

  /** The item, at the version that the caller saw and under its lease. */
  #seen(ref: string, version: number | null): WorkItem {
    const item = this.#get(ref);
    if (version === null ? !this.#made.has(item.id) : item.version !== version) {
      throw new RpcError(
        rpc_error.conflict,
        `version ${version ?? "(none)"} of ${item.kind} "${item.id}" was seen, and it is at ${item.version} (${item.state}) since ${item.changed_by} changed it; read it again`,
      );
    }
    this.#needLease(item.root);
    return item;
  }

  #get(ref: string): WorkItem {
    const id = ref.startsWith("@") ? this.#named.get(ref.slice(1)) : ref;
    if (id === undefined) throw new RpcError(rpc_error.invalid_params, `"${ref}" is not made before it is named`);
    const item = this.#items.item(id);
    if (item === null) throw new RpcError(rpc_error.not_found, `there is no "${id}" in working memory`);
    return item;
  }

  #needLease(root: string): void {
    if (this.#by.actor !== "tier" || this.#made.has(root)) return;
    const lease = this.#leases.of(root, this.#now);
    const fence = this.#request.fences?.[root];
    if (lease !== null && lease.fence === fence && isOf(lease, this.#by.caller)) return;
    const holds =
      lease === null ? "nobody holds it now" : `"${lease.holder}" holds it for ${Math.ceil(lease.left_ms)} ms more (fence ${lease.fence})`;
    const given = fence === undefined ? "no fence was given" : `fence ${fence} was given`;
    throw new RpcError(rpc_error.conflict, `"${root}" needs its lease: ${given}, and ${holds}; acquire it, read it again, then change it`);
  }
}

/** A step that begins counts an attempt. */
function began(item: WorkItem, to: string, body: WorkItem["body"]): WorkItem["body"] {
  return item.kind === "step" && item.state === "pending" && to === "running" && "attempts" in body
    ? { ...body, attempts: body.attempts + 1 }
    : body;
}

/** @throws {RpcError} when it does not fit its kind */
function checked(item: unknown): WorkItem {
  const parsed = WorkItem.safeParse(item);
  if (parsed.success) return parsed.data;
  throw new RpcError(rpc_error.invalid_params, issuesText(parsed.error));
}

function done({ id, kind, state, version }: WorkItem): WorkDone {
  return { id, kind, state, version, merged: false, steps: [] };
}
