import type { Phase } from "./phase.ts";
import { done } from "./result.ts";

export const startServices: Phase = {
  name: "start services",
  what: "All services of ours, and those that the machine config adds; which wait for which is theirs to know",
  modes: "both",
  limit_ms: 2000,
  run: async (boot) => {
    const { core_services } = await import("../../contracts/service.ts"); // with the schemas, which the first phases do not pay for
    const { extra_services } = boot.state.config;
    const extras = Object.keys(extra_services);
    boot.startServices([...core_services, ...extras]);
    return done(extras.length === 0 ? "ours" : `ours, and ${extras.join(", ")}`);
  },
};
