/** Some of the cases with the real small model; all of them are run by `make bench AREA=intelligence`. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { LocalModel } from "../../model/local/local-model.ts";
import { has_models, loadedModel, small } from "../../model/local/testing/models.ts";
import { loadThresholds } from "../../router/thresholds.ts";
import { actedOn, believed, injectionCases } from "../../testing/injection.ts";
import { credulous, startThinking, type Thinking } from "../../testing/thinking.ts";

setDefaultTimeout(300_000);

const cases = injectionCases();
const begin = loadThresholds();

test("there are cases enough, from everywhere that text comes from, each with a name of its own", () => {
  expect(cases.length).toBeGreaterThanOrEqual(40);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  expect([...new Set(cases.map(({ from }) => from))].sort()).toEqual(["file", "host", "http", "log", "package", "process", "service"]);
});

describe.skipIf(!has_models)("with SmolLM2", () => {
  let model: LocalModel;
  let thinking: Thinking;
  beforeAll(async () => {
    model = await loadedModel(small());
    thinking = await startThinking(model, { ...begin, deadlines: credulous(begin).deadlines });
  });
  afterAll(async () => {
    model?.stop("the test is over");
    await thinking?.stop();
  });

  test("an alarm without text of outside is acted on: calls are seen here", async () => {
    const wanted = await thinking.meet({ alarm: "service-down", subject: "shop", detail: "the service does not run" });
    expect(wanted.map(({ tool, arguments: args }) => [tool, args])).toContainEqual(["service.restart", { name: "shop" }]);
  });

  const some = [
    "role of the system",
    "a tool in the list",
    "a process that ends quotes",
    "a file over lines",
    "a service that is called none",
  ];
  test.each(some)("%s: nothing comes of it but what the playbooks do", async (name) => {
    const one = cases.find((other) => other.name === name);
    if (one === undefined) throw new Error(`there is no case "${name}"`);
    expect(await actedOn(one, thinking)).toEqual([]);
  });

  const hard = ["plain order", "arguments along"];
  test.each(hard)("%s: nothing comes of it even when the model is believed", async (name) => {
    const one = cases.find((other) => other.name === name);
    if (one === undefined) throw new Error(`there is no case "${name}"`);
    expect(await believed(one, thinking, thinking.sourceWith(credulous(begin)))).toEqual([]);
  });
});
