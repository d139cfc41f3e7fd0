/** knowledge.list */

import { z } from "zod";
import { DocumentKind, Listed } from "../../../contracts/memory/knowledge.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { allDocuments } from "./shared/document.ts";

export const knowledgeList = defineTool({
  name: "knowledge.list",
  title: "List documents",
  description:
    "The documents of the knowledge base by id, with kind, summary, tools, who wrote the version that counts, and whether it counts in place of what the image has. To find something by what it says use knowledge.search.",
  input: z.lazy(() =>
    z.strictObject({
      kinds: z.array(DocumentKind).min(1).max(5).nullable().default(null).describe("only these kinds; null: all"),
      prefix: z.string().max(100).default("").describe("only ids that begin so: `runbooks/service`"),
      offset: z.number().int().min(0).max(100_000).default(0).describe("documents to skip"),
      limit: z.number().int().min(1).max(100).default(50).describe("documents to return"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      documents: z.array(Listed),
      total: z.number().int(),
      truncated: z.boolean().describe("there are more: ask with a larger offset"),
      note: z.string().nullable().describe("what of the image's documents is not there, and why"),
    }),
  ),
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ documents }) => documents.some(({ taint }) => taint.length > 0),
  image: null,
  resolve: allDocuments,
  async run(_target, { kinds, prefix, offset, limit }, context) {
    const memory = memoryOf(context, "listing documents");
    const { documents, total, note } = await asked(memory.call("knowledge.list", { kinds, prefix, offset, limit }));
    return { documents, total, truncated: offset + documents.length < total, note };
  },
});
