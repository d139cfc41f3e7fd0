/** Documents found by meaning, with the real model. */

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ProcessEmbedder } from "../embed/embedder.ts";
import { Keeper } from "../keeper.ts";
import { diskFolder } from "../testing/folder.ts";
import { knowledgeHandlers } from "./handlers.ts";
import { Meaning } from "./meaning.ts";
import { Shipped } from "./shipped.ts";

const model_path = join(import.meta.dir, "../../build/models/all-minilm-l6-v2.gguf");
const command = [process.execPath, join(import.meta.dir, "../embed/testing/child.ts")];
const by = { author: "tier:tactical", reason: "learned", call: null, taint: [] as string[] };
const page = (title: string, summary: string): string =>
  `---\ntitle: ${title}\nkind: playbook\nsummary: ${summary}\n---\n## Steps\n1. See to it.\n`;

describe.skipIf(!existsSync(model_path))("with the model", () => {
  const embedder = new ProcessEmbedder({ command, model_path, lanes: 1, log: () => {} });
  afterAll(() => embedder.stop());

  test("what shares no word with the question is found, also after an edit; its vector is made once", async () => {
    while (embedder.model === null) await Bun.sleep(20);
    const keeper = new Keeper(diskFolder("knowledge-meaning"));
    const meaning = new Meaning({ keeper, embedder, onTrouble: (text) => expect.unreachable(text) });
    const ask = knowledgeHandlers({ keeper, shipped: new Shipped("/nonexistent"), meaning });
    const vectors = (): number =>
      keeper.parts.documents.db.prepare<[], { n: number }>("SELECT count(*) AS n FROM knowledge_vectors").get()?.n ?? 0;
    const pages = {
      "playbooks/disk": page("Storage", "The partition runs out of room."),
      "playbooks/clock": page("Clock", "The time jumps when the machine wakes up."),
      "playbooks/link": page("Cable", "An interface loses its carrier."),
    };
    for (const [id, text] of Object.entries(pages)) await ask["knowledge.add"]({ id, text, ...by });
    await meaning.idle();
    expect(vectors()).toBe(6);
    const search = async (query: string) => await ask["knowledge.search"]({ query, mode: "hybrid", filter: {}, limit: 3 });
    const { found, mode, note } = await search("hard drive almost full");
    expect([mode, note]).toEqual(["hybrid", expect.stringContaining("there is none in")]); // no image here
    expect(found[0]).toMatchObject({ document: "playbooks/disk", words: null, meaning: { rank: 1 } });
    expect(found[0]?.why).toContain("by meaning, place 1: cosine 0.");
    await ask["knowledge.edit"]({
      id: "playbooks/clock",
      change: { text: page("Clock", "A hard drive is almost full.") },
      expected: null,
      ...by,
    });
    await meaning.idle();
    expect(vectors()).toBe(7); // one section is another, one the same
    expect((await search("hard drive almost full")).found[0]).toMatchObject({ document: "playbooks/clock", meaning: { rank: 1 } });
  });
});
