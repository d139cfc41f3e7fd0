/** Every tool that there is, by family. A tool that is not in here does not exist. */

import type { AnyTool } from "../tool.ts";

export const catalog: readonly AnyTool[] = [];
