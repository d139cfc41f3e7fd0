/**
 * The state machines of working memory, as data. A move that is not in a table does not exist.
 *
 * Who may cause a move: a `tier`, under the lease of what it works on (leases.ts), or a `person`, by the console or the
 * broker, without one. A person's move ends what a tier is doing: the tier's next change meets another version.
 * `if` names a condition (conditions.ts) that must hold as well. Every move carries a reason.
 *
 * GOAL     What is to be so. Made by people or by the system.
 *   new        Nobody has looked at it.
 *   planning   A plan is made, or made anew. Every way back to work leads through here: the world has moved on meanwhile.
 *   working    Its plan is being carried out.
 *   kept       It is so, and the standing check watches that it stays so (only goals that are to be kept).
 *   drifted    The check says that it is not so any more; it is to be repaired.
 *   blocked    It cannot go on: an approval, or something that a person has to do, who may then have it planned anew.
 *   paused     A person does not want it pursued now. Nothing is undone, nothing is checked.
 *   done       Reached, and not to be kept. End.
 *   failed     Given up, with the reason. End; a person may have it tried again.
 *   cancelled  A person does not want it any more. End; a person may take it up again.
 *
 * TASK     One piece of work for a tier, outside a plan.
 *   open → running → done | failed; waiting for an approval in between; back to open when it was not finished.
 *   A person may cancel it, and have a failed one tried again.
 *
 * PLAN     Steps that need each other.
 *   draft      Made, perhaps looked at; nothing of it runs.
 *   active     Its steps may run.
 *   held       No further step may begin (its goal is paused, say); those that run go on.
 *   done       Every step is done or was skipped. End.
 *   failed     It cannot be carried out. End.
 *   replaced   Another plan took its place. End.
 *   cancelled  End.
 *
 * STEP     One call, or one piece of work.
 *   pending    It may begin once its plan is active and all that it needs is done or skipped ("ready" is computed, no state).
 *   running    Being done; counts as an attempt.
 *   waiting    For an approval. Granted or not, it then runs or fails: an approval that does not come is a no.
 *   done       The effect was seen. It may be undone.
 *   failed     It may be tried again while it has attempts left, or skipped.
 *   skipped    Not needed. End, as done is.
 *   undone     Taken back. Pending again when it is wanted after all.
 *
 * INCIDENT Something is wrong; once around the loop, always with an end.
 *   observing    It was noticed; more of the same is added to it.
 *   orienting    Memory and knowledge are asked.
 *   deciding     What to do, by the cheapest tier that is sure. Passing it up to another tier stays in here (an edit).
 *   waiting      For an approval.
 *   acting       A call or a plan is under way.
 *   watching     The effect is watched for its time; measured health must not be worse than before.
 *   learning     What came of it is remembered, whatever it was.
 *   solved       End.
 *   handed-over  To a person, with what is known. End of the system's work; the person may close it or give it back.
 *   parked       Left as it is, with the reason. End; it may be taken up again.
 */

import type { WorkKind } from "../../contracts/memory/working/fields.ts";
import type { WorkState } from "../../contracts/memory/working/items.ts";
import type { Condition } from "./conditions.ts";

export type Actor = "tier" | "person";

export interface Move {
  readonly from: readonly WorkState[];
  readonly to: WorkState;
  readonly by: readonly Actor[];
  readonly if: Condition | null;
}

export interface Machine {
  readonly begins: WorkState;
  readonly ends: readonly WorkState[];
  readonly moves: readonly Move[];
}

const tier: readonly Actor[] = ["tier"];
const person: readonly Actor[] = ["person"];
const both: readonly Actor[] = ["tier", "person"];
const move = (from: readonly WorkState[], to: WorkState, by: readonly Actor[], condition: Condition | null = null): Move => ({
  from,
  to,
  by,
  if: condition,
});

const goal_at_work = ["new", "planning", "working", "kept", "drifted", "blocked"] as const;
const incident_at_work = ["observing", "orienting", "deciding", "waiting", "acting", "watching", "learning"] as const;

export const machines: Readonly<Record<WorkKind, Machine>> = {
  goal: {
    begins: "new",
    ends: ["done", "failed", "cancelled"],
    moves: [
      move(["new", "working", "kept", "drifted", "blocked"], "planning", tier),
      move(["planning", "drifted", "blocked"], "working", tier),
      move(["planning", "working", "drifted"], "kept", tier, "is-to-be-kept"),
      move(["kept"], "drifted", tier),
      move(["planning", "working", "drifted"], "blocked", tier, "says-what-for"),
      move(["planning", "working"], "done", tier, "is-not-to-be-kept"),
      move(goal_at_work, "failed", tier),
      move(goal_at_work, "paused", person),
      move(["paused", "failed", "blocked", "cancelled"], "planning", person),
      move([...goal_at_work, "paused", "failed"], "cancelled", person),
    ],
  },
  task: {
    begins: "open",
    ends: ["done", "failed", "cancelled"],
    moves: [
      move(["open", "waiting"], "running", tier),
      move(["running"], "waiting", tier, "says-what-for"),
      move(["running", "waiting"], "open", tier),
      move(["running"], "done", tier),
      move(["open", "running", "waiting"], "failed", tier),
      move(["failed"], "open", person),
      move(["open", "running", "waiting"], "cancelled", person),
    ],
  },
  plan: {
    begins: "draft",
    ends: ["done", "failed", "replaced", "cancelled"],
    moves: [
      move(["draft", "held"], "active", both),
      move(["active"], "held", both),
      move(["active"], "done", tier, "every-step-is-over"),
      move(["draft", "active", "held"], "failed", tier),
      move(["draft", "active", "held"], "replaced", tier),
      move(["draft", "active", "held"], "cancelled", both),
    ],
  },
  step: {
    begins: "pending",
    ends: ["done", "skipped"],
    moves: [
      move(["pending"], "running", tier, "can-begin"),
      move(["running"], "waiting", tier, "says-what-for"),
      move(["waiting"], "running", tier),
      move(["running"], "done", tier),
      move(["running", "waiting"], "failed", tier),
      move(["running", "waiting"], "pending", tier),
      move(["failed"], "pending", tier, "has-attempts-left"),
      move(["pending", "failed"], "skipped", both),
      move(["done"], "undone", tier),
      move(["undone"], "pending", tier),
    ],
  },
  incident: {
    begins: "observing",
    ends: ["solved", "handed-over", "parked"],
    moves: [
      move(["observing"], "orienting", tier),
      move(["orienting"], "deciding", tier),
      move(["deciding"], "orienting", tier),
      move(["deciding", "acting"], "waiting", tier, "says-what-for"),
      move(["waiting", "acting"], "deciding", tier),
      move(["deciding", "waiting"], "acting", tier),
      move(["acting", "deciding"], "watching", tier),
      move(["watching"], "deciding", tier),
      move(["watching"], "learning", tier),
      move(["learning"], "solved", tier),
      move(incident_at_work, "handed-over", both),
      move(incident_at_work, "parked", both),
      move(["handed-over"], "solved", person),
      move(["handed-over"], "observing", person, "no-other-is-open"),
      move(["parked"], "observing", both, "no-other-is-open"),
    ],
  },
};

/** Where it could go from this state, by the table alone. */
export function movesFrom(kind: WorkKind, state: WorkState, actor: Actor): Move[] {
  return machines[kind].moves.filter((one) => one.from.includes(state) && one.by.includes(actor));
}

export function isEnd(kind: WorkKind, state: WorkState): boolean {
  return machines[kind].ends.includes(state);
}
