/** Goals of working memory, as the tiers work on them. */

import type { z } from "zod";
import type { WorkChange } from "../../contracts/memory/working/changes.ts";
import type { JsonObject } from "../../contracts/memory/working/fields.ts";
import type { WorkItem } from "../../contracts/memory/working/items.ts";
import type { StepDraft } from "../../contracts/memory/working/plans.ts";
import type { working_methods } from "../../contracts/memory/working.ts";
import type { MemoryPeer } from "../loop/incidents.ts";
import { WorkLease } from "../loop/lease.ts";
import { allPages } from "../shared/all-pages.ts";

export type Goal = Extract<WorkItem, { kind: "goal" }>;
export type Plan = Extract<WorkItem, { kind: "plan" }>;
export type Step = Extract<WorkItem, { kind: "step" }>;
type Listed = Goal | Step;
type Such = Pick<z.infer<(typeof working_methods)["work.list"]["params"]>, "states" | "ended" | "parent">;
type GoalCheck = Goal["body"]["check"];

/** Of one page. */
const listed_max = 100;

/** A way to reach a goal. */
export interface Way {
  readonly purpose: string;
  readonly steps: readonly StepDraft[];
  readonly keep: boolean;
  readonly check: GoalCheck;
  /** Where text from outside came from that it rests on. */
  readonly taint: readonly string[];
}

/** All of them, oldest first: one answer of memory is cut by number and by bytes. */
async function all<K extends Listed["kind"]>(kind: K, such: Such, memory: () => MemoryPeer): Promise<Extract<Listed, { kind: K }>[]> {
  const items = await allPages((before) => memory().call("work.list", { kinds: [kind], ...such, limit: listed_max, before }));
  return items.filter((item): item is Extract<Listed, { kind: K }> => item.kind === kind).reverse();
}

/** All of a plan, in order: `work.get` has only as many as fit into one answer. */
export async function stepsOf(plan: string, memory: () => MemoryPeer): Promise<Step[]> {
  return await all("step", { parent: plan }, memory);
}

export class Goals {
  readonly #memory: () => MemoryPeer;
  readonly #holder: string;

  /** @param memory throws while memory is away @param holder names this process */
  constructor(memory: () => MemoryPeer, holder: string) {
    this.#memory = memory;
    this.#holder = holder;
  }

  /** All that have not ended, oldest first. */
  async open(): Promise<Goal[]> {
    return await all("goal", { ended: false }, this.#memory);
  }

  /** Steps of whatever plan whose call waits for a person. */
  async waiting(): Promise<{ step: Step; call: string }[]> {
    const steps = await all("step", { states: ["waiting"], ended: false }, this.#memory);
    return steps.flatMap((step) => {
      const call = step.body.waits_for?.call ?? null;
      return call === null ? [] : [{ step, call }];
    });
  }

  /** @returns the goal of a step that it does not go on with: it has ended, or was taken up again after that plan had */
  async leftBy({ parent, root }: Step): Promise<Goal | null> {
    const { item: goal } = await this.#memory().call("work.get", { id: root });
    if (goal.kind !== "goal") return null;
    const over = goal.ended || (parent !== null && (await this.#memory().call("work.get", { id: parent })).item.ended);
    return over ? goal : null;
  }

  /** @returns null while somebody else works on it */
  async take(goal: Goal): Promise<HeldGoal | null> {
    const lease = await WorkLease.take(this.#memory, goal.id, this.#holder);
    if (lease === null) return null;
    const held = new HeldGoal(this.#memory, goal, lease);
    await held.look();
    return held;
  }
}

/** A goal under the lease of this process. A person's move meanwhile makes the next change fail: then it is looked at anew. */
export class HeldGoal {
  readonly #memory: () => MemoryPeer;
  readonly #lease: WorkLease;
  #item: Goal;

  constructor(memory: () => MemoryPeer, item: Goal, lease: WorkLease) {
    this.#memory = memory;
    this.#item = item;
    this.#lease = lease;
  }

  get item(): Goal {
    return this.#item;
  }

  async look(): Promise<Goal> {
    const { item } = await this.#memory().call("work.get", { id: this.#item.id });
    if (item.kind !== "goal") throw new Error(`looking at "${item.id}" failed: it is a ${item.kind}, no goal`);
    this.#item = item;
    return item;
  }

  /** The newest, with its steps in order. */
  async plan(): Promise<{ plan: Plan; steps: readonly Step[] } | null> {
    const [plan] = await this.plans(1);
    if (plan === undefined) return null;
    return { plan, steps: await stepsOf(plan.id, this.#memory) };
  }

  /** The newest first. */
  async plans(limit: number): Promise<Plan[]> {
    const { items } = await this.#memory().call("work.list", { kinds: ["plan"], parent: this.#item.id, limit });
    return items.filter((item): item is Plan => item.kind === "plan");
  }

  /** All of them or none. */
  async change(changes: WorkChange[], why: string): Promise<void> {
    await this.#lease.change(changes, why);
    await this.look();
  }

  /** The change that moves the goal, for a transaction with others. @param after moves of the goal that precede it there */
  to(state: Goal["state"], patch: JsonObject = {}, after = 0): WorkChange {
    return { do: "move", id: this.#item.id, version: this.#item.version + after, to: state, patch };
  }

  async move(state: Goal["state"], why: string, patch: JsonObject = {}): Promise<void> {
    await this.change([this.to(state, patch)], why);
  }

  async block(what: string, call: string | null = null, others: WorkChange[] = []): Promise<void> {
    const waits_for = { call, what: what.slice(0, 500) };
    await this.change([...others, this.to("blocked", { waits_for })], `it cannot go on: ${what}`);
  }

  /** A plan is made and begun, in one transaction. */
  async pursue(way: Way, why: string): Promise<void> {
    const { changes, moves, patch } = this.#planned(way);
    const begun: WorkChange = { do: "move", id: "@plan", version: null, to: "active" };
    await this.change([...changes, begun, this.to("working", patch, moves)], why);
  }

  /** A plan is made and waits for a person, who has it carried out by resuming the goal. */
  async propose(way: Way, what: string): Promise<void> {
    const { changes, moves, patch } = this.#planned(way);
    const waits_for = { call: null, what: what.slice(0, 500) };
    await this.change([...changes, this.to("blocked", { ...patch, waits_for }, moves)], what);
  }

  /** @returns the plan `@plan`, how often the goal is moved before, and what changes of the goal */
  #planned({ purpose, steps, keep, check, taint }: Way): { changes: WorkChange[]; moves: number; patch: JsonObject } {
    const to_planning = this.#item.state === "planning" ? [] : [this.to("planning")];
    const plan: WorkChange = {
      ...{ do: "plan", as: "plan", parent: this.#item.id },
      body: { purpose: purpose.slice(0, 1000), playbook: null, taint: [...taint] },
      steps: steps.map((step) => ({ ...step })),
    };
    const patch = { keep, check: check === null ? null : { ...check }, progress: 0 };
    return { changes: [...to_planning, plan], moves: to_planning.length, patch };
  }

  async release(): Promise<void> {
    await this.#lease.release();
  }
}
