/** Bring-up, in order. The console starts third: what comes after goes on while it starts. */

import type { Phase } from "./phase.ts";

export const phases: readonly Phase[] = [
  {
    name: "start console",
    what: "The way to look in, as soon as it can run at all",
    modes: "both",
    limit_ms: 1000,
    run: async (boot) => {
      boot.startServices(["console"]);
      return { outcome: "done", detail: "the console is starting" };
    },
  },
];
