/** The knowledge base. */

import type { Loaders } from "../../load.ts";

export const knowledge_tools: Loaders = {
  "knowledge.add": async () => (await import("./add.ts")).knowledgeAdd,
  "knowledge.edit": async () => (await import("./edit.ts")).knowledgeEdit,
  "knowledge.history": async () => (await import("./history.ts")).knowledgeHistory,
  "knowledge.list": async () => (await import("./list.ts")).knowledgeList,
  "knowledge.search": async () => (await import("./search.ts")).knowledgeSearch,
  "knowledge.show": async () => (await import("./show.ts")).knowledgeShow,
};
