/** Training in the real memory service, with the real sentence model, on decisions that a tier has put there. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { Decision } from "../../contracts/decision.ts";
import { classifier_methods } from "../../contracts/memory/classifier.ts";
import { loadNative } from "../../wire/native.ts";
import { diskFolder } from "../testing/folder.ts";
import { openMemory } from "../testing/in-process.ts";
import { type MemoryPeer, type MemoryService, startMemory } from "../testing/service.ts";
import { withVectors } from "./cases.ts";

setDefaultTimeout(600_000);
const patience_ms = 500_000;

const sentence_model = join(import.meta.dir, "../../build/models/all-minilm-l6-v2.gguf");
const rule = "playbook service-restart";
/** A new start helps against what a process has used up, and not against what it finds again: in words that differ. */
const used_up = ["has nearly as many files open as it may", "holds the room of deleted files", "has nearly as many threads as it may"];
const found_again = ["cannot read its configuration", "ends at once because its settings are wrong", "finds its data damaged"];
const used_up_new = "has opened nearly all the files that it is allowed to";
const found_again_new = "says that the settings file has an error";

function decision(at: number, detail: string, worked: boolean): Decision {
  const facts = { alarm: "service-unwell", subject: `web-${at % 5}`, raised: true, value: 1, limit: 1, stood_ms: 0, detail };
  return {
    ...{ id: `0badcafe-d-tactical-${at}`, time_ms: at, boot_ms: at, tier: "tactical", rule, based_on: [], reason: "so", took_us: 1 },
    trigger: {
      id: `0badcafe-reactive-${at}`,
      time_ms: at,
      boot_ms: at,
      source: "reactive",
      severity: "error",
      kind: "alarm.changed",
      facts,
    },
    action: { do: "log" },
    outcome: { result: worked ? "done" : "failed", detail: "", after_ms: 1 },
  };
}

/** One in ten comes otherwise than its words say. */
const world = Array.from({ length: 120 }, (_, at) => {
  const kind = at % 2 === 0 ? used_up : found_again;
  return decision(at, `a service says that it cannot do all of its work: it ${kind[at % kind.length]}`, (at % 2 === 0) !== (at % 10 === 3));
});

test("without a sentence model it goes by alarm and subject; with too few cases nothing is in use, and that is said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "classifier-"));
  const memory = openMemory(folder, folder);
  const { report } = classifier_methods["classifier.train"].result.parse(await memory.call("classifier.train", { why: "a test" }));
  expect(report).toMatchObject({ is_better: false, held_back: 0, said: expect.stringContaining("20 are the least") });
  const matter = { alarm: "a", subject: "s", detail: "", rules: [rule] };
  expect(await memory.call("classifier.weigh", matter)).toEqual({ version: null, chances: [], said: "none is in use" });
  await expect(memory.call("classifier.use", { version: 7, why: "a test" })).rejects.toThrow("there is none");
  const told = world.map(({ trigger, ...one }, at) => ({
    ...one,
    trigger: { ...trigger, facts: { ...trigger.facts, subject: at % 2 === 0 ? "web" : "db" } },
  }));
  for (let at = 0; at < told.length; at += 20) await memory.call("decisions.append", { decisions: told.slice(at, at + 20) });
  expect(await memory.call("classifier.train", { why: "a test" })).toMatchObject({ in_use: 1, report: { embedding: "", is_better: true } });
  expect(await memory.call("classifier.weigh", { alarm: "service-unwell", subject: "db", detail: "", rules: [rule] })).toMatchObject({
    chances: [{ rule, chance: expect.any(Number) }],
    said: "version 1",
  });
});

test("a text that comes late is asked for again, four times at most", async () => {
  const told = { decision: "d-1", alarm: "a", subject: "s", rule, worked: true, neighbours: null, text: "a of s: late" };
  const late = (times: number) => {
    let asked = 0;
    const embed = async (texts: readonly string[]) => {
      asked += 1;
      if (asked <= times) throw new Error("embedding a text failed: it took longer than 120 s");
      return texts.map(() => new Float32Array([0.5]));
    };
    return { model: "m", dimensions: 1, reason: null, embed };
  };
  expect(await withVectors([told], late(3))).toEqual([expect.objectContaining({ decision: "d-1", vector: "AAAAPw==" })]);
  await expect(withVectors([told], late(4))).rejects.toThrow("took longer");
});

describe.skipIf(!existsSync(sentence_model))("with the sentence model", () => {
  const data = diskFolder("classifier");
  let memory: MemoryService;
  let broker: MemoryPeer;
  let operational: MemoryPeer;
  beforeAll(async () => {
    memory = await startMemory(data, [], sentence_model);
    [broker, operational] = await Promise.all([memory.ask("broker"), memory.ask("operational")]);
    const tactical = await memory.ask("tactical");
    for (let at = 0; at < world.length; at += 20) await tactical.call("decisions.append", { decisions: world.slice(at, at + 20) });
    // a search says so as long as the model is being loaded
    while ((await broker.call("search", { query: "x", mode: "hybrid", filter: {}, limit: 1 })).mode !== "hybrid") await Bun.sleep(20);
  });
  afterAll(() => memory?.kill());

  /** On a busy machine a vector is not there in time: then nothing is said, and it is asked again. */
  const weigh = async (detail: string): Promise<number | undefined> => {
    const matter = { alarm: "service-unwell", subject: "db", detail: `a service says that it cannot do all of its work: it ${detail}` };
    for (;;) {
      const { version, chances } = await operational.call("classifier.weigh", { ...matter, rules: [rule, "playbook other"] });
      if (version === null || chances.length > 0) return chances.find((one) => one.rule === rule)?.chance;
    }
  };

  const train = (why: string) => broker.call("classifier.train", { why }, patience_ms);

  test("it is better on what was held back, is in use from then on, and tells words apart that it has not seen", async () => {
    expect(await weigh(used_up_new)).toBeUndefined();
    const { version, was, in_use, report } = await train("a test");
    expect(report).toMatchObject({ is_better: true, held_back: 36, trained_on: 84, rules: [rule] });
    expect(report.gain_low).toBeGreaterThan(0);
    expect({ version, was, in_use }).toEqual({ version: 1, was: null, in_use: 1 });
    const [helps, does_not] = [await weigh(used_up_new), await weigh(found_again_new)];
    expect(helps).toBeGreaterThan(0.6);
    expect(does_not).toBeLessThan(0.4);
  });

  test("the same cases make the same version; going back is one call, and on record", async () => {
    expect(await train("again")).toMatchObject({ version: 1, was: 1, in_use: 1 });
    expect((await broker.call("classifier.state", { limit: 10 })).versions).toHaveLength(1);
    expect(await broker.call("classifier.use", { version: null, why: "it was worse" })).toEqual({ was: 1 });
    expect(await weigh(used_up_new)).toBeUndefined();
    expect((await broker.call("classifier.state", { limit: 1 })).changes).toMatchObject([{ version: null, why: "it was worse" }]);
    await broker.call("classifier.use", { version: 1, why: "back" });
    expect(await weigh(used_up_new)).toBeGreaterThan(0.6);
  });

  test("it is there after a restart; weights that were changed are refused", async () => {
    const restarted = async (): Promise<void> => {
      memory = await startMemory(data, [], sentence_model);
      [broker, operational] = await Promise.all([memory.ask("broker"), memory.ask("operational")]);
      while ((await broker.call("search", { query: "x", mode: "hybrid", filter: {}, limit: 1 })).mode !== "hybrid") await Bun.sleep(20);
    };
    await memory.kill();
    await restarted();
    expect(await weigh(used_up_new)).toBeGreaterThan(0.6);
    await memory.kill();
    const db: Sqlite.Database = new (loadNative("better-sqlite3") as typeof Sqlite)(join(data, "memory/memory.db"));
    db.prepare("UPDATE classifiers SET body = replace(body, 'playbook service-restart', 'playbook service-rename')").run();
    db.close();
    await restarted();
    await expect(weigh(used_up_new)).rejects.toThrow("its hash is another");
  });
});
