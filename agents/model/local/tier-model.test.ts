/** With the real model, chosen by a file as the broker writes it. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { has_models, small, think_command, until } from "./testing/models.ts";
import { TierModel } from "./tier-model.ts";

setDefaultTimeout(300_000);

const question = { system: [], question: "Which of these is a fruit?", options: ["apple", "hammer", "river"], limit_ms: 300_000 };

test.skipIf(!has_models)(
  "a tier has the model that the file says, keeps it until the next one is loaded, and says why one is not",
  async () => {
    const file = join(mkdtempSync(join(tmpdir(), "tier-model-")), "operational.json");
    const choose = (text: string): void => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    const room = () => ({ available_bytes: 8 * 1024 ** 3, of: "the machine" });
    const timing = { look_ms: 20, watch_ms: 20, backoff_first_ms: 50 };
    const tier = new TierModel({ file, command: think_command, threads: { usual: 1, idle: 1 }, room, log: () => {}, ...timing });
    expect(tier.health()).toEqual({
      detail: "no model loaded: no model chosen",
      facts: { model: "none", model_error: "", model_off: false, model_late_ratio: 0, model_wrong_ratio: 0 },
    });
    expect(tier.choose(question)).rejects.toThrow("no model chosen; choose one with model.use");

    choose(JSON.stringify(small()));
    await until("the first model", () => tier.pid !== null);
    expect(tier.health()).toEqual({
      detail: `model "${small().name}" (CPU, 1 thread)`,
      facts: { model: small().name, model_error: "", model_off: false, model_late_ratio: 0, model_wrong_ratio: 0 },
    });
    const first = tier.pid;

    choose(JSON.stringify(small({ name: "broken", size_bytes: 5 })));
    await until("the refusal", () => tier.health().facts.model_error.includes("bytes, not 5"));
    expect(tier.health().facts).toMatchObject({ model: small().name, model_error: expect.stringMatching(/^broken: /) });
    expect(tier.pid).toBe(first);
    expect((await tier.choose(question)).probabilities[0]).toBeGreaterThan(0.9);

    for (let late = 0; late < 6; late += 1) await tier.choose({ ...question, limit_ms: 1 }).catch(() => {});
    expect(tier.health().facts.model_late_ratio).toBeGreaterThan(0.8);
    choose(JSON.stringify(small({ name: "second", context_used_tokens: 512 })));
    await until("the second model", () => tier.health().facts.model === "second");
    expect(tier.pid).not.toBe(first);
    expect(tier.health().facts).toMatchObject({ model_error: "", model_late_ratio: 0 });

    choose("no JSON");
    await until("the file to be found wrong", () => tier.health().facts.model_error.includes("does not say which model"));
    expect(tier.health().facts.model).toBe("second");

    rmSync(file);
    await until("the model to be unloaded", () => tier.health().facts.model === "none");
    tier.stop();
  },
);

test("switched off, it loads none, whatever the file says", () => {
  const file = join(mkdtempSync(join(tmpdir(), "tier-model-")), "operational.json");
  writeFileSync(file, JSON.stringify({ name: "any" }));
  const room = () => ({ available_bytes: 8 * 1024 ** 3, of: "the machine" });
  const tier = new TierModel({
    file,
    off: "it is switched off",
    command: think_command,
    threads: { usual: 1, idle: 1 },
    room,
    log: () => {},
  });
  expect(tier.health()).toEqual({
    detail: "no model loaded: it is switched off",
    facts: { model: "none", model_error: "it is switched off", model_off: true, model_late_ratio: 0, model_wrong_ratio: 0 },
  });
  expect(tier.choose(question)).rejects.toThrow(/it is switched off$/);
  tier.stop();
});
