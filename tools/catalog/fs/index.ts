/** The tools of files. */

import type { AnyTool } from "../../tool.ts";
import { copy } from "./copy.ts";
import { link } from "./link.ts";
import { list } from "./list.ts";
import { mkdir } from "./mkdir.ts";
import { move } from "./move.ts";
import { read } from "./read.ts";
import { remove } from "./remove.ts";
import { stat } from "./stat.ts";
import { write } from "./write.ts";

export const fs: readonly AnyTool[] = [read, write, list, stat, copy, move, remove, mkdir, link];
