import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { has_models, loadedModel, small } from "../model/local/testing/models.ts";
import { Chooser } from "./chooser.ts";
import { promptNamed } from "./prompts.ts";

setDefaultTimeout(300_000);
const limit_ms = 290_000;

describe.skipIf(!has_models)("with SmolLM2", () => {
  test("what was asked before is not asked again, as long as the same model answers", async () => {
    const model = await loadedModel(small());
    try {
      let name: string | null = small().name;
      const chooser = new Chooser(model, () => name);
      const [first] = promptNamed("playbook").cases;
      if (first === undefined) throw new Error("the prompt has no case");
      const ask = (text: string) => chooser.choose(promptNamed("playbook"), { ...first.given, text }, first.options, ["alarm"], limit_ms);
      const asked = await ask("");
      expect(asked.tokens).toBeGreaterThan(0);
      expect(await ask("")).toMatchObject({ tokens: 0, probabilities: asked.probabilities });
      expect((await ask("other words")).tokens).toBeGreaterThan(0);
      name = "another";
      expect((await ask("")).tokens).toBeGreaterThan(0);
      name = null;
      await ask("");
      expect((await ask("")).tokens).toBeGreaterThan(0);
    } finally {
      model.stop("the test is over");
    }
  });
});
