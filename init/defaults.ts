/** The state of bring-up before anything is known, and the machine config as an empty file gives it (a test keeps it so). */

import type { MachineConfig } from "../contracts/config.ts";
import { data_dir } from "../contracts/paths.ts";
import type { BootState } from "./boot/phase.ts";

export const default_config: MachineConfig = {
  version: 1,
  hostname: "aios",
  network: { default: "dhcp", interfaces: [], dns: [], ntp: [] },
  console: { keys: [] },
  services: {},
  extra_services: {},
  tiers: {
    operational: { enabled: true },
    tactical: { enabled: true },
    strategic: {
      enabled: true,
      providers: [],
      budget: { hour: { usd: 1, tokens: 1_000_000 }, day: { usd: 5, tokens: 5_000_000 }, incident: { usd: 1, tokens: 1_000_000 } },
    },
  },
  models: { local: true },
  packages: { sources: [], generations_max: 48 },
  sensors: { pace: 1 },
  limits: { system: {}, tiers: {}, work: {} },
  watchdog: { timeout_s: 30 },
};

/** What the status says of the data partition until its phase has run. */
export const data_not_looked_for = "not looked for yet";

export function firstState(command_line: string, boot_id: string): BootState {
  return {
    command_line: parseCommandLine(command_line),
    config: default_config,
    config_source: { found: null, seen: new Set(), next: null },
    machine_id: "",
    boot_id,
    hardware: null,
    data: { persistent: false, mount: data_dir, device: null, detail: data_not_looked_for, mended: false },
    clock: { from: "as the kernel has it", servers: [], synchronised: false, error_ms: null },
    watchdog: { device: null, fd: null, timeout_s: null, petted_ms: null },
  };
}

/** Words `name` or `name=value`; the last of one name counts. Double quotes keep spaces. */
export function parseCommandLine(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const word of text.trim().match(/(?:[^\s"]|"[^"]*")+/g) ?? []) {
    const plain = word.replaceAll('"', "");
    const equals = plain.indexOf("=");
    found.set(equals < 0 ? plain : plain.slice(0, equals), equals < 0 ? "" : plain.slice(equals + 1));
  }
  return found;
}
