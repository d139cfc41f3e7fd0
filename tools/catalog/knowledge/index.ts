/** The knowledge base. */

import type { AnyTool } from "../../tool.ts";
import { knowledgeAdd } from "./add.ts";
import { knowledgeEdit } from "./edit.ts";
import { knowledgeHistory } from "./history.ts";
import { knowledgeList } from "./list.ts";
import { knowledgeSearch } from "./search.ts";
import { knowledgeShow } from "./show.ts";

export const knowledge_tools: readonly AnyTool[] = [
  knowledgeAdd,
  knowledgeEdit,
  knowledgeHistory,
  knowledgeList,
  knowledgeSearch,
  knowledgeShow,
];
