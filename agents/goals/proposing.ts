/**
 * A goal of the system's own: what the tactical tier has solved again and again within a day is wanted to be so for good. Only services
 * that do not run, and only in words of ours whose plan is known by form, so that it needs no model. It is a call of `goal.add` like any
 * other: a person is asked, unless a policy or a grant allows it.
 */

import type { GoalPattern } from "../../contracts/goal.ts";
import type { Thresholds } from "../../contracts/router.ts";
import { decidedOf } from "../loop/approval.ts";
import type { Incident } from "../loop/incidents.ts";
import type { LoopPorts } from "../loop/ports.ts";
import { normalised, patternWay } from "./known.ts";

/** A call that waits is told at once; one that was asked before a restart, and still waits, is not. */
const answer_limit_ms = 10_000;
const looked_at_max = 100;
const hour_ms = 3_600_000;
/** Alarms that say of a service that it does not run. */
const not_running: readonly string[] = ["service-down", "service-crash-loop"];

export interface ProposingPorts extends Pick<LoopPorts, "broker" | "memory"> {
  readonly patterns: readonly GoalPattern[];
  readonly proposing: Thresholds["proposing"];
  /** Wall clock, milliseconds. */
  readonly now_ms?: () => number;
}

export class Proposer {
  readonly #ports: ProposingPorts;
  /** The last call about each wish. */
  readonly #asked = new Map<string, string>();

  constructor(ports: ProposingPorts) {
    this.#ports = ports;
  }

  /** @param incident that was just solved @returns in words what came of it; null: nothing is proposed. @throws when broker or memory is away */
  async propose({ id, body }: Incident): Promise<string | null> {
    const { broker, patterns, proposing, now_ms = Date.now } = this.#ports;
    const text = wishOf(body);
    if (text === null || patternWay({ body: { text, taint: [] } }, patterns) === null) return null;
    const solved = await this.#solvedSince(body.key, now_ms() - proposing.within_ms);
    if (solved < proposing.solved_min || (await this.#isKnown(text)) || (await this.#isOpen(text))) return null;
    const times = `${solved} times within ${Math.round(proposing.within_ms / hour_ms)} hours`;
    const _meta = {
      reason: {
        text: `"${body.key}" was solved ${times}, the last time as ${id}: it should be kept so`,
        event: body.events.at(-1) ?? null,
      },
      // one at a time, and whoever said no, or nothing, is not asked again while the broker keeps keys: a week
      key: `goal/${text}`,
      tainted: body.taint.length > 0 ? ["/text"] : [],
    };
    const answer = await broker().call("tools/call", { name: "goal.add", arguments: { text, keep: true }, _meta }, answer_limit_ms);
    const { call, status } = answer._meta;
    this.#asked.set(text, call);
    if (status !== "waiting" && status !== "done") return null;
    return `the goal "${text}" is proposed, for "${body.key}" was solved ${times}: ${status}`;
  }

  /** By the tactical tier, and not by itself. */
  async #solvedSince(key: string, since_ms: number): Promise<number> {
    const { items } = await this.#ports.memory().call("work.list", { kinds: ["incident"], states: ["solved"], key, limit: looked_at_max });
    return items.filter(
      ({ kind, changed_ms, body }) => kind === "incident" && changed_ms >= since_ms && body.tier === "tactical" && body.lesson !== null,
    ).length;
  }

  /** There is such a goal, or was one: what a person has cancelled is not wanted. */
  async #isKnown(text: string): Promise<boolean> {
    const { items } = await this.#ports.memory().call("work.list", { kinds: ["goal"], limit: looked_at_max });
    return items.some(({ kind, body }) => kind === "goal" && normalised(body.text) === normalised(text));
  }

  /** A person has not decided yet. */
  async #isOpen(text: string): Promise<boolean> {
    const call = this.#asked.get(text);
    return call !== undefined && (await decidedOf(call, this.#ports.broker)) === null;
  }
}

/** What there would have to be a goal for, in the words of a form; null: there is none for such incidents. */
function wishOf({ key, service }: Incident["body"]): string | null {
  return service !== null && not_running.some((alarm) => key === `${alarm} ${service}`) ? `keep service ${service} running` : null;
}
