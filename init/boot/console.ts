import type { Phase } from "./phase.ts";
import { done } from "./result.ts";

export const startConsole: Phase = {
  name: "start console",
  what: "The way to look in, as soon as it can run at all",
  modes: "both",
  limit_ms: 1000,
  run: async (boot) => {
    boot.startServices(["console"]);
    return done("the console is starting");
  },
};
