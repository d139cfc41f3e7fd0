/** Documents in versions, those of the image among them, over a real database. */

import { expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KnowledgeFilter } from "../../contracts/memory/knowledge.ts";
import { embedderOf } from "../embed/embedder.ts";
import { Keeper } from "../keeper.ts";
import { diskFolder } from "../testing/folder.ts";
import { knowledgeHandlers } from "./handlers.ts";
import { Meaning } from "./meaning.ts";
import { Shipped } from "./shipped.ts";

const page = (title: string, body: string, more = "", kind = "playbook"): string =>
  `---\ntitle: ${title}\nkind: ${kind}\nsummary: About ${title}.\n${more}---\n${body}\n`;
const disk = page("Disk full", "## Steps\n1. Remove old archives.", "tools: [fs.remove]\nevents: [disk.usage]\n", "runbook");
const by = { author: "tier:tactical", reason: "learned", call: null, taint: [] as string[] } as const;

const served = (keeper: Keeper, folder: string) =>
  knowledgeHandlers({
    keeper,
    shipped: new Shipped(folder),
    meaning: new Meaning({ keeper, embedder: embedderOf(null, () => {}), onTrouble: () => {} }),
  });

function rig(files: Readonly<Record<string, string>> = { "runbooks/disk-full": disk }, data = diskFolder("knowledge")) {
  const folder = diskFolder("knowledge-image");
  const ship = (now: Readonly<Record<string, string>>): void => {
    rmSync(folder, { recursive: true });
    for (const [id, text] of Object.entries(now)) {
      mkdirSync(join(folder, id, ".."), { recursive: true });
      writeFileSync(join(folder, `${id}.md`), text);
    }
  };
  ship(files);
  const keeper = new Keeper(data);
  const ask = served(keeper, folder);
  return {
    ...{ keeper, ask, ship, data },
    /** The same memory with an image that has other documents. */
    later: (now: Readonly<Record<string, string>>) => {
      ship(now);
      return served(keeper, folder);
    },
    search: async (query: string, filter: KnowledgeFilter = {}) =>
      (await ask["knowledge.search"]({ query, mode: "words", filter, limit: 10 })).found,
  };
}
type Ask = ReturnType<typeof rig>["ask"];

const show = async (ask: Ask, id: string, version: number | null = null) => await ask["knowledge.show"]({ id, version, section: null });
const edit = async (ask: Ask, id: string, change: Parameters<Ask["knowledge.edit"]>[0]["change"], expected: number | null = null) =>
  await ask["knowledge.edit"]({ id, change, expected, ...by });
const failure = async (of: unknown): Promise<string> =>
  await Promise.resolve(of).then(
    () => "",
    (error: unknown) => String(error),
  );

test("added, edited, brought back, withdrawn: each is a version, who and why stand with it, and none goes", async () => {
  const { ask, keeper } = rig();
  const id = "playbooks/nginx";
  const unwritten = await ask["knowledge.revision"]({});
  const first = await ask["knowledge.add"]({ id, text: page("nginx", "First."), ...by });
  expect(first).toMatchObject({ version: 1, origin: "written", current: true, author: "tier:tactical", reason: "learned" });
  await edit(ask, id, { text: page("nginx", "Second.") }, 1);
  const third = await edit(ask, id, { version: 1 });
  expect(third).toMatchObject({ version: 3, origin: "brought-back", brings_back: 1, sha256: first.sha256 });
  expect((await show(ask, id))?.text).toContain("First.");
  expect((await show(ask, id, 2))?.text).toContain("Second.");
  const before = await ask["knowledge.revision"]({});
  expect(before.revision).toBe(unwritten.revision + 3);
  expect(await ask["knowledge.revision"]({})).toEqual(before);
  expect(await edit(ask, id, { withdraw: true })).toMatchObject({ version: 4, origin: "withdrawn", current: false });
  expect((await ask["knowledge.revision"]({})).revision).toBe(before.revision + 1);
  expect(await show(ask, id)).toBeNull();
  expect((await show(ask, id, 2))?.text).toContain("Second.");
  const { versions, total } = await ask["knowledge.history"]({ id, before: null, limit: 10 });
  expect([versions.map(({ version }) => version), total]).toEqual([[4, 3, 2, 1], 4]);
  expect(() => keeper.parts.documents.db.exec("DELETE FROM knowledge_versions")).toThrow("never deleted");
  expect(() => keeper.parts.documents.db.exec("UPDATE knowledge_versions SET text = ''")).toThrow("never changed");
  expect(await ask["knowledge.add"]({ id, text: page("nginx", "Again."), ...by })).toMatchObject({ version: 5, current: true });
});

test("what is refused says why: a taken id, a version that does not count any more, one that does not exist", async () => {
  const { ask } = rig();
  const id = "playbooks/x";
  await ask["knowledge.add"]({ id, text: page("x", "a"), ...by });
  expect(await failure(ask["knowledge.add"]({ id, text: page("x", "b"), ...by }))).toContain(
    "there is one of this id; change it with edit",
  );
  await edit(ask, id, { text: page("x", "b") });
  expect(await failure(edit(ask, id, { text: page("x", "c") }, 1))).toContain("version 2 counts now, not 1");
  expect(await failure(edit(ask, id, { version: 9 }))).toContain("it has no version 9");
  expect(await failure(edit(ask, id, { reset: true }))).toContain("the image does not have it");
  expect(await failure(edit(ask, "playbooks/y", { withdraw: true }))).toContain("there is none of this id");
  expect(await show(ask, "playbooks/y")).toBeNull();
});

test("a text that is no document is refused with line and key of all that is wrong", async () => {
  const { ask } = rig();
  const text = "---\ntitle: x\nkind: novel\nsummary: y\ncolour: red\nparameters:\n  a: { what: z }\n---\nbody\n";
  const said = await failure(ask["knowledge.add"]({ id: "playbooks/x", text, ...by }));
  for (const words of ['line 3, key "kind"', 'line 5, key "colour": there is no such key', 'line 7, key "parameters.a.example"'])
    expect(said).toContain(words);
  const refuses = async (wrong: string) => await failure(ask["knowledge.add"]({ id: "playbooks/x", text: wrong, ...by }));
  expect(await refuses("no front matter")).toContain("line 1: it does not begin with front matter");
  expect(await refuses("---\ntitle: x\nkind: playbook\nsummary: y\n---\n")).toContain("no text after the front matter");
  expect(await refuses(page("x", "a\u0007b"))).toContain("line 6: it holds a control character");
  expect(await refuses("---\ntitle: [x\n---\nbody\n")).toContain("line");
  expect(await failure(ask["knowledge.add"]({ id: "runbooks/x", text: page("x", "a"), ...by }))).toContain(
    "the id of a playbook begins with playbooks/",
  );
  expect(await refuses("---\na: &a 1\ntitle: *a\n---\nbody\n")).toContain("aliases");
});

test("documents of the image are there, and follow it while nobody has edited them", async () => {
  const { ask, later, search } = rig();
  expect((await search("archives")).map(({ document }) => document)).toEqual(["runbooks/disk-full"]);
  expect((await show(ask, "runbooks/disk-full"))?.document).toMatchObject({
    author: "image",
    origin: "shipped",
    shipped: true,
    overrides: false,
  });
  const next = later({ "runbooks/disk-full": disk.replace("archives", "tarballs"), "runbooks/new": page("New", "text", "", "runbook") });
  const listed = await next["knowledge.list"]({ kinds: null, prefix: "", offset: 0, limit: 10 });
  expect(listed.documents.map(({ document, version }) => [document, version])).toEqual([
    ["runbooks/disk-full", 2],
    ["runbooks/new", 1],
  ]);
  expect([(await search("archives")).length, (await search("tarballs")).length]).toEqual([0, 1]);
  // the same image again changes nothing
  const same = later({ "runbooks/disk-full": disk.replace("archives", "tarballs"), "runbooks/new": page("New", "text", "", "runbook") });
  expect((await same["knowledge.history"]({ id: "runbooks/new", before: null, limit: 9 })).total).toBe(1);
  const without = later({ "runbooks/disk-full": disk });
  expect((await without["knowledge.list"]({ kinds: null, prefix: "", offset: 0, limit: 10 })).total).toBe(1);
  expect((await show(without, "runbooks/new", 1))?.text).toContain("text");
});

test("an edit stays over a new image until it is reset, and then the image's counts again", async () => {
  const { ask, later } = rig();
  const id = "runbooks/disk-full";
  await edit(ask, id, { text: disk.replace("archives", "mail") });
  const next = later({ [id]: disk.replace("archives", "tarballs") });
  const overridden = await show(next, id);
  expect(overridden?.text).toContain("mail");
  expect(overridden?.document).toMatchObject({ version: 2, overrides: true, shipped: true });
  expect(await edit(next, id, { reset: true })).toMatchObject({ origin: "brought-back", brings_back: 3, version: 4 });
  expect((await show(next, id))?.document).toMatchObject({ overrides: false });
  const last = later({ [id]: disk.replace("archives", "nothing") });
  expect((await show(last, id))?.text).toContain("nothing");
  await edit(last, id, { withdraw: true });
  const still = later({ [id]: disk });
  expect(await show(still, id)).toBeNull(); // a person took it out of sight: an image does not bring it back
});

test("found by section and by word, with the reason; filters hold; nothing in a question is syntax", async () => {
  const { ask, search } = rig();
  const text = page(
    "nginx",
    "Opening.\n## Checks\nLook at the log.\n## Steps\n### Restart\nRestarting helps when workers hang.\n```\n## not a heading\n```",
  );
  await ask["knowledge.add"]({ id: "playbooks/nginx", text, ...by, taint: ["log:nginx"] });
  const [hit] = await search("how do I restart hanging workers?");
  expect(hit).toMatchObject({ document: "playbooks/nginx", section: "Steps > Restart", taint: ["log:nginx"], meaning: null });
  expect(hit?.words).toEqual({ rank: 1, matched: ["restart", "hanging", "workers"] });
  expect(hit?.why).toContain("by word, place 1: restart, hanging, workers");
  expect(hit?.text).toContain("## not a heading");
  expect(await search("restart", { untainted: true })).toEqual([]);
  expect((await search("about", { tools: ["fs.remove"] })).map(({ document }) => document)).toEqual(["runbooks/disk-full"]);
  expect((await search("steps", { events: ["disk.usage"], kinds: ["runbook"] })).length).toBeGreaterThan(0);
  expect(await search("about", { kinds: ["tool"] })).toEqual([]);
  for (const query of ['"', "a AND (", "title:x*", "NEAR(", "'; DROP TABLE", "-- ^ *", "…"])
    expect(Array.isArray(await search(query))).toBe(true);
  expect((await ask["knowledge.show"]({ id: "playbooks/nginx", version: null, section: "steps > restart" }))?.text).toContain(
    "workers hang",
  );
  const { note } = await ask["knowledge.search"]({ query: "x", mode: "hybrid", filter: {}, limit: 1 });
  expect(note).toContain("by word alone");
});

test("the taint of a document comes back with it, with its versions, and with what brings it back", async () => {
  const { ask } = rig();
  const id = "playbooks/x";
  await ask["knowledge.add"]({ id, text: page("x", "a"), ...by, taint: ["call:0badcafe-call-1"] });
  expect((await show(ask, id))?.document.taint).toEqual(["call:0badcafe-call-1"]);
  await edit(ask, id, { text: page("x", "b") });
  expect((await show(ask, id))?.document.taint).toEqual([]);
  expect((await edit(ask, id, { version: 1 })).taint).toEqual(["call:0badcafe-call-1"]);
  expect((await edit(ask, id, { withdraw: true })).taint).toEqual(["call:0badcafe-call-1"]);
});

test("the index agrees with the rows, whatever was done", async () => {
  const { ask, keeper, later } = rig();
  for (let n = 0; n < 30; n += 1) {
    await ask["knowledge.add"]({ id: `playbooks/p${n}`, text: page(`p${n}`, `## A\nword${n}\n## B\nmore`), ...by });
    if (n % 2 === 0) await edit(ask, `playbooks/p${n}`, { text: page(`p${n}`, `## C\nother${n}`) });
    if (n % 3 === 0) await edit(ask, `playbooks/p${n}`, { withdraw: true });
  }
  await later({ "runbooks/other": disk })["knowledge.list"]({ kinds: null, prefix: "", offset: 0, limit: 1 });
  const { db } = keeper.parts.documents;
  db.exec("INSERT INTO knowledge_words (knowledge_words, rank) VALUES ('integrity-check', 1)");
  const sections = db.prepare<[], { document: string }>("SELECT DISTINCT document FROM knowledge_sections ORDER BY document").all();
  const current = keeper.parts.documents.heads().filter(({ version }) => version !== null);
  expect(sections.map(({ document }) => document)).toEqual(current.map(({ document }) => document));
});

test("without the image's documents the others are there, and it is said; damage begins anew with them", async () => {
  const { ask, keeper, ship, data } = rig({ "runbooks/bad": "no front matter", "runbooks/disk-full": disk });
  const { documents, note } = await ask["knowledge.list"]({ kinds: null, prefix: "runbooks/", offset: 0, limit: 10 });
  expect(documents.map(({ document }) => document)).toEqual(["runbooks/disk-full"]);
  expect(note).toContain('"runbooks/bad": line 1');
  ship({ "runbooks/disk-full": disk });
  keeper.close();
  const again = served(new Keeper(data), join(data, "nothing"));
  const rest = await again["knowledge.list"]({ kinds: null, prefix: "", offset: 0, limit: 10 });
  expect([rest.total, rest.note]).toEqual([1, expect.stringContaining("indexing the documents of the image failed: there is none in")]);
});
