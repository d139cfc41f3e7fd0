/** knowledge.show */

import { z } from "zod";
import { Shown } from "../../../contracts/memory/knowledge.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { IdField, readsDocument } from "./shared/document.ts";

export const knowledgeShow = defineTool({
  name: "knowledge.show",
  title: "Show a document",
  description:
    "One document of the knowledge base, whole or one section of it, as it counts now or in an earlier version; with who wrote it and why. Find it with knowledge.search or knowledge.list; its versions are in knowledge.history.",
  input: z.lazy(() =>
    z.strictObject({
      id: IdField,
      section: z.string().min(1).max(300).nullable().default(null).describe("only this section: `Steps`, `Steps > Free room`"),
      version: z.number().int().min(1).nullable().default(null).describe("an earlier version; null: the one that counts"),
    }),
  ),
  output: Shown,
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ document }) => document.taint.length > 0,
  image: null,
  resolve: ({ id }) => readsDocument(id),
  async run(_target, { id, section, version }, context) {
    const found = await asked(memoryOf(context, `showing "${id}"`).call("knowledge.show", { id, section, version }));
    if (found !== null) return found;
    const of = [...(version === null ? [] : [`version ${version}`]), ...(section === null ? [] : [`section "${section}"`])];
    const what = of.length === 0 ? "no such document that counts" : `no such document with ${of.join(" and ")}`;
    throw new ToolError(`showing "${id}" failed: there is ${what}; knowledge.list shows documents, knowledge.history versions`);
  },
});
