/** A goal split by a real model of this machine, with the real broker and its policies, the real memory. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { ChatAnswer, ChoiceAnswer, Json } from "../../contracts/model/chat.ts";
import type { Thresholds } from "../../contracts/router.ts";
import type { Goal } from "../goals/goals.ts";
import type { LocalModel } from "../model/local/local-model.ts";
import { has_models, loadedModel, small } from "../model/local/testing/models.ts";
import type { ChoiceModel } from "../model/port.ts";
import { loadThresholds } from "../router/thresholds.ts";
import { credulous, startThinking, type Thinking } from "../testing/thinking.ts";
import { ModelSplitter } from "./splitting.ts";

setDefaultTimeout(300_000);

const begin = loadThresholds();

const goal = (text: string, more: Partial<Goal["body"]> = {}): Goal =>
  ({ id: "0badcafe-goal-1", body: { text, keep: false, taint: [], check: null, ...more } }) as unknown as Goal;

type Wanted = readonly [tool: string, args: Record<string, Json>];

/** A model that wants this, one after the other, and is sure of it: what a larger one comes to. */
function wanting(...calls: readonly Wanted[]): ChoiceModel {
  let written = 0;
  const usage = { input_tokens: 1, output_tokens: 1, cached_tokens: 0, cache_written_tokens: 0 };
  return {
    async choose({ question, options }) {
      const wanted = question.includes("N/A") ? -1 : options.indexOf(calls[written]?.[0] ?? "finished");
      const even = 1 / options.length;
      const probabilities = options.map((_, at) => (wanted < 0 ? even : at === wanted ? 0.99 : 0.01 / (options.length - 1)));
      return { model: "wanting", probabilities, usage, read_ms: 1, took_ms: 1 } as unknown as ChoiceAnswer;
    },
    async chat() {
      const json = calls[written]?.[1] ?? {};
      written += 1;
      return { json, stop: "end", usage } as unknown as ChatAnswer;
    },
  } as ChoiceModel;
}

describe("with a model that knows what it wants", () => {
  let thinking: Thinking;
  const name: Wanted = ["sys.hostname", { set: "larder" }];
  const restart: Wanted = ["service.restart", { name: "web" }];
  const text = "set the host name to larder, then restart the service web";
  const split = async (...calls: readonly Wanted[]) =>
    await new ModelSplitter({ ...thinking.parts, model: wanting(...calls), thresholds: begin }).split(goal(text));
  beforeAll(async () => {
    thinking = await startThinking(wanting(), begin, { playbooks: [] });
  });
  afterAll(() => thinking?.stop());

  test("steps come in its order; what a step needs may be made by the one before, and is not there yet", async () => {
    expect(await split(name, restart)).toMatchObject({
      steps: [
        { key: "step-1", tool: "sys.hostname", arguments: { set: "larder" }, needs: [] },
        { key: "step-2", tool: "service.restart", arguments: { name: "web" }, needs: ["step-1"] },
      ],
    });
    expect(await split(restart, name)).toMatch(/^service.restart: the broker says failed: .*there is none/);
  });

  test("arguments that do not fit are no step, in any place; who says the same again is done; there is an end", async () => {
    expect(await split(["sys.hostname", { set: "not a label" }])).toMatch(/^sys.hostname: the broker says invalid/);
    expect(await split(name, ["service.restart", { no_such: 1 }])).toMatch(/^service.restart: the broker says invalid/);
    expect(await split(name, name)).toMatchObject({ steps: [{ tool: "sys.hostname" }] });
    const many = Array.from({ length: 9 }, (_, at): Wanted => ["sys.hostname", { set: `larder-${at}` }]);
    expect(await split(...many)).toMatchObject({ steps: { length: begin.splitting.steps_max } });
  });
});

describe.skipIf(!has_models)("with SmolLM2", () => {
  let model: LocalModel;
  let thinking: Thinking;
  beforeAll(async () => {
    model = await loadedModel(small());
    thinking = await startThinking(model, credulous(begin), { playbooks: [] });
  });
  afterAll(async () => {
    model?.stop("the test is over");
    await thinking?.stop();
  });

  const splitter = (thresholds: Thresholds): ModelSplitter => new ModelSplitter({ ...thinking.parts, model, thresholds });

  test("its word taken as it is: a few steps, each of a tool that can be taken back, in an order, and the broker would take each", async () => {
    const before = thinking.shown.length;
    const way = await splitter(credulous(begin)).split(goal("restart the service web"));
    const shown = thinking.shown.slice(before);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.every(({ verdict }) => !verdict.startsWith("invalid"))).toBe(true);
    if (typeof way === "string") expect(way).toMatch(/the broker says|it is not permitted/);
    else {
      expect(way.steps.length).toBeLessThanOrEqual(begin.splitting.steps_max);
      expect(way.steps.map(({ tool }) => tool)).toEqual(shown.map(({ tool }) => tool));
      expect(way.steps.map(({ needs }) => needs)).toEqual(way.steps.map((_, at) => (at === 0 ? [] : [`step-${at}`])));
    }
    for (const { tool } of shown) expect(["sys.power", "process.kill", "process.spawn", "fs.remove"]).not.toContain(tool);
  });

  test("what it is unsure of is no plan, and the broker is asked for nothing", async () => {
    const before = thinking.shown.length;
    const { deadlines } = credulous(begin);
    const doubtful: Thresholds = { ...begin, deadlines, acting: { ...begin.acting, tactical: { sure_min: 0.9, try_min: 0.9 } } };
    expect(await splitter(doubtful).split(goal("restart the service web"))).toMatch(/is unsure of step 1|would call none of/);
    expect(thinking.shown.length).toBe(before);
  });

  test("words from outside, and what is to be kept, are not for it", async () => {
    expect(await splitter(begin).split(goal("restart web", { taint: ["mail"] }))).toContain("come from outside");
    expect(await splitter(begin).split(goal("restart web", { keep: true }))).toContain("writes no standing check");
  });

  test("without a model, or with a slow one, there is no plan, and it says why", async () => {
    const hasty = { ...begin, deadlines: { ...begin.deadlines, tactical_choice_ms: 1 } };
    expect(await splitter(hasty).split(goal("restart web"))).toContain("took longer than 1 ms");
    model.stop("the test takes it away");
    expect(await splitter(begin).split(goal("restart web"))).toContain("the test takes it away");
  });
});
