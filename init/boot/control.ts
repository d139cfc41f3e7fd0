import type { Phase } from "./phase.ts";
import { done } from "./result.ts";

export const openControl: Phase = {
  name: "open control",
  what: "What services may say to PID 1 and ask of it",
  modes: "both",
  limit_ms: 30_000,
  run: async (boot) => {
    await boot.openControl();
    return done("PID 1 listens to its services");
  },
};
