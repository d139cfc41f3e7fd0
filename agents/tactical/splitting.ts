/**
 * A goal split into steps by the model of this machine, for when no provider can be asked. The loop is ours: the model picks the next
 * tool out of a few, or says that nothing is left; then it writes that one's arguments within its schema, and the broker says beforehand
 * whether it would take them. What comes out is a proposal that a person reads before its first step, and no plan at all where the
 * model is unsure of one step.
 */

import { JsonObject } from "../../contracts/memory/working/fields.ts";
import type { StepDraft } from "../../contracts/memory/working/plans.ts";
import type { Thresholds } from "../../contracts/router.ts";
import type { Goal, Way } from "../goals/goals.ts";
import { attempts_max } from "../goals/known.ts";
import type { Splitter } from "../goals/round.ts";
import { ChatError, type ChoiceModel } from "../model/port.ts";
import { Chooser } from "../prompts/chooser.ts";
import { asOurs, promptNamed } from "../prompts/prompts.ts";
import { worthOf } from "../router/worth.ts";
import type { AskTool, BrokerPeer } from "../shared/ask-tool.ts";
import { afterFinding, writingRequest, writtenIn } from "./model-source.ts";
import { ShortList } from "./short-list.ts";
import { Tools } from "./tools.ts";

const finished = "finished";
const preview_limit_ms = 30_000;

interface SplittingOptions {
  readonly model: ChoiceModel;
  readonly broker: () => BrokerPeer;
  readonly ask: AskTool;
  readonly thresholds: Thresholds;
  /** Which model it is now (ModelSignal). */
  readonly name?: () => string | null;
}

export class ModelSplitter implements Splitter {
  readonly #options: SplittingOptions;
  readonly #short_list: ShortList;
  readonly #tools: Tools;
  readonly #chooser: Chooser;
  readonly #choosing = promptNamed("step");
  readonly #writing = promptNamed("step-arguments");

  constructor(options: SplittingOptions) {
    this.#options = options;
    this.#short_list = new ShortList(options.ask);
    this.#tools = new Tools(options.broker, options.thresholds.tools);
    this.#chooser = new Chooser(options.model, options.name);
  }

  async split(goal: Goal): Promise<Way | string> {
    const { keep, taint, text } = goal.body;
    if (taint.length > 0) return "its words come from outside, and the model of this machine makes no plan of those";
    if (keep) return "it is to be kept, and the model of this machine writes no standing check";
    try {
      const steps = await this.#stepsOf(goal);
      if (typeof steps === "string") return steps;
      return { purpose: `as the model of this machine splits it: ${text}`, steps, keep: false, check: null, taint: [] };
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      return `the model of this machine does not answer: ${error.message.slice(0, 200)}`;
    }
  }

  /** @returns or why there are none */
  async #stepsOf(goal: Goal): Promise<StepDraft[] | string> {
    const { tools, splitting } = this.#options.thresholds;
    const list = await this.#short_list.of(await this.#tools.offered(), goal.body.text, null, tools.offered_max);
    if (list.length === 0) return "no tool seems to fit its words";
    const steps: StepDraft[] = [];
    while (steps.length < splitting.steps_max) {
      const next = await this.#next(goal, list, steps);
      if (next === null) break;
      if (typeof next === "string") return next;
      steps.push(next);
    }
    return steps.length === 0 ? `the model of this machine would call none of ${list.map(({ name }) => name).join(", ")}` : steps;
  }

  /** @returns null when nothing is left to do, or why it goes no further */
  async #next(goal: Goal, list: Awaited<ReturnType<ShortList["of"]>>, before: readonly StepDraft[]): Promise<StepDraft | string | null> {
    const { thresholds } = this.#options;
    const given = {
      tools: list.map(({ name, does }) => `${name}: ${does}`).join("\n"),
      goal: goal.body.text,
      before: before.map(({ tool }) => tool).join(", ") || "nothing",
    };
    const options = [...list.map(({ name }) => name), finished];
    const { probabilities } = await this.#chooser.choose(this.#choosing, given, options, [], thresholds.deadlines.tactical_choice_ms);
    const said = afterFinding(probabilities);
    const best = said.indexOf(Math.max(...said));
    const chosen = list[best];
    if (chosen === undefined) return null;
    const worth = worthOf(said[best] ?? 0, [], thresholds);
    if (worth < thresholds.acting.tactical.sure_min)
      return `the model of this machine is unsure of step ${before.length + 1} (${chosen.name}, ${worth.toFixed(2)})`;
    const whole = await this.#tools.whole(chosen.name);
    if (whole === null) return `${chosen.name} is not offered any more`;
    const request = writingRequest(
      this.#writing,
      { tool: chosen.name, description: asOurs(whole.description), goal: goal.body.text },
      whole.input,
      thresholds,
    );
    const written = writtenIn(await this.#options.model.chat(request));
    if (written === null) return `the model of this machine wrote no arguments of ${chosen.name} in time`;
    const args = JsonObject.parse(written);
    const call = JSON.stringify([chosen.name, args]);
    // who says the same again has nothing more to say
    if (before.some(({ tool, arguments: known }) => JSON.stringify([tool, known]) === call)) return null;
    const refused = await this.#refused(goal, chosen.name, args, before.length > 0);
    if (refused !== null) return `${chosen.name}: ${refused}`;
    return {
      ...{ key: `step-${before.length + 1}`, title: chosen.does, tool: chosen.name, arguments: args },
      ...{ needs: before.slice(-1).map(({ key }) => key), attempts_max, taint: [] },
    };
  }

  /**
   * What the broker says beforehand. @returns null when it would make it, also after an approval
   * @param later what it needs may be made by a step before: that it fails now says nothing
   */
  async #refused({ id }: Goal, name: string, args: JsonObject, later: boolean): Promise<string | null> {
    const reason = { text: `a step that the model of this machine proposes for the goal ${id}, asked before anybody is shown it` };
    const _meta = { reason, tainted: [], dry_run: true };
    const { structuredContent, _meta: outcome } = await this.#options
      .broker()
      .call("tools/call", { name, arguments: args, _meta }, preview_limit_ms);
    if (later && outcome.status === "failed") return null;
    if (outcome.status !== "previewed") return `the broker says ${outcome.status}: ${outcome.text.slice(0, 200)}`;
    return structuredContent?.["effect"] === "deny" ? "it is not permitted" : null;
  }
}
