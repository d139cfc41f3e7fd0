import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Keeper } from "../keeper.ts";
import type { Embedder } from "../longterm/embedder.ts";
import { first_file } from "../store/first.ts";
import { diskFolder } from "../testing/folder.ts";
import { Meaning } from "./meaning.ts";
import { Shipped } from "./shipped.ts";

const page = (title: string): string => `---\ntitle: ${title}\nkind: playbook\nsummary: What it does.\n---\n## Steps\n1. See to it.\n`;
const model = { model: "of-the-image@0123456789ab", dimensions: 4 };

/** An image with two pages. */
function imageFolder(): string {
  const folder = diskFolder("shipped-vectors");
  mkdirSync(join(folder, "playbooks"));
  for (const name of ["one", "two"]) writeFileSync(join(folder, "playbooks", `${name}.md`), page(name));
  return folder;
}

const rows = (keeper: Keeper) =>
  keeper.parts.documents.db
    .prepare<[], { sha256: string; model: string; vector: Uint8Array }>(
      "SELECT sha256, model, vector FROM knowledge_vectors ORDER BY sha256",
    )
    .all();

/** What is asked of it is counted. */
function embedding(name: string): { readonly embedder: Embedder; readonly asked: string[] } {
  const asked: string[] = [];
  const embed = (texts: readonly string[]): Promise<Float32Array[]> => {
    asked.push(...texts);
    return Promise.resolve(texts.map(() => Float32Array.of(0, 0, 0, 1)));
  };
  return { asked, embedder: { model: name, dimensions: 4, reason: null, embed } };
}

/** Memory starts with that image and that model. */
async function started(image: string, name: string) {
  const keeper = new Keeper(diskFolder("shipped-vectors-memory"));
  const shipped = new Shipped(image);
  await shipped.bring(keeper);
  const { embedder, asked } = embedding(name);
  const meaning = new Meaning({ keeper, embedder, onTrouble: (text) => expect.unreachable(text) });
  meaning.wake();
  await meaning.idle();
  return { keeper, note: shipped.note, asked };
}

/** The file as the build makes it: of what memory itself has made. */
async function withVectors(image: string): Promise<Buffer> {
  const { keeper } = await started(image, model.model);
  const { db } = keeper.parts.documents;
  rows(keeper).forEach(({ sha256 }, at) => {
    db.prepare("UPDATE knowledge_vectors SET vector = ? WHERE sha256 = ?").run(new Uint8Array(Float32Array.of(at, 0, 1, 0).buffer), sha256);
  });
  rmSync(join(image, first_file), { force: true });
  db.prepare("VACUUM INTO ?").run(join(image, first_file));
  return readFileSync(join(image, first_file));
}

test("what the image has is not made anew; an edited page is, and so is all by another model", async () => {
  const image = imageFolder();
  await withVectors(image);
  const same = await started(image, model.model);
  expect([same.asked, same.note]).toEqual([[], null]);
  expect(rows(same.keeper).map(({ vector }) => new Float32Array(new Uint8Array(vector).buffer)[0])).toEqual([0, 1, 2, 3]);
  writeFileSync(join(image, "playbooks/two.md"), page("another"));
  expect((await started(image, model.model)).asked).toHaveLength(2);
  expect((await started(image, "another@ba9876543210")).asked).toHaveLength(4);
});

test("a file that is no memory is said, and what it should have had is made", async () => {
  const image = imageFolder();
  const bytes = await withVectors(image);
  for (const wrong of [bytes.subarray(0, 5000), Buffer.from("no database, ".repeat(1000)), Buffer.alloc(0)]) {
    writeFileSync(join(image, first_file), wrong);
    const { asked, note, keeper } = await started(image, model.model);
    expect(note).toStartWith("the vectors of the image cannot be read and are made anew: ");
    expect([asked.length, rows(keeper).length]).toEqual([4, 4]);
  }
});
