/** A goal split by a real model of this machine, with the real broker and its policies, the real memory. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Thresholds } from "../../contracts/router.ts";
import type { Goal } from "../goals/goals.ts";
import type { LocalModel } from "../model/local/local-model.ts";
import { has_models, loadedModel, small } from "../model/local/testing/models.ts";
import { loadThresholds } from "../router/thresholds.ts";
import { credulous, startThinking, type Thinking } from "../testing/thinking.ts";
import { ModelSplitter } from "./splitting.ts";

setDefaultTimeout(300_000);

const begin = loadThresholds();

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
  const goal = (text: string, more: Partial<Goal["body"]> = {}): Goal =>
    ({ id: "0badcafe-goal-1", body: { text, keep: false, taint: [], check: null, ...more } }) as unknown as Goal;

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
