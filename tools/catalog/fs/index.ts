/** The tools of files. */

import type { AnyTool } from "../../tool.ts";
import { list } from "./list.ts";
import { read } from "./read.ts";
import { stat } from "./stat.ts";
import { write } from "./write.ts";

export const fs: readonly AnyTool[] = [read, write, list, stat];
