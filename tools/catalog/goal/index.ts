/** What is to be so, in words. */

import type { Loaders } from "../../load.ts";

export const goal_tools: Loaders = {
  "goal.add": async () => (await import("./add.ts")).goalAdd,
  "goal.cancel": async () => (await import("./cancel.ts")).goalCancel,
  "goal.list": async () => (await import("./list.ts")).goalList,
  "goal.pause": async () => (await import("./pause.ts")).goalPause,
  "goal.resume": async () => (await import("./resume.ts")).goalResume,
  "goal.show": async () => (await import("./show.ts")).goalShow,
};
