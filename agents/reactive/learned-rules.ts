/** Runs the playbooks that became rules: which there are, read from the knowledge base; what they decide, carried out and on record. */

import type { Decision } from "../../contracts/decision.ts";
import type { Event, Severity } from "../../contracts/event.ts";
import type { Log } from "../../wire/log.ts";
import { Library, type LibraryPorts } from "../learning/library.ts";
import { bundled_playbooks } from "../playbooks/index.ts";
import { loadPlaybooks } from "../playbooks/playbooks.ts";
import type { AskTool, BrokerPeer } from "../shared/ask-tool.ts";
import type { Ids } from "../shared/ids.ts";
import { type AlarmEvent, Standing } from "../shared/standing.ts";
import { attempt, speaksAgainst } from "./attempt.ts";
import { endLeftOver } from "./left-over.ts";
import { type Plan, Promoted } from "./promoted.ts";

/** It is looked as often whether it is time to read them again. */
const refresh_every_ms = 5000;

export interface LearnedRulesPorts {
  readonly ids: Ids;
  /** The short id of this boot. */
  readonly boot: string;
  readonly boot_ms: () => number;
  /** Throws while it is away. */
  readonly broker: () => BrokerPeer;
  readonly ask: AskTool;
  readonly memory: LibraryPorts["memory"];
  readonly record: (decision: Decision, severity: Severity) => void;
  readonly log: Pick<Log, "warn" | "error">;
}

export class LearnedRules {
  readonly #ports: LearnedRulesPorts;
  readonly #library: Library;
  readonly #promoted: Promoted;
  readonly #standing: Standing;
  readonly #began_ms: number;
  #ended_left_over = false;
  #said = "";

  constructor(ports: LearnedRulesPorts) {
    this.#ports = ports;
    this.#began_ms = ports.boot_ms();
    const { loaded, refused } = loadPlaybooks(bundled_playbooks);
    for (const sentence of refused) ports.log.error(sentence);
    // the tactical tier says what is wrong with a document
    this.#library = new Library({ ask: ports.ask, memory: ports.memory, bundled: loaded, warn: () => {} });
    this.#promoted = new Promoted(ports.ids, ports.boot_ms);
    this.#standing = new Standing(ports.boot);
  }

  /** Rules and trials that there are. */
  get count(): number {
    return this.#promoted.count;
  }

  start(): void {
    void this.refresh();
    setInterval(() => void this.refresh(), refresh_every_ms);
  }

  /** Never rejects: what was read before counts on. */
  async refresh(): Promise<void> {
    try {
      await this.#endLeftOver();
      await this.#library.refresh(performance.now());
      this.#promoted.set(this.#library.all());
      this.#said = "";
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== this.#said) this.#ports.log.warn(`reading which playbooks are rules failed: ${text}; it is tried again`);
      this.#said = text;
    }
  }

  async #endLeftOver(): Promise<void> {
    if (this.#ended_left_over) return;
    const { memory, broker, boot, boot_ms, record } = this.#ports;
    const ports = { memory, broker, boot, boot_ms, record: (decision: Decision) => record(decision, "warning") };
    await endLeftOver(this.#began_ms, ports);
    this.#ended_left_over = true;
  }

  /** An alarm of an earlier process of this boot still stands. */
  adopt(event: AlarmEvent): void {
    this.#standing.take(event);
  }

  take(event: Event): void {
    this.#standing.take(event);
    for (const plan of this.#promoted.take(event)) {
      this.#ports.record(plan.decision, event.severity);
      if (plan.decision.outcome.result === "pending") void this.#carryOut(plan);
    }
  }

  async #carryOut(plan: Plan): Promise<void> {
    const { ask, broker, boot_ms, record } = this.#ports;
    const outcome = await attempt(plan, { ask, broker, standing: this.#standing, wait: Bun.sleep });
    if (speaksAgainst(plan, outcome)) this.#promoted.switchOff(plan.known);
    const after_ms = Math.round(boot_ms() - plan.decision.boot_ms);
    record({ ...plan.decision, outcome: { ...outcome, after_ms } }, plan.event.severity);
  }
}
