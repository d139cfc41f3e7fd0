/** Learning over the real memory: what the tier above solved is tried by tactical the next time, and nobody is asked again. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Decision } from "../../../contracts/decision.ts";
import { type Incident, Incidents } from "../../loop/incidents.ts";
import { type Option, type OptionSource, playbookSource } from "../../loop/options.ts";
import type { BasePorts, LoopPorts } from "../../loop/ports.ts";
import { work } from "../../loop/work.ts";
import { loadThresholds } from "../../router/thresholds.ts";
import type { AskTool } from "../../shared/ask-tool.ts";
import { KnownTools } from "../known-tools.ts";
import { Learner } from "../learn.ts";
import { Library } from "../library.ts";
import { promoteAll } from "../promote.ts";
import { World } from "./world.ts";

const world = new World();
let base: BasePorts;
let library: Library;
let learner: Learner;
let asked = 0;

/** As a model above would answer: what it costs is on record. */
const model: OptionSource = {
  who: "strategic model",
  async offer({ event }) {
    asked += 1;
    const name = event.facts.subject;
    const option: Option = {
      ...{ rule: "strategic fix", does: "what the model thought of", rank: 3, watch_ms: 1000, confidence: 0.9 },
      calls: [{ tool: "fix.good", arguments: { name } }],
    };
    return { options: [option], said: "one way", tokens: 1200, usd: 0.02 };
  },
};

beforeAll(async () => {
  base = await world.ports("tactical");
  library = new Library({ ...base, bundled: [], warn: (text) => void world.said.push(text) });
  learner = new Learner({ ...base, tools: new KnownTools(base.broker), library });
}, 60_000);
afterAll(() => world.kill());

async function solve(subject: string): Promise<Incident> {
  await world.triage();
  const incident = (await base.incidents.open()).find(({ body }) => body.key.endsWith(` ${subject}`));
  if (incident === undefined) throw new Error(`there is no incident about "${subject}"`);
  const held = await new Incidents(base.memory, "t").take(incident);
  if (held === null) throw new Error("somebody else holds it");
  const sources = [
    playbookSource(
      () => library.usable(),
      (name) => library.confidence(name),
    ),
    model,
  ];
  const ports: LoopPorts = { ...base, tier: "tactical", thresholds: loadThresholds(), sources, above: async () => null };
  await work(held, ports).finally(() => held.release());
  await library.refresh(0, await learner.run());
  const { item } = await base.memory().call("work.get", { id: incident.id });
  if (item.kind !== "incident") throw new Error("it is no incident");
  return item;
}

async function decisionOf({ body }: Incident): Promise<Decision> {
  const decisions = await base.memory().call("decisions.list", { limit: 100 });
  const found = decisions.find(({ id }) => id === body.decisions.at(-1));
  if (found === undefined) throw new Error("it has no decision");
  return found;
}

test("what a model solved once is a playbook the next time: no model is asked, and the record says what that saved", async () => {
  await world.tell("web", true);
  const first = await decisionOf(await solve("web"));
  expect(first).toMatchObject({ rule: "strategic fix", outcome: { result: "done" } });
  expect(asked).toBe(1);
  const [learned] = library.all();
  expect(learned).toMatchObject({
    playbook: { alarms: ["service-unwell"], subject: "^[a-z0-9-]+$" },
    learning: { stage: "playbook", learned_from: first.id, carried: { tries: 1, worked: 1 } },
  });
  await world.tell("db", true);
  const second = await decisionOf(await solve("db"));
  expect(second).toMatchObject({
    rule: `playbook ${learned?.playbook.name}`,
    outcome: { result: "done" },
    confidence: 2 / 3,
    asked: [{ who: "playbooks", tokens: 0 }],
  });
  expect(asked).toBe(1);
}, 60_000);

test("what a person took back of what it was learned from is no success of the playbook any more, until it is made anew", async () => {
  const [learned] = library.all();
  const { name } = learned?.playbook ?? { name: "none" };
  const broker = await world.memory("broker");
  const promote = () => promoteAll({ ...base, tools: new KnownTools(base.broker), library });
  const call = "0badcafe-call-777";
  const word = { how: "undone", by: "person:anna", why: "not so", time_ms: Date.now(), call, tool: "fix.good" } as const;
  const decision = learned?.learning.learned_from ?? "";
  await promote();
  expect(library.confidence(name)).toBeCloseTo(2 / 3);
  await broker.call("learning.override", { said: [{ say: "override", decision, ...word }] });
  await promote();
  expect(library.confidence(name)).toBeCloseTo(1 / 3);
  const again = new Library({ ...base, bundled: [], warn: () => {} });
  await again.refresh(0);
  expect(again.find(name)?.learning.carried).toEqual({ tries: 1, worked: 1 });
  await broker.call("learning.override", { said: [{ say: "anew", call }] });
  await promote();
  expect(library.confidence(name)).toBeCloseTo(2 / 3);
}, 60_000);

test("what was learned is there after a restart of the tier, and is not written twice", async () => {
  const again = new Library({ ...base, bundled: [], warn: () => {} });
  await again.refresh(0);
  expect(again.all()).toEqual(library.all());
  expect(await new Learner({ ...base, tools: new KnownTools(base.broker), library: again }).run()).toBe(false);
  const keeper = await world.memory("broker");
  const id = again.all()[0]?.document?.id ?? "";
  expect((await keeper.call("knowledge.history", { id, before: null, limit: 10 })).total).toBe(1);
});

test("which documents there are is read only when one was written, and again while one cannot be read", async () => {
  const keeper = await world.memory("broker");
  const asked: string[] = [];
  const ask: AskTool = (tool, args, why) => {
    asked.push(tool);
    return base.ask(tool, args, why);
  };
  const own = new Library({ ...base, ask, bundled: [], warn: () => {} });
  await own.refresh(0);
  expect(asked[0]).toBe("knowledge.list");
  asked.length = 0;
  await own.refresh(29_000);
  await own.refresh(31_000);
  await own.refresh(32_000, true);
  expect(asked).toEqual([]);
  const id = "playbooks/of-a-person";
  const text = `---\ntitle: By hand\nkind: playbook\nsummary: Of a person.\n---\nNothing that runs.\n`;
  const by = { author: "person:operator", reason: "to see", call: null, taint: [] };
  await keeper.call("knowledge.add", { id, text, ...by });
  await own.refresh(33_000);
  expect(asked).toEqual([]);
  await own.refresh(62_000);
  expect(asked).toEqual(["knowledge.list", "knowledge.show"]);
  await keeper.call("knowledge.edit", { id, change: { text: `${text}\n\`\`\`yaml playbook\nname: [\n\`\`\`\n` }, expected: null, ...by });
  for (const at_ms of [93_000, 124_000]) {
    asked.length = 0;
    await own.refresh(at_ms);
    expect(own.refused).toHaveLength(1);
    expect(asked).toEqual(["knowledge.list", "knowledge.show"]);
  }
  await keeper.call("knowledge.edit", { id, change: { withdraw: true }, expected: null, ...by });
  await own.refresh(155_000);
  expect(own.refused).toEqual([]);
  asked.length = 0;
  await own.refresh(186_000);
  expect(asked).toEqual([]);
});

test("a document that was edited badly is said and left out, and one that another tier wrote does not count", async () => {
  const keeper = await world.memory("broker");
  const id = library.all()[0]?.document?.id ?? "";
  const shown = await keeper.call("knowledge.show", { id, version: null, section: null });
  const by = { reason: "to see", call: null, taint: [] };
  const edit = async (author: string, from: string, to: string) => {
    const text = (shown?.text ?? "").replace(from, to);
    await keeper.call("knowledge.edit", { id, change: { text }, expected: null, author, ...by });
    await library.refresh(0, true);
  };
  await edit("person:anna", "watch_ms: 1000", "watch_ms: soon");
  expect(library.usable()).toEqual([]);
  expect(library.refused).toEqual([expect.stringMatching(/reading the playbook "playbooks\/learned-.*key "watch_ms"/)]);
  expect(world.said).toContain(library.refused[0] ?? "");
  await edit("tier:strategic", "watch_ms: 1000", "watch_ms: 2000");
  expect(library.usable()).toEqual([]);
  await edit("person:anna", "watch_ms: 1000", "watch_ms: 3000");
  expect(library.usable()).toMatchObject([{ watch_ms: 3000 }]);
  await edit("person:anna", 'stage: "playbook"', "stage: retired");
  expect(library.usable()).toEqual([]);
  expect(library.all()).toHaveLength(1);
});

test("nothing is learned of an alarm whose subject was named from outside but that the calls are about it alone", async () => {
  const before = library.all().length;
  await world.tell("mail", true, { alarm: "too-many-files", untrusted: "mail" });
  await solve("mail");
  expect(library.all().length).toBe(before + 1);
  expect(library.all().at(-1)).toMatchObject({ playbook: { subject: "^mail$" }, learning: { tainted_subject: true } });
}, 60_000);

test("a document that repeats words from outside counts when its calls can hold none, and else waits for a person", async () => {
  const keeper = await world.memory("broker");
  const one = library.all().find(({ learning }) => learning.ours && !learning.tainted_subject);
  const text = one?.document?.text ?? "";
  const again = async (name: string, ours: boolean) => {
    const copy = text.replaceAll(one?.playbook.name ?? "", name).replace("ours: true", `ours: ${ours}`);
    const by = { author: "tier:tactical", reason: "to see", call: null, taint: ["call:1"] };
    await keeper.call("knowledge.add", { id: `playbooks/${name}`, text: copy, ...by });
  };
  await again("learned-repeats", true);
  await again("learned-may-carry", false);
  await library.refresh(0, true);
  expect(library.find("learned-repeats")?.learning).toMatchObject({ ours: true, tainted_subject: false });
  expect(library.find("learned-may-carry")).toBeNull();
  expect(library.refused).toEqual([
    expect.stringMatching(/^reading the playbook "playbooks\/learned-may-carry" .*: text from outside is in it: a person has to read it/),
  ]);
});
