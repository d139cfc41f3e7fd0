/**
 * Bring-up, in order. The console starts as soon as it has a cgroup, before the schemas of control and the system calls
 * are loaded: what comes after goes on while it starts. Control comes next, for the console's answers need it. What can
 * hang (a disk, the network) comes after the watchdog; hotplug is heard before anything looks for devices, so that none
 * falls between; what needs the data partition comes after it; hardware that nobody waits for at the end.
 */

import { apiFileSystems } from "./api-file-systems.ts";
import { cgroupTree, configuredLimits } from "./cgroups.ts";
import { clock, clockWatch } from "./clock.ts";
import { coldMemory } from "./cold-memory.ts";
import { compressedSwap } from "./compressed-swap.ts";
import { configSticks } from "./config-stick.ts";
import { startConsole } from "./console.ts";
import { openControl } from "./control.ts";
import { dataPartition } from "./data.ts";
import { dataWatch } from "./data-watch.ts";
import { entropySeed } from "./entropy.ts";
import { machineConfig } from "./find-config.ts";
import { hardwareInventory } from "./hardware.ts";
import { hotplug } from "./hotplug.ts";
import { hostName, machineId } from "./identity.ts";
import { kernelLog } from "./kernel-log.ts";
import { loopback, network } from "./network.ts";
import type { Phase } from "./phase.ts";
import { powerButton } from "./power-button.ts";
import { startServices } from "./start-services.ts";
import { kernelParameters, processLimits } from "./tunables.ts";
import { configureWatchdog, openWatchdog } from "./watchdog.ts";

export const phases: readonly Phase[] = [
  cgroupTree,
  startConsole,
  openControl,
  apiFileSystems,
  openWatchdog,
  kernelLog,
  processLimits,
  kernelParameters,
  loopback,
  hotplug,
  machineConfig,
  configSticks,
  hostName,
  configuredLimits,
  configureWatchdog,
  powerButton,
  dataPartition,
  machineId,
  dataWatch,
  entropySeed,
  clock,
  clockWatch,
  startServices,
  network,
  compressedSwap,
  hardwareInventory,
  coldMemory,
];
