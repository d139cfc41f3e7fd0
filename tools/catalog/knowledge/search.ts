/** knowledge.search */

import { z } from "zod";
import { FoundSection, KnowledgeFilter } from "../../../contracts/memory/knowledge.ts";
import { SearchMode } from "../../../contracts/memory/longterm.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { allDocuments } from "./shared/document.ts";

export const knowledgeSearch = defineTool({
  name: "knowledge.search",
  title: "Search the knowledge base",
  description:
    "Finds sections of documents (runbooks, pages of tools and of the system, hardware notes, playbooks) by word and by meaning, and says why each was found. Ask it before acting on something that is not routine: in words of what is seen, with the kind of event where there is one. Read a document whole with knowledge.show; what happened before is asked of memory, not here.",
  input: z.lazy(() =>
    z.strictObject({
      query: z.string().min(1).max(2000).describe("what is looked for, in words: `nginx does not start after an update`"),
      kinds: KnowledgeFilter.shape.kinds.describe("only documents of these kinds"),
      tools: KnowledgeFilter.shape.tools.describe("only those that name one of these tools"),
      events: KnowledgeFilter.shape.events.describe("only those that tell of one of these kinds of events"),
      untainted: KnowledgeFilter.shape.untainted.describe("only those that hold no text from outside"),
      mode: SearchMode.default("hybrid").describe("by word, by meaning, or both"),
      limit: z.number().int().min(1).max(20).default(5).describe("sections to return"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      found: z.array(FoundSection).describe("best first"),
      mode: SearchMode.describe("how it was searched"),
      note: z.string().nullable().describe("what could not be searched, and why"),
    }),
  ),
  risk: "observe",
  timeout_ms: 60_000,
  idempotent: true,
  tainted: true,
  taintedAnswer: ({ found }) => found.some(({ taint }) => taint.length > 0),
  image: null,
  resolve: allDocuments,
  async run(_target, { query, mode, limit, ...filter }, context) {
    const memory = memoryOf(context, "searching the knowledge base");
    const { found, mode: how, note } = await asked(memory.call("knowledge.search", { query, mode, limit, filter }));
    return { found, mode: how, note };
  },
});
