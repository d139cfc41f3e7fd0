/** knowledge.history */

import { z } from "zod";
import { Version } from "../../../contracts/memory/knowledge.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { IdField, readsDocument } from "./shared/document.ts";

export const knowledgeHistory = defineTool({
  name: "knowledge.history",
  title: "Versions of a document",
  description:
    "All versions of one document, newest first: who wrote each, why, by which call, and which one counts. Also of one that was withdrawn; none where there never was such a document. The text of a version is shown by knowledge.show; knowledge.edit brings one back.",
  input: z.lazy(() =>
    z.strictObject({
      id: IdField,
      before: z.number().int().min(1).nullable().default(null).describe("only versions before this one: to go on"),
      limit: z.number().int().min(1).max(100).default(20).describe("versions to return"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      versions: z.array(Version),
      total: z.number().int(),
      next_before: z.number().int().nullable().describe("give it as `before` for the next page; null: no more"),
    }),
  ),
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ versions }) => versions.some(({ taint }) => taint.length > 0),
  image: null,
  resolve: ({ id }) => readsDocument(id),
  async run(_target, { id, before, limit }, context) {
    const memory = memoryOf(context, `looking at the versions of "${id}"`);
    const { versions, total } = await asked(memory.call("knowledge.history", { id, before, limit }));
    const last = versions.at(-1)?.version ?? 1;
    return { versions, total, next_before: versions.length === limit && last > 1 ? last : null };
  },
});
