/** What an empty `aios.yaml` means, without loading the schema: a machine without a config starts without paying for it. */

import type { MachineConfig } from "../../contracts/config.ts";

/** A fresh one each time: nobody changes another's. A test keeps it equal to what the schema makes of `{}`. */
export function defaultConfig(): MachineConfig {
  return {
    version: 1,
    hostname: "aios",
    network: { default: "dhcp", interfaces: [], dns: [], ntp: [] },
    console: { keys: [] },
    services: {},
    extra_services: {},
    tiers: { operational: { enabled: true }, tactical: { enabled: true }, strategic: { enabled: true } },
    limits: { system: {}, tiers: {}, work: {} },
    watchdog: { timeout_s: 30 },
  };
}
