import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Keeper } from "../keeper.ts";
import { diskFolder } from "../testing/folder.ts";
import { hashOf } from "./documents.ts";
import { Shipped } from "./shipped.ts";
import { fronts_file } from "./shipped-fronts.ts";

const page = "---\ntitle: one\nkind: playbook\nsummary: What it does.\n---\n## Steps\n1. See to it.\n";
const told = { title: "as it was read", kind: "playbook", summary: "What it does." };

function imageFolder(fronts: string): string {
  const folder = diskFolder("shipped-fronts");
  mkdirSync(join(folder, "playbooks"));
  writeFileSync(join(folder, "playbooks/one.md"), page);
  writeFileSync(join(folder, fronts_file), fronts);
  return folder;
}

async function titleAfter(fronts: string): Promise<{ title: string | undefined; note: string | null }> {
  const keeper = new Keeper(diskFolder("shipped-fronts-memory"));
  const shipped = new Shipped(imageFolder(fronts));
  await shipped.bring(keeper);
  return { title: keeper.parts.documents.current("playbooks/one")?.title, note: shipped.note };
}

test("what was read when the image was built counts for that very text", async () => {
  expect(await titleAfter(JSON.stringify({ [hashOf(page)]: told }))).toEqual({ title: "as it was read", note: null });
  expect(await titleAfter(JSON.stringify({ [hashOf("another")]: told }))).toEqual({ title: "one", note: null });
});

test("a file that is none is said, and the documents are read", async () => {
  for (const wrong of ["", "[]", '{"x":1}']) {
    const { title, note } = await titleAfter(wrong);
    expect(title).toBe("one");
    expect(note).toStartWith("the front matter that the image has apart cannot be read: ");
  }
});
