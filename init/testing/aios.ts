/**
 * The executable of the integration tests: the real PID 1 and the real services, and in PID 1 phases that start all
 * services and then do what a test wants (AIOS_TEST_FAULT). Never in an image.
 */

import type { Phase } from "../boot/phase.ts";
import { becomePid1 } from "../main.ts";
import { fault } from "./faults.ts";

const bring_up: readonly Phase[] = [
  {
    name: "services",
    what: "All services of the table",
    modes: "both",
    limit_ms: 1000,
    run: async (boot) => {
      boot.startServices(["console", "memory", "broker", "reactive", "operational", "tactical", "strategic"]);
      return { outcome: "done", detail: "starting" };
    },
  },
];

if (process.argv[2] === "init") void becomePid1({ phases: [...bring_up, ...fault(process.env["AIOS_TEST_FAULT"] ?? "")] });
else await import("../../main.ts");
