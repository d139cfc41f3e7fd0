/** What is to be so, in words. */

import type { AnyTool } from "../../tool.ts";
import { goalAdd } from "./add.ts";
import { goalCancel } from "./cancel.ts";
import { goalList } from "./list.ts";
import { goalPause } from "./pause.ts";
import { goalResume } from "./resume.ts";
import { goalShow } from "./show.ts";

export const goal_tools: readonly AnyTool[] = [goalAdd, goalCancel, goalList, goalPause, goalResume, goalShow];
