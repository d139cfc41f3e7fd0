/** All faults, in the order in which they are tried. */

import type { Fault } from "../fault.ts";
import { disk_faults } from "./disk.ts";
import { drift_faults } from "./drift.ts";
import { network_faults } from "./network.ts";
import { port_faults } from "./ports.ts";
import { process_faults } from "./process.ts";
import { security_faults } from "./security.ts";

export const faults: readonly Fault[] = [
  ...process_faults,
  ...port_faults,
  ...network_faults,
  ...drift_faults,
  ...security_faults,
  ...disk_faults,
];
