/**
 * The model's word: one choice among the playbooks that fit, and none. It is asked with a deadline, and left alone for a while
 * after it did not keep one: triage goes on without it.
 */

import type { Prompt } from "../../contracts/prompt.ts";
import type { Thresholds } from "../../contracts/router.ts";
import { ChatError, type ChoiceModel } from "../model/port.ts";
import { Chooser, type Chosen } from "../prompts/chooser.ts";
import { asOurs, promptNamed } from "../prompts/prompts.ts";
import type { AlarmEvent } from "../shared/standing.ts";
import { kinds } from "./kinds.ts";
import type { Candidate, SignalSource, Weighed } from "./signal.ts";

/** A model that was too slow is not asked again for so long. */
const rest_ms = 30_000;
const warm_limit_ms = 60_000;
const none = "none";

interface ModelSignalOptions {
  readonly model: Pick<ChoiceModel, "choose">;
  readonly deadlines: Thresholds["deadlines"];
  /** All playbooks: the list in the prompt stays the same, so that it is read once. */
  readonly all: () => readonly Candidate[];
  /** Which model it is now, so that what it has said is not asked again; null: it is asked each time. */
  readonly name?: () => string | null;
}

export class ModelSignal implements SignalSource {
  readonly who = "model";
  readonly #options: ModelSignalOptions;
  readonly #chooser: Chooser;
  readonly #playbook = promptNamed("playbook");
  readonly #kind = promptNamed("kind");
  #rests_until_ms = 0;

  constructor(options: ModelSignalOptions) {
    this.#options = options;
    this.#chooser = new Chooser(options.model, options.name);
  }

  async weigh(event: AlarmEvent, candidates: readonly Candidate[]): Promise<Weighed> {
    if (candidates.length === 0) return { chances: new Map(), said: "nothing to choose from", tokens: 0 };
    const given = { ...questionOf(event), playbooks: this.#listed() };
    const answer = await this.#choose(this.#playbook, given, [...candidates.map(({ name }) => name), none]);
    if (typeof answer === "string") return { chances: new Map(), said: answer, tokens: 0 };
    const chances = new Map(candidates.map(({ rule }, at) => [rule, answer.probabilities[at] ?? 0]));
    return { chances, said: `chose in ${Math.round(answer.took_ms)} ms`, tokens: answer.tokens };
  }

  /** Has it read what every question begins with, before there is one: a second or two that nobody then waits for. */
  async warm(): Promise<void> {
    const [first] = this.#options.all();
    if (first === undefined) return;
    const nothing = { alarm: "none", subject: "", detail: "", text: "" };
    const given = { ...nothing, playbooks: this.#listed() };
    try {
      await this.#chooser.choose(this.#playbook, given, [first.name, none], [], warm_limit_ms);
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
    }
  }

  #listed(): string {
    return this.#options
      .all()
      .map(({ name, does }) => `${name}: ${asOurs(does)}`)
      .join("\n");
  }

  /** @returns which part of the system it is about; null: it cannot be asked */
  async kindOf(event: AlarmEvent): Promise<string | null> {
    const answer = await this.#choose(this.#kind, questionOf(event), kinds);
    if (typeof answer === "string") return null;
    return kinds[answer.probabilities.indexOf(Math.max(...answer.probabilities))] ?? null;
  }

  /** @returns or why there is none */
  async #choose(prompt: Prompt, given: Readonly<Record<string, string>>, options: readonly string[]): Promise<Chosen | string> {
    if (performance.now() < this.#rests_until_ms) return "was too slow a moment ago";
    const { operational_choice_ms: limit_ms } = this.#options.deadlines;
    try {
      return await this.#chooser.choose(prompt, given, options, ["alarm"], limit_ms);
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      if (error.kind === "timeout") this.#rests_until_ms = performance.now() + rest_ms;
      return error.kind === "timeout" ? `took longer than ${limit_ms} ms` : error.message.slice(0, 150);
    }
  }
}

/** An alarm as the prompts have it. */
export function wordsOf({ facts, untrusted }: AlarmEvent) {
  return { alarm: asOurs(facts.alarm), subject: facts.subject, detail: facts.detail, text: untrusted ?? "" };
}

/**
 * The same for a choice, as a template: which number it is this time says nothing about what helps, and without it the same matter is the
 * same question, which has been answered (Chooser).
 */
export function questionOf(event: AlarmEvent) {
  const { detail, text, ...words } = wordsOf(event);
  return { ...words, detail: withoutNumbers(detail), text: withoutNumbers(text) };
}

/** `port 8081 of 192.0.2.1` → `port # of #`, `eth0 of pid:4711@98765` → `eth# of pid:#`, `3.2-1+b1` → `#` */
function withoutNumbers(text: string): string {
  return text.replace(/[0-9]+(?:[.:,@+~-]?[0-9a-z]*[0-9])*/gi, "#");
}
