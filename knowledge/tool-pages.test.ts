import { expect, test } from "bun:test";
import { DocumentId } from "../contracts/memory/knowledge.ts";
import { parseDocumentOf } from "../memory/knowledge/document.ts";
import { describeTool } from "../tools/describe.ts";
import { namedIn, pageOf } from "../tools/pages.ts";
import { testCatalog } from "../tools/testing/catalog.ts";

const named = namedIn(import.meta.dir);

test("every tool has a page that is a document, with its arguments, its risk and where it is named", () => {
  for (const tool of testCatalog()) {
    const id = `tools/${tool.name}`;
    expect(DocumentId.safeParse(id).success, id).toBe(true);
    const text = pageOf(tool, named.get(tool.name) ?? []);
    const parsed = parseDocumentOf(id, text);
    if ("problems" in parsed) throw new Error(`"${id}": ${parsed.problems.join("; ")}`);
    const { front, sections } = parsed.document;
    expect(front).toMatchObject({ kind: "tool", tools: [tool.name] });
    const of = (heading: string): string => sections.find((section) => section.heading === heading)?.text ?? "";
    const { properties } = describeTool(tool).inputSchema as { properties?: Record<string, { description?: string }> };
    for (const [name, { description }] of Object.entries(properties ?? {})) {
      expect(of("Arguments"), id).toContain(`- \`${name}\` `);
      if (description !== undefined) expect(of("Arguments"), id).toContain(description);
    }
    expect(of("Risk, undo and limits")).toContain(`Risk at worst: ${tool.risk}.`);
  }
});

test("a page says which runbooks name the tool", () => {
  expect(named.get("fs.usage")).toContain("runbooks/disk-full");
  const page = pageOf(testCatalog().find(({ name }) => name === "fs.usage") ?? never(), named.get("fs.usage") ?? []);
  expect(page).toContain("## Named in\n- runbooks/");
  expect(page).toContain("- `path` string (at most 4095), required: ");
  expect(page).toContain("- `largest` integer (from 0 up to ");
});

function never(): never {
  throw new Error("there is no such tool");
}
