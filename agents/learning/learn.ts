/** Looks for decisions that solved something without a playbook, and makes a playbook of each. */

import type { Decision } from "../../contracts/decision.ts";
import type { BasePorts } from "../loop/ports.ts";
import { distil } from "./distil.ts";
import { documentId } from "./document.ts";
import type { KnownTools } from "./known-tools.ts";
import type { Library } from "./library.ts";
import { writeLesson } from "./write.ts";

const decisions_looked_at = 1000;
const incidents_looked_at = 100;
const memories_asked_max = 50;
const why = "whether a decision that helped rests on text from outside";

export interface LearnPorts extends Pick<BasePorts, "broker" | "memory" | "ask"> {
  readonly log: Pick<BasePorts["log"], "info">;
  readonly tools: KnownTools;
  readonly library: Library;
}

export class Learner {
  readonly #ports: LearnPorts;
  /** Decisions of which is known what can be learned. */
  readonly #seen = new Set<string>();

  constructor(ports: LearnPorts) {
    this.#ports = ports;
  }

  /** @returns whether something was written @throws when broker or memory is away: the next time goes on */
  async run(): Promise<boolean> {
    const decisions = await this.#ports.memory().call("decisions.list", { limit: decisions_looked_at });
    let written = false;
    for (const decision of decisions) {
      if (this.#seen.has(decision.id) || !mayTeach(decision)) continue;
      written = (await this.#learn(decision)) || written;
      this.#seen.add(decision.id);
    }
    const listed = new Set(decisions.map(({ id }) => id));
    for (const id of this.#seen) if (!listed.has(id)) this.#seen.delete(id);
    return written;
  }

  async #learn(decision: Decision): Promise<boolean> {
    const { broker, log, tools, library } = this.#ports;
    if (decision.action.do !== "call") return false;
    const lesson = distil({
      decision,
      tainted: await this.#restsOnOutside(decision),
      tools: await tools.of(decision.action.calls.map(({ tool }) => tool)),
    });
    if ("not" in lesson) {
      log.info(`nothing is learned from decision "${decision.id}" (${decision.rule}): ${lesson.not}`);
      return false;
    }
    const id = documentId(lesson);
    // one that a person has withdrawn stays so
    if (library.find(lesson.learning.playbook) !== null || (await this.#everWritten(id))) return false;
    const reason = `decision ${decision.id} of the ${decision.tier} tier (${decision.rule}) solved it: the next time it is tried first`;
    await writeLesson(broker(), { lesson, before: null, reason: reason.slice(0, 1000), decision: decision.id });
    log.info(`learned the playbook "${lesson.learning.playbook}" from decision "${decision.id}"`);
    return true;
  }

  async #everWritten(id: string): Promise<boolean> {
    const { total } = await this.#ports.ask("knowledge.history", { id, limit: 1 }, "whether this was learned before");
    return total > 0;
  }

  /** What is not known to be ours counts as from outside. */
  async #restsOnOutside(decision: Decision): Promise<boolean> {
    if (decision.trigger.untrusted !== undefined) return true;
    if (decision.action.do === "call" && decision.action.calls.some(({ tainted = [] }) => tainted.length > 0)) return true;
    const { memory, ask } = this.#ports;
    const { items } = await memory().call("work.list", { kinds: ["incident"], limit: incidents_looked_at });
    const incident = items.find(({ body }) => "decisions" in body && body.decisions.includes(decision.id));
    if (incident?.kind !== "incident" || incident.body.taint.length > 0) return true;
    const ids = [...new Set([...incident.body.memories, ...decision.based_on])].slice(0, memories_asked_max);
    if (ids.length === 0) return false;
    const { memories } = await ask("memory.recall", { ids }, why);
    return memories.length < ids.length || memories.some(({ taint }) => taint.length > 0);
  }
}

function mayTeach({ tier, rule, outcome, action, trigger }: Decision): boolean {
  return (
    (tier === "tactical" || tier === "strategic") &&
    outcome.result === "done" &&
    action.do === "call" &&
    trigger.kind === "alarm.changed" &&
    !rule.startsWith("playbook ")
  );
}
